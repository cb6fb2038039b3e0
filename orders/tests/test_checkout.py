"""POST /orders/checkout"""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.utils.timezone import now

import orders.checkout
from cart.models import Cart, CartItem
from catalog.models import Book
from orders.checkout import CheckoutRequest, checkout
from orders.exceptions import InsufficientStock, OrderNotFound
from orders.models import CheckoutKey, Order, OrderItem
from tests.support.racing import meet

pytestmark = pytest.mark.django_db

WRITE = (orders.checkout, "write")
CONTACT = {
    "name": "Jane Austen",
    "address": {"line1": "Steventon Rectory", "city": "Steventon", "postcode": "RG25 3BE", "country": "GB"},
}


def moment(value):
    return value.isoformat().replace("+00:00", "Z")


def stocks():
    return dict(Book.objects.values_list("title", "stock_quantity"))


def test_checkout_answers_the_order_and_empties_the_cart(client_for, alice, cart, emma, dracula):
    response = client_for(alice).post("/orders/checkout", {"note": "Ring twice.", "contact": CONTACT})

    order = Order.objects.get()
    first, second = order.items.order_by("id")
    assert response.status_code == 201
    assert response.json() == {
        "id": order.pk,
        "number": order.number,
        "status": "placed",
        "created_at": moment(order.created_at),
        "currency": "USD",
        "items": [
            {
                "id": first.pk,
                "book_id": emma.pk,
                "quantity": 2,
                "unit_price": "9.50",
                "line_total": "19.00",
                "book": {
                    "id": emma.pk,
                    "title": "Emma",
                    "author": "Jane Austen",
                    "isbn": "9780141439587",
                    "cover_image_url": "https://covers.example/emma.jpg",
                },
            },
            {
                "id": second.pk,
                "book_id": dracula.pk,
                "quantity": 1,
                "unit_price": "12.25",
                "line_total": "12.25",
                "book": {
                    "id": dracula.pk,
                    "title": "Dracula",
                    "author": "Bram Stoker",
                    "isbn": None,
                    "cover_image_url": None,
                },
            },
        ],
        "total_items": 3,
        "total_price": "31.25",
        "contact": CONTACT,
        "note": "Ring twice.",
        "expires_at": moment(order.expires_at),
    }
    assert order.expires_at - order.created_at == timedelta(minutes=60)
    assert stocks() == {"Emma": 3, "Dracula": 1}
    assert client_for(alice).get("/cart").json()["items"] == []


@pytest.mark.parametrize("body", [None, {}, {"force_payment_failure": True}])
def test_checkout_needs_no_body_and_passes_over_what_it_does_not_know(client_for, alice, cart, body):
    response = client_for(alice).post("/orders/checkout", body)

    assert response.status_code == 201
    assert (response.json()["note"], response.json()["contact"]) == ("", None)


def test_checkout_with_empty_chunks_is_400_and_orders_nothing(client_for, alice, cart):
    """A contact may have been on its way when they ended."""
    response = client_for(alice).post("/orders/checkout", headers={"Transfer-Encoding": "chunked"})

    assert response.status_code == 400
    assert response.json() == {
        "detail": "The body came in chunks, and they were empty: send {} to order without note and contact.",
        "code": "PARSE_ERROR",
    }
    assert not Order.objects.exists()


def test_checkout_reads_a_body_in_chunks(client_for, alice, cart):
    sent = {"Transfer-Encoding": "chunked"}

    response = client_for(alice).post("/orders/checkout", {"note": "Ring twice."}, headers=sent)

    assert (response.status_code, response.json()["note"]) == (201, "Ring twice.")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"note": "x" * 1001}, "note"),
        ({"note": 1}, "note"),
        ({"contact": {}}, "contact.name"),
        ({"contact": {"name": "\u200b"}}, "contact.name"),
        ({"contact": CONTACT | {"address": CONTACT["address"] | {"line1": "\u202e"}}}, "contact.address.line1"),
        ({"contact": CONTACT | {"address": CONTACT["address"] | {"city": "\u2800"}}}, "contact.address.city"),
        ({"contact": CONTACT | {"address": CONTACT["address"] | {"postcode": "\u200b"}}}, "contact.address.postcode"),
        ({"contact": CONTACT | {"address": CONTACT["address"] | {"line2": "\u200b"}}}, "contact.address.line2"),
        ({"contact": CONTACT | {"address": CONTACT["address"] | {"region": "\u2800"}}}, "contact.address.region"),
        ({"contact": CONTACT | {"phone": "\u202e"}}, "contact.phone"),
        ({"contact": {"name": "J", "address": {"line1": "1"}}}, "contact.address.city"),
        ({"contact": CONTACT | {"address": CONTACT["address"] | {"country": "gb"}}}, "contact.address.country"),
    ],
)
def test_checkout_with_a_bad_body_is_422_and_orders_nothing(client_for, alice, cart, body, field):
    response = client_for(alice).post("/orders/checkout", body)

    assert (response.status_code, response.json()["field"]) == (422, field)
    assert not Order.objects.exists()


