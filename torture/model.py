"""Sixteen customers at once against the plain model of the contract (cart/tests/model.py), over the real server.

Each customer is one thread with a model of their own; the books are everybody's, and change only between two rounds,
while nobody shops. After every operation the whole cart is read and compared.
"""

import random
import threading
from decimal import Decimal
from typing import Any

from cart.tests.model import ModelBook, ModelShop, timeless
from torture.stage import Stage
from torture.wire import Wire

BOUND = 6  # lines of a cart, so that it is met
BETWEEN_CHANGES = 50  # operations of each customer
BOOKS = 10


class Customer:
    def __init__(self, stage: Stage, port: int, token: str, shop: ModelShop, seed: int) -> None:
        self.stage, self.wire, self.token, self.shop = stage, Wire(port), token, shop
        self.chance = random.Random(seed)
        self.lines = [10**9]
        self.asked = 0
        self.wrong: list[str] = []

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        self.asked += 1
        return self.wire(method, path, body, self.token)

    def compare(self, what: str, found: Any, expected: Any) -> None:
        if found != expected:
            self.wrong.append(f"{what}: {found}, not {expected}"[:600])

    def step(self) -> None:
        chance, shop = self.chance, self.shop
        book = chance.choice([*shop.books, *shop.books, 10**9])
        quantity = chance.choice([1, 2, 3, 4, 999, 0, 1000])
        line = chance.choice(self.lines[-12:])
        kind = chance.random()
        if kind < 0.4:
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
        answer = self.ask("GET", "/cart")
        self.compare("cart", timeless(answer.body or {}), shop.cart_answer("me"))

    def run(self, operations: int) -> None:
        for _ in range(operations):
            if self.wrong:
                return  # after a divergence everything differs
            self.step()


class Staff:
    """Changes the books through the API, and in every customer's model."""

    def __init__(self, port: int, token: str, seed: int) -> None:
        self.wire, self.token, self.chance = Wire(port), token, random.Random(seed)
        self.made = 0

    def new_book(self, customers: list[Customer]) -> None:
        self.made += 1
        price, stock = Decimal(self.chance.randint(1, 9999)) / 100, self.chance.randint(0, 4)
        body = {"title": f"Volume {self.made}", "author": "Jane Austen", "price": str(price), "stock_quantity": stock}
        answer = self.wire("POST", "/books", body, self.token)
        assert answer.status == 201, answer
        for customer in customers:
            facts = ModelBook(
                answer.body["id"], f"Volume {self.made}", "Jane Austen", Decimal(answer.body["price"]), stock
            )
            customer.shop.books[answer.body["id"]] = facts

    def change_books(self, customers: list[Customer]) -> None:
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
    def tell(customers: list[Customer], book: int, fact: str, value: Any) -> None:
        for customer in customers:
            setattr(customer.shop.books[book], fact, value)


def model(stage: Stage) -> None:
    """0 divergences of the API from the model."""
    options = stage.options
    asked, wrong = 0, []
    with stage.server(CART_MAX_LINES=str(BOUND)) as server:
        for seed in range(options.seeds):
            people = stage.customers(options.clients)
            customers = [
                Customer(stage, server.port, token, ModelShop(max_lines=BOUND, carts={"me": {}}), seed * 1000 + number)
                for number, (_, token) in enumerate(people)
            ]
            staff = Staff(server.port, stage.staff(), seed)
            for _ in range(BOOKS):
                staff.new_book(customers)
            for _ in range(options.operations // BETWEEN_CHANGES):
                threads = [threading.Thread(target=each.run, args=(BETWEEN_CHANGES,)) for each in customers]
                for thread in threads:
                    thread.start()
                for thread in threads:
                    thread.join()
                staff.change_books(customers)
            asked += sum(customer.asked for customer in customers)
            wrong += [f"seed {seed}: {customer.wrong[0]}" for customer in customers if customer.wrong]
    each = options.operations // BETWEEN_CHANGES * BETWEEN_CHANGES
    stage.report(
        f"model: {options.clients} customers × {each} operations × {options.seeds} seeds",
        f"{asked} requests, {len(wrong)} divergences" + (f"; first: {wrong[0]}" if wrong else ""),
        not wrong and each > 0,
    )
