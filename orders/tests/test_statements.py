"""The two statements of a checkout on PostgreSQL: what they cost, and that they store what the ORM's steps do."""

import json

import orjson
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django_tasks_db.models import DBTaskResult
from rest_framework.renderers import JSONRenderer

from cart.models import Cart, CartItem
from catalog.models import Book
from catalog.tests.factories import BookFactory
from orders import statements
from orders.checkout import CheckoutRequest, checkout
from orders.exceptions import InsufficientStock
from orders.models import CheckoutKey, Order, OrderItem
from orders.representation import order_json
from orders.serializers import OrderSerializer

pytestmark = [pytest.mark.postgres, pytest.mark.fast_path, pytest.mark.django_db(transaction=True)]

CONTACT = {
    "name": "Jane Austen",
    "phone": "1",
    "address": {"line1": "1", "city": "B", "postcode": "1", "country": "GB"},
}
NATURE = {
    *("id", "order_id", "number", "created_at", "updated_at", "expires_at", "answer", "args_kwargs", "run_after"),
    "enqueued_at",
}


def without_nature(rows):
    return [{name: value for name, value in row.items() if name not in NATURE} for row in rows]


def everything():
    """What a checkout writes, but for ids, numbers and times."""
    models = (Order, OrderItem, CheckoutKey, Book, Cart, CartItem)
    rows = [without_nature(model.objects.order_by("pk").values()) for model in models]
    tasks = DBTaskResult.objects.order_by("task_path").values()
    return [*rows, [without_nature([task]) for task in tasks], [of_the_order(task) for task in tasks]]


def of_the_order(task):
    """What a task names of the only order."""
    order = Order.objects.get()
    return task["args_kwargs"] == {"args": [order.pk], "kwargs": {}}, task["run_after"] == order.expires_at


def test_checkout_of_5_lines_costs_as_many_statements_as_of_1(client_for, alice):
    """The caller; look, and write, also of the tasks; and the transaction's own two."""
    client, sent = client_for(alice), []
    for lines in (1, 5):
        for _ in range(lines):
            Cart.objects.for_user(alice).add(BookFactory(stock_quantity=9))
        with CaptureQueriesContext(connection) as captured:
            response = client.post("/orders/checkout", headers={"Idempotency-Key": f"key {lines}"})
        assert response.status_code == 201
        sent.append([statement["sql"].split()[0] for statement in captured])

    assert sent == [["SELECT", "BEGIN", "WITH", "WITH", "COMMIT"]] * 2


def test_the_statements_store_what_the_orm_stores(alice, cart, emma, dracula, settings):
    stored = []
    for fast in (True, False):
        settings.FAST_PATH = fast
        order = checkout(alice, CheckoutRequest(note="Ring twice.", contact=CONTACT, key="abc"))
        stored.append(everything())
        assert CheckoutKey.objects.get().answer == order.as_placed
        Order.objects.all().delete()
        DBTaskResult.objects.all().delete()
        for book, copies in ((emma, 2), (dracula, 1)):
            book.add_stock(copies)
            cart.add(book, copies)

    assert stored[0] == stored[1]


@pytest.mark.parametrize("contact", [None, {"name": "J"}, CONTACT])
def test_the_answer_is_what_the_order_reads_as(alice, cart, contact):
    """Of a JSON object PostgreSQL keeps the keys in an order of its own."""
    order = checkout(alice, CheckoutRequest(contact=contact))

    stored = Order.objects.with_items().get()

    assert order.as_placed == orjson.dumps(order_json(stored), option=orjson.OPT_UTC_Z)
    assert orjson.loads(order.as_placed) == json.loads(JSONRenderer().render(OrderSerializer(stored).data))


def test_a_stock_that_fell_without_the_lock_is_refused_and_nothing_is_stored(alice, cart, emma, monkeypatch):
    """By a writer that did not take the book's lock: shown by a look that found one copy too many."""
    emma.set_stock(1)
    look = statements.look
    monkeypatch.setattr(statements, "look", lambda *of: with_stock_of(look(*of), 9))

    with pytest.raises(InsufficientStock):
        checkout(alice, CheckoutRequest())

    assert not Order.objects.exists()
    assert dict(Book.objects.values_list("title", "stock_quantity")) == {"Emma": 1, "Dracula": 2}


def with_stock_of(seen, copies):
    lines = [line._replace(book_stock_quantity=copies) for line in seen.cart.lines]
    return seen._replace(cart=seen.cart._replace(lines=lines))