def test_checkout_says_how_a_country_is_written(client_for, alice, cart):
    address = CONTACT["address"] | {"country": "England"}

    response = client_for(alice).post("/orders/checkout", {"contact": CONTACT | {"address": address}})

    assert response.status_code == 422
    assert response.json()["detail"] == "Write the country's two capital letters, as ISO 3166-1 has them: GB."


def test_checkout_of_too_few_copies_is_409_and_takes_nothing(client_for, alice, cart, emma, dracula):
    emma.set_stock(1)
    dracula.set_stock(0)

    response = client_for(alice).post("/orders/checkout")

    first, second = CartItem.objects.order_by("id")
    assert response.status_code == 409
    assert response.json() == {
        "detail": "There are too few copies of some books: lower the quantities, or remove the lines.",
        "code": "ORDER_INSUFFICIENT_STOCK",
        "issues": [
            {"item_id": first.pk, "book_id": emma.pk, "code": "INSUFFICIENT_STOCK", "available": 1},
            {"item_id": second.pk, "book_id": dracula.pk, "code": "BOOK_OUT_OF_STOCK"},
        ],
    }
    assert stocks() == {"Emma": 1, "Dracula": 0}
    assert not Order.objects.exists()


def test_checkout_of_a_withdrawn_book_is_409_with_every_issue(client_for, alice, cart, emma, dracula):
    emma.change(is_active=False)
    dracula.set_stock(0)

    response = client_for(alice).post("/orders/checkout")

    assert (response.status_code, response.json()["code"]) == (409, "ORDER_ITEMS_UNAVAILABLE")
    assert [issue["code"] for issue in response.json()["issues"]] == ["BOOK_UNAVAILABLE", "BOOK_OUT_OF_STOCK"]
    assert CartItem.objects.count() == 2


def test_checkout_at_a_price_that_rose_needs_the_cart_that_shows_it(client_for, alice, cart, emma):
    emma.change(price=Decimal("99.00"))
    client = client_for(alice)

    refused = client.post("/orders/checkout")
    etag = client.get("/cart").headers["ETag"]
    ordered = client.post("/orders/checkout", headers={"if-match": etag})

    assert (refused.status_code, refused.json()["code"]) == (409, "ORDER_PRICE_CHANGED")
    assert [(issue["from"], issue["to"]) for issue in refused.json()["issues"]] == [("9.50", "99.00")]
    assert (ordered.status_code, ordered.json()["total_price"]) == (201, "210.25")


def test_checkout_at_a_price_that_fell_takes_the_lower_one(client_for, alice, cart, emma):
    emma.change(price=Decimal("5.00"))

    response = client_for(alice).post("/orders/checkout")

    assert (response.status_code, response.json()["total_price"]) == (201, "22.25")


def test_checkout_of_another_cart_than_was_seen_is_412(client_for, alice, cart, emma):
    client = client_for(alice)
    etag = client.get("/cart").headers["ETag"]
    emma.change(price=Decimal("5.00"))

    response = client.post("/orders/checkout", headers={"if-match": etag})

    assert (response.status_code, response.json()["code"]) == (412, "CART_CHANGED")
    assert stocks() == {"Emma": 5, "Dracula": 2}


def test_checkout_of_an_empty_cart_is_422_and_names_the_last_order(client_for, alice, cart):
    client = client_for(alice)
    order_id = client.post("/orders/checkout").json()["id"]  # whose answer was lost, say

    again = client.post("/orders/checkout")
    Order.objects.update(created_at=now() - timedelta(hours=2))
    later = client.post("/orders/checkout")

    assert (again.status_code, again.json()["code"], again.json()["order_id"]) == (422, "ORDER_CART_EMPTY", order_id)
    assert (later.status_code, later.json()["order_id"]) == (422, None)


