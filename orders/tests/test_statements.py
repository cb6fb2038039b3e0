"""The two statements of a checkout on PostgreSQL: what they cost, that they store what the ORM's steps do, and that
they buy nothing that changed between them.
"""

import json
from decimal import Decimal

import orjson
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django_tasks_db.models import DBTaskResult
from rest_framework.renderers import JSONRenderer

from bookstore.accounts.models import User
from cart.models import Cart, CartItem
from catalog.models import Book
from catalog.tests.factories import BookFactory
from orders import statements
from orders.checkout import CheckoutRequest, checkout
from orders.models import CheckoutKey, Order, OrderItem
from orders.representation import order_json
from orders.serializers import OrderSerializer
from tests.support.racing import answer_beside, meet

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
    """READ, also of the caller's session, and WRITE, also of the tasks."""
    client, sent = client_for(alice), []
    for lines in (1, 5):
        for _ in range(lines):
            Cart.objects.for_user(alice).add(BookFactory(stock_quantity=9))
        with CaptureQueriesContext(connection) as captured:
            response = client.post("/orders/checkout", headers={"Idempotency-Key": f"key {lines}"})
        assert response.status_code == 201
        sent.append([statement["sql"].split()[0] for statement in captured])

    assert sent == [["WITH", "WITH"]] * 2


def test_the_statements_store_what_the_orm_stores(client_for, alice, cart, emma, dracula, settings):
    stored = []
    for fast in (True, False):
        settings.FAST_PATH = fast
        body = {"note": "Ring twice.", "contact": CONTACT}
        response = client_for(alice).post("/orders/checkout", body, headers={"Idempotency-Key": "abc"})
        stored.append(everything())
        assert bytes(CheckoutKey.objects.get().answer) == response.content
        Order.objects.all().delete()
        DBTaskResult.objects.all().delete()
        for book, copies in ((emma, 2), (dracula, 1)):
            book.add_stock(copies)
            cart.add(book, copies)

    assert stored[0] == stored[1]


def test_a_checkout_renews_the_time_of_change_of_its_books(client_for, alice, cart):
    """What `import_books --written-at` compares."""
    before = dict(Book.objects.values_list("title", "updated_at"))

    client_for(alice).post("/orders/checkout")

    after = dict(Book.objects.values_list("title", "updated_at"))
    assert [title for title in before if after[title] > before[title]] == list(before)


@pytest.mark.parametrize("contact", [None, {"name": "J"}, CONTACT])
def test_the_answer_is_what_the_order_reads_as(client_for, alice, cart, contact):
    """Of a JSON object PostgreSQL keeps the keys in an order of its own."""
    response = client_for(alice).post("/orders/checkout", {"contact": contact})

    stored = Order.objects.with_items().get()

    assert response.content == orjson.dumps(order_json(stored), option=orjson.OPT_UTC_Z)
    assert response.json() == json.loads(JSONRenderer().render(OrderSerializer(stored).data))


# --- what another request changes between READ and WRITE ---

BETWEEN = (statements, "write")
NOTHING_TAKEN = {"Emma": 5, "Dracula": 2}
TAKEN = {"Emma": 3, "Dracula": 1}


def change_of_emma(**changes):
    return lambda: Book.objects.get(title="Emma").change(**changes)


def change_of_the_cart(change):
    return lambda: change(Cart.objects.get(), Book.objects.get(title="Emma"))


@pytest.mark.parametrize(
    ("change", "outcome", "stock"),
    [
        (change_of_emma(price=Decimal("99.00")), (409, "ORDER_PRICE_CHANGED"), NOTHING_TAKEN),
        (change_of_emma(price=Decimal("5.00")), (201, "22.25"), TAKEN),
        (change_of_emma(title="Emma, again"), (201, "31.25"), {"Emma, again": 3, "Dracula": 1}),
        (change_of_emma(author="J. Austen"), (201, "31.25"), TAKEN),
        (change_of_emma(isbn=None), (201, "31.25"), TAKEN),
        (change_of_emma(cover_image_url=None), (201, "31.25"), TAKEN),
        (change_of_emma(is_active=False), (409, "ORDER_ITEMS_UNAVAILABLE"), NOTHING_TAKEN),
        (
            lambda: Book.objects.get(title="Emma").set_stock(1),
            (409, "ORDER_INSUFFICIENT_STOCK"),
            {"Emma": 1, "Dracula": 2},
        ),
        (lambda: Book.objects.get(title="Emma").add_stock(-3), (201, "31.25"), {"Emma": 0, "Dracula": 1}),
        (lambda: Book.objects.get(title="Emma").delete(), (201, "12.25"), {"Dracula": 1}),
        (change_of_the_cart(lambda cart, emma: cart.clear()), (422, "ORDER_CART_EMPTY"), NOTHING_TAKEN),
        (
            change_of_the_cart(lambda cart, emma: cart.items.get(book=emma).change_quantity(1)),
            (201, "21.75"),
            {"Emma": 4, "Dracula": 1},
        ),
        (lambda: User.objects.get().delete(), (401, "AUTH_USER_INACTIVE"), NOTHING_TAKEN),
    ],
    ids=[
        *("dearer", "cheaper", "title", "author", "isbn", "cover", "withdrawn", "too few", "fewer", "deleted"),
        *("cleared", "line", "no user"),
    ],
)
def test_what_changes_after_the_read_is_what_is_bought(client_for, alice, cart, change, outcome, stock):
    client = client_for(alice)

    response, _ = meet(lambda: client.post("/orders/checkout"), change, at=BETWEEN)

    body = response.json()
    assert (response.status_code, body.get("total_price") or body["code"]) == outcome
    assert dict(Book.objects.values_list("title", "stock_quantity")) == stock
    assert Order.objects.count() == int(response.status_code == 201)
    queued = DBTaskResult.objects.values_list("args_kwargs", flat=True)
    assert {task["args"][0] for task in queued} == set(Order.objects.values_list("pk", flat=True))
    items = OrderItem.objects.select_related("book")
    assert [copied_from(item, item.unit_price) for item in items] == [
        copied_from(item.book, item.book.price) for item in items
    ]


