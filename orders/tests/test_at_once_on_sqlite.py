"""Checkouts at once on SQLite, over two workers. `make stress ARGS=order_races` has the long form, on PostgreSQL."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from threading import Barrier

import pytest
from django.db import connection

from bookstore.accounts.tests.factories import UserFactory
from cart.models import Cart
from tests.support.bearer import token_of
from tests.support.client import Client
from tests.support.server import running_server

pytestmark = [
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL: test_checkout.py and make stress"),
]


@contextmanager
def served(file):
    """Copies the rows of the test into this file, and serves it with two workers: the port."""
    with closing(sqlite3.connect(file)) as copy:
        connection.connection.backup(copy)
    with running_server(DATABASE_URL=f"sqlite:///{file}") as port:
        yield port


def together(port, tokens, **headers):
    """The answers to checkouts that begin at the same moment."""
    start = Barrier(len(tokens))

    def checkout(token):
        with Client(port, token) as client:
            client("GET", "/cart")  # connects
            start.wait(10)
            return client("POST", "/orders/checkout", {}, **headers)

    with ThreadPoolExecutor(len(tokens)) as pool:
        return list(pool.map(checkout, tokens))


def stored(file):
    """Orders, copies in orders, and the stock of the only book."""
    with closing(sqlite3.connect(file)) as shop:
        return shop.execute(
            "SELECT (SELECT count(*) FROM orders), (SELECT sum(quantity) FROM order_items), stock_quantity FROM books"
        ).fetchall()


def test_last_copies_on_sqlite_are_sold_once(tmp_path, emma):
    customers = UserFactory.create_batch(6)
    for customer in customers:
        Cart.objects.for_user(customer).add(emma, 2)
    tokens = [token_of(customer) for customer in customers]
    file = tmp_path / "shop.sqlite3"

    with served(file) as port:
        answers = together(port, tokens)

    refused = [answer.code for answer in answers if answer.status == 409]
    assert sorted(answer.status for answer in answers) == [201, 201, 409, 409, 409, 409]
    assert refused == ["ORDER_INSUFFICIENT_STOCK"] * 4
    assert stored(file) == [(2, 4, 1)]


@pytest.mark.parametrize("headers", [{}, {"idempotency_key": "one"}], ids=["no-key", "key"])
def test_double_click_on_sqlite_makes_one_order(tmp_path, alice, emma, headers):
    Cart.objects.for_user(alice).add(emma, 2)
    token = token_of(alice)
    file = tmp_path / "shop.sqlite3"

    with served(file) as port:
        first, second = sorted(together(port, [token, token], **headers), key=lambda answer: answer.status)

    if headers:
        assert (first.status, second.status, second.content) == (201, 201, first.content)
    else:
        assert (first.status, second.status, second.body["order_id"]) == (201, 422, first.body["id"])
    assert stored(file) == [(1, 2, 3)]
