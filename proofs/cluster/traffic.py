"""Steady traffic: customers who change and read their carts, and visitors who read the catalogue.

Two customers make as many calls as two visitors; a customer writes 40% of the time, so that a fifth of all calls are
writes. Each is a thread with one connection to nginx, and thinks between calls.
"""

import random
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from proofs.cluster.ledger import Fault, Ledger
from tests.support.client import Answer, PatientClient

Kind = Literal["write", "cart", "catalogue", "sign-in"]
THINK = 0.03  # seconds, on average
AFTER_REFUSAL = 0.2  # Retry-After says a second; sooner shows more exactly when the service is back
SIGN_IN_EVERY = 2.0  # a password costs a lot of CPU on purpose
BOOKS_EACH = 4
WRITES = 0.4

# What a customer may be told: an add whose answer was lost is there, a delete whose answer was lost has been done.
EXPECTED = {("write", 409, "CART_ITEM_DUPLICATE"), ("write", 404, "CART_ITEM_NOT_FOUND")}
SUCCESS = frozenset({200, 201, 204})


@dataclass(frozen=True, slots=True)
class Sample:
    """One answer: when it came (seconds of the monotonic clock), to what, and how long it took."""

    at: float
    kind: Kind
    status: int
    seconds: float
    client: int
    fault: str = ""  # why it is none that a client may get

    @property
    def succeeded(self) -> bool:
        return self.status in SUCCESS


def fault_of(kind: Kind, answer: Answer) -> str:
    """Empty for a success, a 4xx that is expected here, and a 503 with envelope and Retry-After."""
    if answer.status in SUCCESS or (kind, answer.status, answer.code) in EXPECTED:
        return ""
    if answer.status == 503:
        if answer.code != "SERVICE_UNAVAILABLE":
            return f"503 without the envelope: {answer.body}"
        return "" if answer.headers.get("retry-after") else "503 without Retry-After"
    return f"{answer.status or 'no answer'} to a {kind} after {answer.seconds:.1f} s: {answer.body}"


class Client(threading.Thread):
    think = THINK

    def __init__(self, number: int, host: str, port: int) -> None:
        super().__init__(name=f"client {number}")
        self.number = number
        self.wire = PatientClient(port, host=host)
        self.chance = random.Random(number)
        self.samples: list[Sample] = []
        self.over = threading.Event()
        self.error = ""
        self.token = ""

    def ask(self, kind: Kind, method: str, path: str, body: object = None, **headers: str) -> Answer:
        answer = self.wire(method, path, body, self.token, **headers)
        fault = fault_of(kind, answer)
        self.samples.append(Sample(time.monotonic(), kind, answer.status, answer.seconds, self.number, fault))
        if answer.status not in SUCCESS:
            self.over.wait(AFTER_REFUSAL)
        return answer

    def step(self) -> None:
        raise NotImplementedError

    def run(self) -> None:
        try:
            while not self.over.is_set():
                self.step()
                self.over.wait(self.chance.uniform(0, 2 * self.think))
        except Exception as error:  # a client that died would be a test that saw nothing
            self.error = f"{self.name} ended: {type(error).__name__}: {error}"
        self.wire.close()


class Visitor(Client):
    """Reads the catalogue, and never signs in."""

    think = 0.1  # they share an address, which nginx lets read 50 times a second

    def __init__(self, number: int, host: str, port: int, books: Sequence[int]) -> None:
        super().__init__(number, host, port)
        self.books = books

    def step(self) -> None:
        path = self.chance.choice(
            [f"/books/{self.chance.choice(self.books)}", "/books?size=10", "/books?q=austen", "/genres"]
        )
        self.ask("catalogue", "GET", path)


class SignIn(Client):
    """Somebody who signs in now and then: each attempt is counted in the database."""

    def __init__(self, number: int, host: str, port: int, email: str, password: str) -> None:
        super().__init__(number, host, port)
        self.account = {"email": email, "password": password}

    def step(self) -> None:
        self.ask("sign-in", "POST", "/auth/login", self.account)
        self.over.wait(SIGN_IN_EVERY)


class Customer(Client):
    """Changes and reads one cart, and knows what each line may be."""

    def __init__(self, number: int, host: str, port: int, token: str, books: Sequence[int]) -> None:
        super().__init__(number, host, port)
        self.token = token
        self.ledger = Ledger(books)
        self.faults: list[Fault] = []
        self.books = list(books)
        self.line: dict[int, int] = {}  # the line's id, of books that are in the cart as far as is known
        self.sure = True  # False: the lines are to be read again before the next write

    def read(self) -> bool:
        answer = self.ask("cart", "GET", "/cart")
        if answer.status != 200:
            return False
        items = answer.body["items"]
        self.faults += self.ledger.read({item["book_id"]: item["quantity"] for item in items})
        self.line = {item["book_id"]: item["id"] for item in items}
        self.sure = True
        return True

    def step(self) -> None:
        if not self.sure or self.chance.random() > WRITES:
            self.read()
        else:
            self.write()

    def write(self) -> None:
        book, copies = self.chance.choice(self.books), self.chance.randint(1, 999)
        if book not in self.line:
            answer = self.ask("write", "POST", "/cart/items", {"book_id": book, "quantity": copies})
        elif self.chance.random() < 0.7:
            answer = self.ask("write", "PUT", f"/cart/items/{self.line[book]}", {"quantity": copies})
        else:
            copies = 0
            answer = self.ask("write", "DELETE", f"/cart/items/{self.line[book]}")
        if answer.status in SUCCESS:
            self.ledger.write_acknowledged(book, copies)
            if answer.status == 201:
                self.line[book] = answer.body["id"]
            elif answer.status == 204:
                del self.line[book]
        else:
            # A 4xx says that this write did nothing; but it was told so because of what is not known.
            if answer.status in {0, 503} or answer.status >= 500:
                self.ledger.write_unknown(book, copies)
            self.sure = False
