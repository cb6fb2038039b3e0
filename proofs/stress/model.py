"""Sixteen concurrent customers, compared with the model of the contract (cart/tests/model.py), over the real server.

Each customer is one thread with a model of their own. The books are everybody's, and change only between two rounds,
while nobody shops. In every round one customer rests, whose lines the others try to reach; then that account may be
deleted, and a new one takes its place. After every operation the whole cart is read and compared.
"""

import random
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

from cart.tests.model import ModelBook, ModelShop, timeless
from proofs.stress.stage import Stage
from tests.support.client import PatientClient

BOUND = 6  # lines of a cart, so that it is met
BETWEEN_CHANGES = 50  # operations of each customer
BOOKS = 10
TRIES = 20
PASSWORD = "correct horse battery"  # noqa: S105  # of the made-up customers


class Customer:
    """`author` writes the books of this seed, so that they are told from those of another."""

    def __init__(self, port: int, name: str, author: str, seed: int) -> None:
        self.wire, self.name, self.author = PatientClient(port), name, author
        self.shop = ModelShop(max_lines=BOUND)
        self.chance = random.Random(seed)
        self.accounts = self.asked = 0
        self.wrong: list[str] = []
        self.register()

    def ask(self, method: str, path: str, body: Any = None, *, token: str | None = None) -> Any:
        """Again after a 503 of a busy machine: nothing was changed."""
        self.asked += 1
        for _ in range(TRIES):
            answer = self.wire(method, path, body, self.token if token is None else token)
            if answer.status != 503:
                break
            time.sleep(0.2)
        return answer

    def compare(self, what: str, found: Any, expected: Any) -> None:
        if found != expected:
            self.wrong.append(f"{self.name}, {what}: {str(found)[:500]}, not {str(expected)[:500]}")

    # --- who they are ---

    def register(self) -> None:
        """A new account with an empty cart. The lines of the one before are nobody's."""
        self.accounts += 1
        self.email = f"{self.name}.{self.accounts}@example.com"
        answer = self.ask("POST", "/auth/register", {"email": self.email, "password": PASSWORD}, token="")
        assert answer.status == 201, answer
        self.keep(answer)
        self.shop.carts["me"] = {}
        self.lines = [10**9]

    def keep(self, answer: Any) -> None:
        self.token, self.refresh = answer.body["access_token"], answer.body["refresh_token"]

    def sign_in(self) -> None:
        kind = self.chance.random()
        credentials = {"email": self.email, "password": PASSWORD}
        if kind < 0.25:
            answer = self.ask("POST", "/auth/register", credentials | {"email": self.email.upper()}, token="")
            self.compare("register again", (answer.status, answer.code), (409, "AUTH_EMAIL_CONFLICT"))
        elif kind < 0.5:
            answer = self.ask("POST", "/auth/login", credentials | {"password": PASSWORD[::-1]}, token="")
            self.compare("wrong password", (answer.status, answer.code), (401, "AUTH_INVALID_CREDENTIALS"))
        elif kind < 0.75:
            answer = self.ask("POST", "/auth/refresh", {"refresh_token": self.refresh}, token="")
            self.compare("refresh", answer.status, 200)
            self.keep(answer)
        else:
            answer = self.ask("POST", "/auth/logout", {"refresh_token": self.refresh}, token="")
            self.compare("logout", answer.status, 204)
            answer = self.ask("GET", "/cart")
            self.compare("a cart after logout", (answer.status, answer.code), (401, "AUTH_SESSION_OVER"))
            answer = self.ask("POST", "/auth/login", credentials, token="")
            self.compare("login", answer.status, 200)
            self.keep(answer)

    # --- what they do ---

    def browse(self, book: int) -> None:
        answer, known = self.ask("GET", f"/books/{book}", token=""), self.shop.books.get(book)
        if known is None:
            self.compare("a book", (answer.status, answer.code), (404, "BOOK_NOT_FOUND"))
        else:
            facts = [answer.body[name] for name in ("title", "price", "stock_quantity", "in_stock")]
            self.compare("a book", facts, [known.title, str(known.price), known.stock, known.stock > 0])
        answer = self.ask("GET", f"/books?author={self.author}&size=100", token="")
        on_sale = sorted(each.id for each in self.shop.books.values() if each.is_active)
        self.compare("the books", sorted(item["id"] for item in answer.body["items"]), on_sale)

    def step(self) -> None:
        chance, shop = self.chance, self.shop
        book = chance.choice([*shop.books, *shop.books, 10**9])
        quantity = chance.choice([1, 2, 3, 4, 999, 0, 1000])
        others = [line.id for line in shop.carts["resting"].values()]
        line = chance.choice([*self.lines[-12:], *others[:2]])
        kind = chance.random()
        if kind < 0.01:
            self.sign_in()
        elif kind < 0.05:
            self.browse(book)
        elif kind < 0.4:
            expected = shop.add("me", book, quantity)
            answer = self.ask("POST", "/cart/items", {"book_id": book, "quantity": quantity})
            self.compare("add", (answer.status, answer.code), expected)
            if answer.status == 201:
                shop.added("me", book, quantity, answer.body["id"])
                self.lines.append(answer.body["id"])
        elif kind < 0.65:
            method = chance.choice(["PUT", "PATCH"])
            answer = self.ask(method, f"/cart/items/{line}", {"quantity": quantity})
            self.compare(method, (answer.status, answer.code), shop.change("me", line, quantity))
        elif kind < 0.8:
            answer = self.ask("DELETE", f"/cart/items/{line}")
            self.compare("delete", (answer.status, answer.code), shop.remove("me", line))
        elif kind < 0.83:
            shop.clear("me")
            self.compare("clear", self.ask("DELETE", "/cart/items").status, 204)
        else:
            some = chance.sample([*shop.books, 10**9], 3)
            entries = [(each, chance.choice([1, 2, 5, 999])) for each in some]
            body = {"items": [{"book_id": each, "quantity": copies} for each, copies in entries]}
            answer = self.ask("POST", "/cart/merge", body)
            self.compare("merge", (answer.status, (answer.body or {}).get("results")), (200, shop.merge("me", entries)))
            if answer.status == 200:
                shop.learn_ids("me", answer.body["items"])
                self.lines += [item["id"] for item in answer.body["items"]]
        self.look()

    def look(self) -> None:
        answer = self.ask("GET", "/cart")
        self.compare("cart", timeless(answer.body or {}), self.shop.cart_answer("me"))

    def run(self) -> None:
        for _ in range(BETWEEN_CHANGES):
            if self.wrong:
                return  # after a divergence everything differs
            self.step()


