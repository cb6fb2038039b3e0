"""The calls of the wishlist, as the tests of the whole shop need to know them: tests/support/calls.py."""

from tests.support.calls import BODY, TOKEN, Answers, Row, Shop, only, signed_in
from tests.support.hostile import NOT_WHOLE, Operation, fields

ACCESS: dict[str, Row] = {
    "wishlist": only(GET=signed_in(200), HEAD=signed_in(200), POST=signed_in(201)),
}

CONTRACT: dict[tuple[str, str], Answers] = {
    ("GET", "/wishlist"): {200: None, **TOKEN},
    ("POST", "/wishlist"): {201: None, 404: {"BOOK_NOT_FOUND"}, 409: {"WISH_DUPLICATE"}, **BODY, **TOKEN},
}

OPERATIONS = [
    Operation("GET", "/wishlist"),
    Operation("POST", "/wishlist", {"book_id": 1}, bad=fields(book_id=[*NOT_WHOLE, None])),
]


def furnish(shop: Shop) -> None:
    shop.bodies["wishlist"] = {"book_id": shop.ids["book_id"]}
