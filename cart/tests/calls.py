"""The calls of the cart, as the tests of the whole shop need to know them: tests/support/calls.py."""

from cart.models import CartItem
from cart.tests.factories import CartFactory, CartItemFactory
from catalog.models import Book
from tests.support.calls import BODY, QUERY, TOKEN, Answers, Row, Shop, only, signed_in
from tests.support.hostile import NOT_WHOLE, OUT_OF_RANGE, Operation, fields

ACCESS: dict[str, Row] = {
    "cart": only(GET=signed_in(200), HEAD=signed_in(200)),
    "cart/merge": only(POST=signed_in(200)),
    "cart/preview": only(POST=(200, 200, 200, 200, 200)),
    "cart/items": only(POST=(401, 409, 201, 201, 201), DELETE=signed_in(204)),
    "cart/items/<id:item_id>": only(
        GET=(401, 200, 403, 403, 403),
        HEAD=(401, 200, 403, 403, 403),
        PUT=(401, 200, 403, 403, 403),
        PATCH=(401, 200, 403, 403, 403),
        DELETE=(401, 204, 403, 403, 403),
    ),
}

NO_ITEM: Answers = {404: {"CART_ITEM_NOT_FOUND", "NOT_FOUND"}, 403: {"CART_ITEM_FORBIDDEN"}}
CHANGED: Answers = {412: {"CART_CHANGED"}}
CONTRACT: dict[tuple[str, str], Answers] = {
    ("GET", "/cart"): {200: None, 304: None, **TOKEN},
    ("POST", "/cart/merge"): {200: None, **CHANGED, **BODY, **TOKEN},
    ("POST", "/cart/items"): {
        201: None,
        404: {"BOOK_NOT_FOUND"},
        409: {"CART_BOOK_OUT_OF_STOCK", "CART_ITEM_DUPLICATE", "CART_LIMIT_EXCEEDED"},
        **CHANGED,
        **BODY,
        **TOKEN,
    },
    ("POST", "/cart/preview"): {200: None, **BODY},
    ("DELETE", "/cart/items"): {200: None, 204: None, **CHANGED, **QUERY, **TOKEN},
    ("GET", "/cart/items/{item_id}"): {200: None, 304: None, **NO_ITEM, **TOKEN},
    ("PUT", "/cart/items/{item_id}"): {200: None, **NO_ITEM, **CHANGED, **BODY, **TOKEN},
    ("PATCH", "/cart/items/{item_id}"): {200: None, **NO_ITEM, **CHANGED, **BODY, **TOKEN},
    ("DELETE", "/cart/items/{item_id}"): {200: None, 204: None, **NO_ITEM, **CHANGED, **QUERY, **TOKEN},
}

QUANTITY = {"quantity": [*NOT_WHOLE, *OUT_OF_RANGE, None]}
OPERATIONS = [
    Operation("GET", "/cart"),
    Operation(
        "POST",
        "/cart/merge",
        {"items": [{"book_id": 1}]},
        # A bad entry refuses no other: it is skipped, and the answer says why.
        bad=fields(items=[None, True, 1, "x", {}, [], [{"book_id": n + 1} for n in range(101)], [1] * 101]),
    ),
    Operation(
        "POST",
        "/cart/preview",
        {"items": [{"book_id": 1}]},
        protected=False,
        bad=fields(items=[None, True, 1, "x", {}, [], [{"book_id": n + 1} for n in range(101)]]),
    ),
    Operation("GET", "/cart/items/{item_id}", unknown="CART_ITEM_NOT_FOUND"),
    Operation("POST", "/cart/items", {"book_id": 1}, bad=fields(book_id=[*NOT_WHOLE, None], **QUANTITY)),
    Operation("DELETE", "/cart/items"),
    Operation("PUT", "/cart/items/{item_id}", {"quantity": 2}, bad=fields(**QUANTITY), unknown="CART_ITEM_NOT_FOUND"),
    Operation("PATCH", "/cart/items/{item_id}", {"quantity": 2}, bad=fields(**QUANTITY), unknown="CART_ITEM_NOT_FOUND"),
    Operation("DELETE", "/cart/items/{item_id}", unknown="CART_ITEM_NOT_FOUND"),
]


def furnish(shop: Shop) -> None:
    book = Book.objects.get(pk=shop.ids["book_id"])
    line: CartItem = CartItemFactory(cart=CartFactory(user=shop.alice), book=book, quantity=1, price_at_add=book.price)
    shop.ids["item_id"] = line.pk
    shop.bodies |= {
        "cart/merge": {"items": [{"book_id": book.pk}]},
        "cart/preview": {"items": [{"book_id": book.pk}]},
        "cart/items": {"book_id": book.pk},
        "cart/items/<id:item_id>": {"quantity": 2},
    }
