"""The API compared with a model of the contract, for random calls of several customers and staff.

`make stress ARGS=model` drives the same model with sixteen clients over the real server.
"""

import json
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from rest_framework.test import APIClient

from bookstore.accounts.models import User
from bookstore.accounts.tests.factories import PASSWORD
from cart.tests.model import ModelBook, ModelShop, timeless
from catalog.models import Book
from catalog.tests.factories import BookFactory

MAX_LINES = 3  # so that the bound is reached

QUANTITIES = st.one_of(st.integers(1, 6), st.sampled_from([0, -1, 999, 1000]))
GOOD_QUANTITIES = st.one_of(st.integers(1, 6), st.just(999))
PRICES = st.decimals("0.01", "99.99", places=2)
STOCKS = st.integers(0, 4)


class ShopMachine(RuleBasedStateMachine):
    customers = Bundle("customers")
    books = Bundle("books")

    def __init__(self) -> None:
        super().__init__()
        self.everything = transaction.atomic()
        self.everything.__enter__()
        self.model = ModelShop(max_lines=MAX_LINES)
        self.clients: dict[str, APIClient] = {}
        self.refresh: dict[str, str] = {}
        self.line_ids: list[int] = [10**9]  # every id ever seen, and one that never was
        self.count = 0

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.everything.__exit__(None, None, None)

    # --- helpers ---

    def ask(self, user: str, method: str, path: str, body: Any = None) -> Any:
        return self.clients[user].generic(method, path, *self.encoded(body))

    @staticmethod
    def encoded(body: Any) -> tuple[Any, ...]:
        return (json.dumps(body).encode(), "application/json") if body is not None else (b"",)

    def sign_in_with(self, user: str, response: Any) -> None:
        tokens = response.json()
        self.clients[user].credentials(HTTP_AUTHORIZATION=f"Bearer {tokens['access_token']}")
        self.refresh[user] = tokens["refresh_token"]

    def check(self, response: Any, status: int, code: str) -> None:
        assert response.status_code == status, (response.status_code, response.content, status, code)
        if status >= 400:
            assert response.json()["code"] == code

    # --- customers ---

    @initialize(target=books, price=PRICES)
    def first_book(self, price: Decimal) -> int:
        return self.stock_a_book(price, 2)

    @rule(target=customers)
    def register(self) -> str:
        self.count += 1
        user = f"customer{self.count}@example.com"
        self.clients[user] = APIClient()
        response = self.ask(user, "POST", "/auth/register", {"email": user, "password": PASSWORD})
        self.check(response, 201, "")
        self.sign_in_with(user, response)
        self.model.carts[user] = {}
        return user

    @rule(user=customers)
    def register_again(self, user: str) -> None:
        response = APIClient().post("/auth/register", {"email": user.upper(), "password": PASSWORD})
        self.check(response, 409, "AUTH_EMAIL_CONFLICT")

    @rule(user=customers, right=st.booleans())
    def login(self, user: str, right: bool) -> None:
        password = PASSWORD if right else "wrong horse battery"
        response = APIClient().post("/auth/login", {"email": user, "password": password})
        self.check(response, 200 if right else 401, "AUTH_INVALID_CREDENTIALS")
        if right:
            self.sign_in_with(user, response)

    @rule(user=customers)
    def log_out_and_in(self, user: str) -> None:
        self.check(APIClient().post("/auth/logout", {"refresh_token": self.refresh[user]}), 204, "")
        self.check(self.ask(user, "GET", "/cart"), 401, "AUTH_SESSION_OVER")
        self.login(user, True)

    @rule(user=customers)
    def renew_tokens(self, user: str) -> None:
        response = APIClient().post("/auth/refresh", {"refresh_token": self.refresh[user]})
        self.check(response, 200, "")
        self.sign_in_with(user, response)

    @rule(user=consumes(customers))
    def delete_customer(self, user: str) -> None:
        User.objects.get(email=user).delete()
        self.check(self.ask(user, "GET", "/cart"), 401, "AUTH_USER_INACTIVE")
        for gone in (self.clients, self.refresh, self.model.carts):
            del gone[user]

    # --- the staff ---

    @rule(target=books, price=PRICES, stock=STOCKS)
    def stock_a_book(self, price: Decimal, stock: int) -> int:
        self.count += 1
        row = BookFactory(title=f"Volume {self.count}", price=price, stock_quantity=stock, cover_image_url=None)
        self.model.books[row.pk] = ModelBook(row.pk, row.title, row.author, price, stock)
        return int(row.pk)

    @rule(book=books, stock=STOCKS)
    def change_stock(self, book: int, stock: int) -> None:
        Book.objects.get(pk=book).set_stock(stock)
        self.model.books[book].stock = stock

    @rule(book=books, price=PRICES)
    def change_price(self, book: int, price: Decimal) -> None:
        Book(pk=book).change(price=price)
        self.model.books[book].price = price

    @rule(book=books, is_active=st.booleans())
    def withdraw_or_bring_back(self, book: int, is_active: bool) -> None:
        Book(pk=book).change(is_active=is_active)
        self.model.books[book].is_active = is_active

    @rule(book=consumes(books))
    def delete_book(self, book: int) -> None:
        Book.objects.get(pk=book).remove()
        self.model.delete_book(book)
        self.check(APIClient().get(f"/books/{book}"), 404, "BOOK_NOT_FOUND")

    @rule(book=books)
    def browse(self, book: int) -> None:
        response = APIClient().get(f"/books/{book}")
        known = self.model.books[book]
        answer = response.json()
        assert (answer["price"], answer["stock_quantity"]) == (str(known.price), known.stock)
        listed = APIClient().get("/books", {"size": 100}).json()["items"]
        assert {item["id"] for item in listed} == {b.id for b in self.model.books.values() if b.is_active}

    # --- carts ---

    @rule(user=customers, book=books, quantity=QUANTITIES)
    def add(self, user: str, book: int, quantity: int) -> None:
        status, code = self.model.add(user, book, quantity)
        response = self.ask(user, "POST", "/cart/items", {"book_id": book, "quantity": quantity})
        self.check(response, status, code)
        if status == 201:
            answer = response.json()
            self.model.added(user, book, quantity, answer["id"])
            self.line_ids.append(answer["id"])
            assert timeless(answer) == self.model.line_answer(user, book)
        elif code == "CART_ITEM_DUPLICATE":
            assert response.json()["item_id"] == self.model.carts[user][book].id

    @rule(user=customers)
    def add_what_is_not_there(self, user: str) -> None:
        self.check(self.ask(user, "POST", "/cart/items", {"book_id": 10**9}), 404, "BOOK_NOT_FOUND")

    @rule(user=customers, quantity=QUANTITIES, method=st.sampled_from(["PUT", "PATCH"]), data=st.data())
    def change(self, user: str, quantity: int, method: str, data: st.DataObject) -> None:
        line = data.draw(st.sampled_from(self.line_ids), label="line")
        owner = self.model.owner_of(line)
        status, code = self.model.change(user, line, quantity)
        response = self.ask(user, method, f"/cart/items/{line}", {"quantity": quantity})
        self.check(response, status, code)
        if status == 200 and owner:
            assert timeless(response.json()) == self.model.line_answer(user, owner[1])

    @rule(user=customers, data=st.data())
    def remove(self, user: str, data: st.DataObject) -> None:
        line = data.draw(st.sampled_from(self.line_ids), label="line")
        status, code = self.model.remove(user, line)
        self.check(self.ask(user, "DELETE", f"/cart/items/{line}"), status, code)

    @rule(user=customers)
    def clear(self, user: str) -> None:
        self.model.clear(user)
        self.check(self.ask(user, "DELETE", "/cart/items"), 204, "")

    @rule(user=customers, data=st.data())
    def merge(self, user: str, data: st.DataObject) -> None:
        ids = st.sampled_from([*self.model.books, 10**9])
        entries = data.draw(st.lists(st.tuples(ids, GOOD_QUANTITIES), min_size=1, max_size=5, unique_by=lambda e: e[0]))
        body = {"items": [{"book_id": book, "quantity": quantity} for book, quantity in entries]}
        response = self.ask(user, "POST", "/cart/merge", body)
        assert response.status_code == 200
        answer = response.json()
        assert answer["results"] == self.model.merge(user, entries)
        self.model.learn_ids(user, answer["items"])
        self.line_ids += [item["id"] for item in answer["items"]]
        assert timeless(answer) == self.model.cart_answer(user)

    @invariant()
    def every_cart_equals_the_models(self) -> None:
        for user in self.clients:
            assert timeless(self.ask(user, "GET", "/cart").json()) == self.model.cart_answer(user)


@pytest.mark.slow
@pytest.mark.django_db
def test_the_api_equals_a_plain_model_of_the_contract(settings: Any) -> None:
    settings.CART_MAX_LINES = MAX_LINES
    run_state_machine_as_test(
        ShopMachine,
        settings=SETTINGS,
    )


SETTINGS = settings(
    max_examples=20 if connection.vendor == "postgresql" else 10,  # the same rules on each
    stateful_step_count=30,
    deadline=None,
    # Shrinking thirty steps takes minutes; the steps that failed are printed as they are, and can be read.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