class Staff:
    """Changes the books through the API, and in every customer's model."""

    def __init__(self, port: int, token: str, author: str, seed: int) -> None:
        self.wire, self.token, self.author, self.chance = PatientClient(port), token, author, random.Random(seed)
        self.made = 0

    def new_book(self, customers: Sequence[Customer]) -> None:
        self.made += 1
        price, stock = Decimal(self.chance.randint(1, 9999)) / 100, self.chance.randint(0, 4)
        title = f"Volume {self.made}"
        body = {"title": title, "author": self.author, "price": str(price), "stock_quantity": stock}
        answer = self.wire("POST", "/books", body, self.token)
        assert answer.status == 201, answer
        for customer in customers:
            book = ModelBook(answer.body["id"], title, self.author, Decimal(answer.body["price"]), stock)
            customer.shop.books[book.id] = book

    def change_books(self, customers: Sequence[Customer]) -> None:
        for book in list(customers[0].shop.books):
            kind, stock = self.chance.random(), self.chance.randint(0, 4)
            price = Decimal(self.chance.randint(1, 9999)) / 100
            if kind < 0.3:
                assert self.wire("PATCH", f"/books/{book}/stock", {"quantity": stock}, self.token).status == 200
                self.tell(customers, book, "stock", stock)
            elif kind < 0.5:
                answer = self.wire("PUT", f"/books/{book}", {"price": str(price)}, self.token)
                self.tell(customers, book, "price", Decimal(answer.body["price"]))
            elif kind < 0.65:
                active = self.chance.random() < 0.6
                assert self.wire("PUT", f"/books/{book}", {"is_active": active}, self.token).status == 200
                self.tell(customers, book, "is_active", active)
            elif kind < 0.7:
                assert self.wire("DELETE", f"/books/{book}", None, self.token).status == 204
                for customer in customers:
                    customer.shop.delete_book(book)
                self.new_book(customers)

    @staticmethod
    def tell(customers: Sequence[Customer], book: int, fact: str, value: Any) -> None:
        for customer in customers:
            setattr(customer.shop.books[book], fact, value)


def delete_account(customer: Customer) -> None:
    """Their tokens are nobody's; then they come back as somebody new."""
    from bookstore.accounts.models import User

    User.objects.get(email=customer.email).delete()
    answer = customer.ask("GET", "/cart")
    customer.compare("a cart of nobody", (answer.status, answer.code), (401, "AUTH_USER_INACTIVE"))
    customer.register()


def rounds(customers: Sequence[Customer], staff: Staff, operations: int) -> None:
    for number in range(operations // BETWEEN_CHANGES):
        resting = customers[number % len(customers)]
        shopping = [each for each in customers if each is not resting]
        for each in shopping:
            each.shop.carts["resting"] = resting.shop.carts["me"]
        with ThreadPoolExecutor(len(shopping)) as together:
            list(together.map(Customer.run, shopping))  # an error in one of them is raised here
        resting.look()
        if staff.chance.random() < 0.3:
            delete_account(resting)
        staff.change_books(customers)


def model(stage: Stage) -> None:
    """0 divergences of the API from the model."""
    options = stage.options
    asked, wrong = 0, []
    with stage.server(CART_MAX_LINES=str(BOUND)) as server:
        for seed in range(options.seeds):
            author = f"Seed{seed}"
            customers = [  # one more than shop at once: in every round one rests
                Customer(server.port, f"customer{number}.seed{seed}", author, seed * 1000 + number)
                for number in range(options.clients + 1)
            ]
            staff = Staff(server.port, stage.staff(), author, seed)
            for _ in range(BOOKS):
                staff.new_book(customers)
            rounds(customers, staff, options.operations)
            asked += sum(customer.asked for customer in customers)
            wrong += [customer.wrong[0] for customer in customers if customer.wrong]
            print(f"       seed {seed}: {asked} requests so far, {len(wrong)} divergences", flush=True)
    each = options.operations // BETWEEN_CHANGES * BETWEEN_CHANGES
    stage.report(
        f"model: {options.clients} customers × {each} operations × {options.seeds} seeds",
        f"{asked} requests, {len(wrong)} divergences" + (f"; first: {wrong[0]}" if wrong else ""),
        not wrong and each > 0,
    )