def test_second_click_is_told_its_order_also_with_if_match(client_for, alice, cart):
    client = client_for(alice)
    seen = {"if-match": client.get("/cart").headers["ETag"]}
    order_id = client.post("/orders/checkout", headers=seen).json()["id"]

    again = client.post("/orders/checkout", headers=seen)

    assert (again.status_code, again.json()["code"], again.json()["order_id"]) == (422, "ORDER_CART_EMPTY", order_id)


def test_checkout_of_somebody_without_a_cart_is_422(client_for, alice):
    response = client_for(alice).post("/orders/checkout")

    assert (response.status_code, response.json()["order_id"]) == (422, None)


def test_checkout_without_a_token_is_401(api):
    assert api.post("/orders/checkout").status_code == 401


# --- Idempotency-Key ---


def test_checkout_with_the_same_key_answers_the_same_order(client_for, alice, cart, emma):
    client = client_for(alice)
    sent = {"headers": {"idempotency-key": "abc"}}

    first = client.post("/orders/checkout", {"note": "x"}, **sent)
    cart.add(emma, 1)
    again = client.post("/orders/checkout", {"note": "x"}, **sent)

    assert (first.status_code, again.status_code) == (201, 201)
    assert first.content == again.content
    assert Order.objects.count() == 1


def test_the_same_key_answers_the_same_whatever_became_of_the_order(client_for, alice, cart, emma):
    client = client_for(alice)
    sent = {"headers": {"idempotency-key": "abc"}}

    first = client.post("/orders/checkout", {"note": "x", "contact": CONTACT}, **sent)
    Order.objects.get().cancel(by="customer")
    emma.delete()
    again = client.post("/orders/checkout", {"note": "x", "contact": CONTACT}, **sent)

    assert (first.status_code, again.status_code) == (201, 201)
    assert first.content == again.content
    assert client.get(f"/orders/{first.json()['id']}").json()["status"] == "cancelled"


def test_a_key_of_a_release_that_kept_no_answer_answers_the_order(client_for, alice, cart):
    client = client_for(alice)
    sent = {"headers": {"idempotency-key": "abc"}}
    first = client.post("/orders/checkout", **sent)
    CheckoutKey.objects.update(answer=None)

    again = client.post("/orders/checkout", **sent)

    assert (again.status_code, again.content) == (201, first.content)


def test_checkout_with_a_used_key_and_another_body_is_422(client_for, alice, cart, emma):
    client = client_for(alice)
    sent = {"headers": {"idempotency-key": "abc"}}
    client.post("/orders/checkout", {"note": "x"}, **sent)
    cart.add(emma, 1)

    response = client.post("/orders/checkout", {"note": "y"}, **sent)

    assert (response.status_code, response.json()["code"]) == (422, "ORDER_KEY_REUSED")
    assert Order.objects.count() == 1


def test_a_key_is_each_customers_own_and_good_for_a_day(client_for, alice, bob, cart, emma):
    sent = {"headers": {"idempotency-key": "abc"}}
    first = client_for(alice).post("/orders/checkout", **sent).json()["id"]
    Cart.objects.for_user(bob).add(emma)
    bobs = client_for(bob).post("/orders/checkout", **sent).json()["id"]
    CheckoutKey.objects.update(created_at=now() - timedelta(hours=25))
    cart.add(emma)

    next_day = client_for(alice).post("/orders/checkout", **sent).json()["id"]

    assert len({first, bobs, next_day}) == 3


def test_a_refused_checkout_leaves_its_key_free(client_for, alice, cart, emma):
    client = client_for(alice)
    sent = {"headers": {"idempotency-key": "abc"}}
    emma.set_stock(0)

    refused = client.post("/orders/checkout", **sent)
    emma.set_stock(5)
    ordered = client.post("/orders/checkout", **sent)

    assert (refused.status_code, ordered.status_code) == (409, 201)


@pytest.mark.parametrize("key", ["", "x" * 256, "ä"])
def test_checkout_with_a_bad_key_is_422(client_for, alice, cart, key):
    response = client_for(alice).post("/orders/checkout", headers={"idempotency-key": key})

    assert (response.status_code, response.json()["field"]) == (422, "Idempotency-Key")


def test_a_stock_that_fell_without_the_lock_is_refused_and_nothing_is_stored(alice, cart, emma, monkeypatch):
    """By a writer that did not take the book's lock: shown by a check that saw enough copies."""
    emma.set_stock(1)
    monkeypatch.setattr(orders.checkout, "refuse", lambda cart, asked: None)

    with pytest.raises(InsufficientStock):
        checkout(alice, CheckoutRequest())

    assert not Order.objects.exists()
    assert stocks() == {"Emma": 1, "Dracula": 2}


