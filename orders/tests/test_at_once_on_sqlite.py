"""Checkouts at once on SQLite, over two workers. `make stress ARGS=order_races` has the long form, on PostgreSQL."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from bookstore.accounts.tests.factories import PASSWORD
from tests.support.server import ROOT, Client, running_server

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(connection.vendor != "sqlite", reason="its own SQLite file is what it asks about"),
]
CUSTOMERS = 6
THROTTLES = ("AUTH_THROTTLE_RATE", "REGISTER_THROTTLE_RATE")


@pytest.fixture
def port(tmp_path):
    """A server on a file of its own, with the demo's books."""
    environ = {"DATABASE_URL": f"sqlite:///{tmp_path}/shop.sqlite3", "DEBUG": "1"} | dict.fromkeys(THROTTLES, "off")
    for command in (["migrate", "--verbosity", "0"], ["load_demo"]):
        subprocess.run([sys.executable, "manage.py", *command], cwd=ROOT, env=os.environ | environ, check=True)
    with running_server(**environ) as port:
        yield port


def together(calls):
    """What they return that begin at the same moment."""
    start = Barrier(len(calls))

    def run(call):
        start.wait(10)
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def customer(port, number):
    client = Client(port)
    _, tokens = client("POST", "/auth/register", {"email": f"c{number}@example.com", "password": PASSWORD})
    client.headers["Authorization"] = f"Bearer {tokens['access_token']}"
    return client


def test_last_copies_and_double_clicks_on_sqlite(port):
    people = [customer(port, number) for number in range(CUSTOMERS)]
    books = people[0]("GET", "/books?in_stock=true")[1]["items"]
    book = next(each for each in books if each["stock_quantity"] >= 10)
    each = book["stock_quantity"] // 3 + 1  # so that two are served
    for client in people:
        client("POST", "/cart/items", {"book_id": book["id"], "quantity": each})

    answers = together([lambda client=client: client("POST", "/orders/checkout", {}) for client in people])

    left = people[0]("GET", f"/books/{book['id']}")[1]["stock_quantity"]
    statuses = sorted(status for status, _ in answers)
    assert statuses == [201] * 2 + [409] * (CUSTOMERS - 2)
    assert left == book["stock_quantity"] - 2 * each

    # A double click of whoever was refused, on two connections and with one key, for a copy that is there.
    refused = next(client for client, (status, _) in zip(people, answers, strict=True) if status == 409)
    refused("DELETE", "/cart/items")
    refused("POST", "/cart/items", {"book_id": book["id"], "quantity": left})
    other = Client(port)
    other.headers = refused.headers = {**refused.headers, "Idempotency-Key": "one"}

    first, second = together(
        [lambda client=client: client("POST", "/orders/checkout", {}) for client in (refused, other)]
    )

    assert first == second
    assert first[0] == 201
    assert len(refused("GET", "/orders")[1]) == 1
    assert refused("GET", f"/books/{book['id']}")[1]["stock_quantity"] == 0
