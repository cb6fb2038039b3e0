"""The calls of orders, as the tests of the whole shop need to know them: tests/support/calls.py."""

from catalog.models import Book
from orders.tests.factories import OrderFactory, OrderItemFactory
from tests.support.calls import BODY, QUERY, STAFF, TOKEN, Answers, Row, Shop, only, signed_in, staff
from tests.support.hostile import NOT_TEXT, Operation, fields

OWN = (401, 200, 404, 404, 404)

ACCESS: dict[str, Row] = {
    "orders": only(GET=signed_in(200), HEAD=signed_in(200)),
    "orders/checkout": only(POST=(401, 201, 422, 422, 422)),
    "orders/<id:order_id>": only(GET=OWN, HEAD=OWN),
    "orders/<id:order_id>/cancel": only(POST=OWN),
    "orders/<id:order_id>/reorder": only(POST=OWN),
    "orders/<id:order_id>/paid": only(POST=staff(200)),
}

NO_ORDER: Answers = {404: {"ORDER_NOT_FOUND", "NOT_FOUND"}}
CONTRACT: dict[tuple[str, str], Answers] = {
    ("POST", "/orders/checkout"): {
        201: None,
        403: {"AUTH_EMAIL_UNVERIFIED"},
        409: {"ORDER_ITEMS_UNAVAILABLE", "ORDER_INSUFFICIENT_STOCK", "ORDER_PRICE_CHANGED"},
        412: {"CART_CHANGED"},
        **BODY,
        422: {"ORDER_CART_EMPTY", "ORDER_KEY_REUSED", "VALIDATION_ERROR"},
        **TOKEN,
    },
    ("GET", "/orders"): {200: None, 304: None, **QUERY, **TOKEN},
    ("GET", "/orders/{order_id}"): {200: None, 304: None, **NO_ORDER, **TOKEN},
    ("POST", "/orders/{order_id}/cancel"): {200: None, **NO_ORDER, 409: {"ORDER_NOT_CANCELLABLE"}, **TOKEN},
    ("POST", "/orders/{order_id}/reorder"): {200: None, **NO_ORDER, 412: {"CART_CHANGED"}, **TOKEN},
    ("POST", "/orders/{order_id}/paid"): {200: None, **NO_ORDER, 409: {"ORDER_NOT_PAYABLE"}, **BODY, **STAFF},
}

OPERATIONS = [
    Operation("GET", "/orders", bad_queries=("page=0", "page=x", "page=1.5", "size=0", "size=101", "size=x")),
    Operation("GET", "/orders/{order_id}", unknown="ORDER_NOT_FOUND"),
    Operation("POST", "/orders/{order_id}/cancel", unknown="ORDER_NOT_FOUND"),
    Operation("POST", "/orders/{order_id}/reorder", unknown="ORDER_NOT_FOUND"),
    Operation(
        "POST",
        "/orders/checkout",
        {"note": "Please ring twice."},
        takes_nothing=201,
        bad=fields(note=[*NOT_TEXT, "a" * 100_000], contact=[True, 1, "x", [], {}, {"name": ""}, {"name": 1}]),
    ),
    Operation(
        "POST",
        "/orders/{order_id}/paid",
        {"reference": "pi_1"},
        unknown="ORDER_NOT_FOUND",
        bad=fields(reference=[*NOT_TEXT, "", "a" * 201, None]),
    ),
]


def furnish(shop: Shop) -> None:
    book = Book.objects.get(pk=shop.ids["book_id"])
    order = OrderFactory(user=shop.alice)
    OrderItemFactory(order=order, book=book)
    shop.ids["order_id"] = order.pk
    shop.bodies |= {"orders/<id:order_id>/paid": {"reference": "pi_1"}}
