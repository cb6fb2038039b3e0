"""Customers who order: each acknowledged order must be there once, and its copies must have left the stock once."""

import itertools
from typing import Any

from proofs.cluster.traffic import Client
from tests.support.client import Answer

PAGE = 100
STANDING = 2  # orders that are not cancelled, at most: so the stock lasts


class Buyer(Client):
    """Orders one copy of a book of its own, again and again, and cancels most. A call without an answer, or with a 503,
    is sent again: a checkout by its Idempotency-Key.
    """

    def __init__(self, number: int, host: str, port: int, token: str, book: int) -> None:
        super().__init__(number, host, port)
        self.token, self.book = token, book
        self.keys = (f"buyer-{number}-{count}" for count in itertools.count())
        self.key = ""  # of the checkout under way
        self.leaving: int | None = None  # the order whose cancelling is under way
        self.acknowledged: dict[int, str] = {}  # status by order
        self.wrong: list[str] = []
        self.stock_before = self.stock()

    def stock(self) -> int:
        return int(self.wire("GET", f"/books/{self.book}").body["stock_quantity"])

    def step(self) -> None:
        if self.leaving is not None:
            self.cancel(self.leaving)
        elif self.key:
            self.checkout()
        else:
            answer = self.ask("write", "POST", "/cart/items", {"book_id": self.book})
            if answer.status == 201 or answer.code == "CART_ITEM_DUPLICATE":
                self.key = next(self.keys)

    def checkout(self) -> None:
        answer = self.ask("write", "POST", "/orders/checkout", {}, idempotency_key=self.key)
        if answer.status == 201:
            order = answer.body["id"]
            if order in self.acknowledged:
                self.wrong.append(f"order {order} answered two keys")
            self.acknowledged[order] = "placed"
            self.key = ""
            standing = [each for each, status in self.acknowledged.items() if status == "placed"]
            self.leaving = self.chance.choice(standing) if len(standing) > STANDING else None

    def cancel(self, order: int) -> None:
        if self.ask("write", "POST", f"/orders/{order}/cancel").status == 200:
            self.acknowledged[order], self.leaving = "cancelled", None

    def finish(self) -> bool:
        """Ends what is under way. False while the service does not answer."""
        if self.key or self.leaving is not None:
            self.step()
        return not self.key and self.leaving is None

    def check(self) -> list[str]:
        """What is not as it was acknowledged, when nothing is under way."""
        found: dict[int, str] = {}
        for page in itertools.count(1):
            answer = self.wire("GET", f"/orders?page={page}&size={PAGE}", None, self.token)
            found |= {order["id"]: order["status"] for order in orders_of(answer)}
            if len(orders_of(answer)) < PAGE:
                break
        standing = sum(status == "placed" for status in found.values())
        wrong = list(self.wrong)
        if found != self.acknowledged:
            wrong.append(f"{self.name} has the orders {found}, acknowledged are {self.acknowledged}")
        if (left := self.stock()) != self.stock_before - standing:
            wrong.append(f"book {self.book}: {left} copies left of {self.stock_before}, {standing} are in orders")
        return wrong


def orders_of(answer: Answer) -> list[dict[str, Any]]:
    if answer.status != 200:
        raise RuntimeError(f"the orders could not be read at the end: {answer.status}")
    return list(answer.body)