# --- two at once, under the locks; tests/test_statements.py has those of the statements ---


@pytest.fixture
def under_locks(settings):
    settings.FAST_PATH = False


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("key", ["", "abc"])
def test_a_double_click_makes_one_order(under_locks, client_for, alice, cart, key):
    headers = {"idempotency-key": key} if key else {}
    client, again = client_for(alice), client_for(alice)

    first, second = meet(
        lambda: client.post("/orders/checkout", headers=headers),
        lambda: again.post("/orders/checkout", headers=headers),
        at=WRITE,
    )

    assert first.status_code == 201
    if key:
        assert (second.status_code, second.content) == (201, first.content)
    else:
        assert (second.status_code, second.json()["order_id"]) == (422, first.json()["id"])
    assert Order.objects.count() == 1
    assert stocks() == {"Emma": 3, "Dracula": 1}


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_the_last_copy_is_sold_once(under_locks, client_for, alice, bob, emma):
    emma.set_stock(1)
    for user in (alice, bob):
        Cart.objects.for_user(user).add(emma)
    alices, bobs = client_for(alice), client_for(bob)

    first, second = meet(
        lambda: alices.post("/orders/checkout"),
        lambda: bobs.post("/orders/checkout"),
        at=WRITE,
    )

    assert (first.status_code, second.status_code) == (201, 409)
    assert second.json()["code"] == "ORDER_INSUFFICIENT_STOCK"
    assert stocks() == {"Emma": 0}


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("change", "after"),
    [
        (lambda emma: emma.change(price=Decimal("99.00")), {"Emma": 3, "Dracula": 1}),
        (lambda emma: emma.change(is_active=False), {"Emma": 3, "Dracula": 1}),
        (lambda emma: emma.delete(), {"Dracula": 1}),
    ],
    ids=["price", "withdrawal", "deletion"],
)
def test_a_book_that_changes_during_a_checkout_waits_for_it(under_locks, client_for, alice, cart, emma, change, after):
    client = client_for(alice)

    response, _ = meet(
        lambda: client.post("/orders/checkout"),
        lambda: change(Book.objects.get(pk=emma.pk)),
        at=WRITE,
    )

    assert (response.status_code, response.json()["total_price"]) == (201, "31.25")
    assert stocks() == after
    assert list(OrderItem.objects.order_by("id").values_list("title", flat=True)) == ["Emma", "Dracula"]


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_user_deleted_during_checkout_leaves_an_anonymous_order(under_locks, client_for, alice, cart):
    client = client_for(alice)

    response, _ = meet(
        lambda: client.post("/orders/checkout", {"note": "Ring twice.", "contact": CONTACT}),
        lambda: type(alice).objects.get(pk=alice.pk).delete(),
        at=WRITE,
    )

    assert response.status_code == 201
    assert list(Order.objects.values_list("user", "contact", "note")) == [(None, None, "")]


def test_deleting_a_book_leaves_the_copy_in_the_order(alice, cart, emma):
    order = checkout(alice, CheckoutRequest())
    emma.delete()

    item = order.items.order_by("id").first()

    assert (item.book_id, item.title, item.isbn, item.line_total) == (None, "Emma", "9780141439587", Decimal("19.00"))


def test_an_order_of_somebody_else_is_not_found(alice, bob, cart):
    order = checkout(alice, CheckoutRequest())

    with pytest.raises(OrderNotFound):
        Order.objects.find(bob, order.pk)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_the_database_holds_a_stock_above_zero_whoever_writes(emma):
    from django.db import IntegrityError

    with connection.cursor() as cursor, pytest.raises(IntegrityError, match="ck_books_stock_quantity"):
        cursor.execute("UPDATE books SET stock_quantity = stock_quantity - 6")


def test_checkout_is_refused_to_the_unverified_by_setting(client_for, alice, cart, settings):
    settings.REQUIRE_VERIFIED_EMAIL = True

    response = client_for(alice).post("/orders/checkout", {})
    alice.verified_email = alice.email
    alice.save(update_fields=["verified_email"])

    assert (response.status_code, response.json()["code"]) == (403, "AUTH_EMAIL_UNVERIFIED")
    assert client_for(alice).post("/orders/checkout", {}).status_code == 201
