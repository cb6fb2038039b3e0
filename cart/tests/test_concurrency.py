"""Sixteen clients at once, through the real server with its two workers."""

import random
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from bookstore.accounts import tokens
from bookstore.accounts.models import LoginSession
from bookstore.accounts.tests.factories import UserFactory
from catalog.models import Book
from catalog.tests.factories import BookFactory
from tests.support.client import Client
from tests.support.server import running_server

CUSTOMERS, THREADS_EACH, ROUNDS = 4, 4, 60
TRIES = 50

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


class Shopper:
    """One of several threads of the same customer: it owns some of the cart's books, and shares one with the others."""

    def __init__(self, port: int, token: str, own: list[Book], shared: Book, seed: int) -> None:
        self.call = Client(port, token)
        self.own, self.shared = own, shared
        self.random = random.Random(seed)
        self.lines: dict[int, tuple[int, int]] = {}  # book id → line id and quantity, as acknowledged
        self.statuses: Counter[int] = Counter()
        self.shared_added = self.shared_removed = 0

    def ask(self, method: str, path: str, body: object = None) -> tuple[int, dict]:
        answer = self.call(method, path, body)
        for _ in range(TRIES):  # of a machine that is too busy for so many at once: 503, and nothing was changed
            if answer.status != 503:
                break
            time.sleep(0.2)
            answer = self.call(method, path, body)
        self.statuses[answer.status] += 1
        return answer.status, answer.body or {}

    def shop(self) -> None:
        with self.call:
            for _ in range(ROUNDS):
                self.random.choice((self.change_own_line, self.change_own_line, self.change_shared_line))()

    def change_own_line(self) -> None:
        book = self.random.choice(self.own)
        quantity = self.random.randint(1, 999)
        if book.pk not in self.lines:
            status, answer = self.ask("POST", "/cart/items", {"book_id": book.pk, "quantity": quantity})
            assert status == 201, answer
            self.lines[book.pk] = (answer["id"], quantity)
        elif self.random.random() < 0.5:
            line = self.lines[book.pk][0]
            status, answer = self.ask("PUT", f"/cart/items/{line}", {"quantity": quantity})
            assert (status, answer["quantity"]) == (200, quantity)
            self.lines[book.pk] = (line, quantity)
        else:
            status, answer = self.ask("DELETE", f"/cart/items/{self.lines.pop(book.pk)[0]}")
            assert status == 204, answer

    def change_shared_line(self) -> None:
        status, answer = self.ask("POST", "/cart/items", {"book_id": self.shared.pk})
        if status == 201:
            self.shared_added += 1
        else:
            assert (status, answer["code"]) == (409, "CART_ITEM_DUPLICATE")
            line = answer["item_id"]
            if self.random.random() < 0.5:
                assert self.ask("PUT", f"/cart/items/{line}", {"quantity": 2})[0] in {200, 404}
            status, _ = self.ask("DELETE", f"/cart/items/{line}")
            assert status in {204, 404}
            self.shared_removed += status == 204


def test_sixteen_threads_leave_carts_equal_to_what_was_acknowledged():
    users = [UserFactory() for _ in range(CUSTOMERS)]
    shared = BookFactory(title="Emma", stock_quantity=1)
    books = BookFactory.create_batch(THREADS_EACH * 3, stock_quantity=5)
    access = [tokens.issue(LoginSession.objects.begin(user))["access_token"] for user in users]
    with running_server() as port:
        shoppers = [
            Shopper(port, token, books[slot * 3 : slot * 3 + 3], shared, seed=customer * THREADS_EACH + slot)
            for customer, token in enumerate(access)
            for slot in range(THREADS_EACH)
        ]

        with ThreadPoolExecutor(CUSTOMERS * THREADS_EACH) as pool:
            for done in [pool.submit(shopper.shop) for shopper in shoppers]:
                done.result()

        for customer, token in enumerate(access):
            of_this_customer = shoppers[customer * THREADS_EACH : (customer + 1) * THREADS_EACH]
            acknowledged = {book: line for shopper in of_this_customer for book, line in shopper.lines.items()}
            added = sum(shopper.shared_added for shopper in of_this_customer)
            removed = sum(shopper.shared_removed for shopper in of_this_customer)
            with Client(port, token) as client:
                cart = client("GET", "/cart").body
            in_cart = {item["book_id"]: (item["id"], item["quantity"]) for item in cart["items"]}
            assert (shared.pk in in_cart) == (added - removed == 1)
            assert added - removed in {0, 1}
            in_cart.pop(shared.pk, None)
            assert in_cart == acknowledged
    statuses = sum((shopper.statuses for shopper in shoppers), Counter())
    assert statuses.keys() <= {200, 201, 204, 404, 409}
    assert statuses[201] > 100