def copied_from(book, price):
    return book.title, book.author, price, book.isbn, book.cover_image_url


@pytest.mark.parametrize("key", ["", "abc"])
def test_a_second_click_between_the_statements_buys_once(client_for, alice, cart, key):
    headers = {"Idempotency-Key": key} if key else {}
    client, again = client_for(alice), client_for(alice)

    late, early = meet(
        lambda: client.post("/orders/checkout", headers=headers),
        lambda: again.post("/orders/checkout", headers=headers),
        at=BETWEEN,
    )

    assert early.status_code == 201
    if key:
        assert (late.status_code, late.content) == (201, early.content)
    else:
        assert (late.status_code, late.json()["order_id"]) == (422, early.json()["id"])
    assert Order.objects.count() == 1
    assert dict(Book.objects.values_list("title", "stock_quantity")) == TAKEN


def test_the_last_copy_that_is_bought_between_the_statements_is_refused(client_for, alice, bob, emma):
    emma.set_stock(1)
    for user in (alice, bob):
        Cart.objects.for_user(user).add(emma)
    alices, bobs = client_for(alice), client_for(bob)

    late, early = meet(lambda: alices.post("/orders/checkout"), lambda: bobs.post("/orders/checkout"), at=BETWEEN)

    assert (early.status_code, late.status_code) == (201, 409)
    assert late.json()["code"] == "ORDER_INSUFFICIENT_STOCK"
    emma.refresh_from_db()
    assert emma.stock_quantity == 0


def test_a_write_that_waited_for_a_book_compares_it_again(client_for, alice, cart, emma):
    """Its snapshot is older than the lock: PostgreSQL reads the row anew."""
    client = client_for(alice)

    response = answer_beside(lambda: emma.change(price=Decimal("99.00")), lambda: client.post("/orders/checkout"))

    assert (response.status_code, response.json()["code"]) == (409, "ORDER_PRICE_CHANGED")
    assert dict(Book.objects.values_list("title", "stock_quantity")) == NOTHING_TAKEN


def test_a_write_that_waited_for_the_cart_buys_nothing_of_before(client_for, alice, cart):
    client = client_for(alice)

    response = answer_beside(cart.clear, lambda: client.post("/orders/checkout"))

    assert (response.status_code, response.json()["code"]) == (422, "ORDER_CART_EMPTY")
    assert dict(Book.objects.values_list("title", "stock_quantity")) == NOTHING_TAKEN


def test_a_write_that_waited_for_another_order_takes_what_is_left(client_for, alice, bob, cart, emma):
    Cart.objects.for_user(bob).add(emma, 3)
    client = client_for(alice)

    response = answer_beside(lambda: checkout(bob, CheckoutRequest()), lambda: client.post("/orders/checkout"))

    assert response.status_code == 201
    assert dict(Book.objects.values_list("title", "stock_quantity")) == {"Emma": 0, "Dracula": 1}


@pytest.mark.parametrize(("held", "later"), [(User, Cart), (Cart, Book)])
def test_a_write_that_waits_holds_no_lock_of_a_later_row(client_for, alice, cart, held, later):
    client = client_for(alice)

    response = answer_beside(
        lambda: list(held.objects.select_for_update()),
        lambda: client.post("/orders/checkout"),
        then=lambda: list(later.objects.select_for_update(nowait=True)),
    )

    assert response.status_code == 201
    assert dict(Book.objects.values_list("title", "stock_quantity")) == TAKEN


def test_a_key_that_is_used_already_changes_nothing(client_for, alice, cart, emma):
    client, sent = client_for(alice), {"headers": {"Idempotency-Key": "abc"}}
    first = client.post("/orders/checkout", **sent)
    cart.add(emma, 1)

    again = client.post("/orders/checkout", **sent)

    assert again.content == first.content
    assert cart.items.count() == 1
    assert dict(Book.objects.values_list("title", "stock_quantity")) == TAKEN


def test_a_key_that_is_used_already_is_answered_though_the_cart_is_refused(client_for, alice, cart, emma):
    client, sent = client_for(alice), {"headers": {"Idempotency-Key": "abc"}}
    first = client.post("/orders/checkout", **sent)
    cart.add(emma, 1)
    emma.set_stock(0)

    again = client.post("/orders/checkout", **sent)

    assert (again.status_code, again.content) == (201, first.content)
