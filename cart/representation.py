"""The cart and its lines as the JSON that clients get, from plain facts.

It is built by hand because the serializers of DRF need thirty times as long for the same dict; the serializers in
serializers.py document it, and a test holds both equal for generated carts. ORM objects and the rows of a prepared
query come here alike, in the order of `FACTS`.
"""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import orjson
from django.conf import settings

from cart.issues import BLOCKING, Issue, issues_of

if TYPE_CHECKING:
    from cart.models import Cart, CartItem

# Of a line and its book, as the ORM names them from the line.
FACTS = (
    "id",
    "quantity",
    "price_at_add",
    "added_at",
    "book_id",
    "book__title",
    "book__author",
    "book__price",
    "book__cover_image_url",
    "book__stock_quantity",
    "book__is_active",
)
NOTHING = Decimal("0.00")


def facts_of(line: "CartItem") -> tuple[Any, ...]:
    book = line.book
    return (
        line.pk,
        line.quantity,
        line.price_at_add,
        line.added_at,
        book.pk,
        book.title,
        book.author,
        book.price,
        book.cover_image_url,
        book.stock_quantity,
        book.is_active,
    )


def line_json(
    line_id: int,
    quantity: int,
    price_at_add: Decimal | None,
    added_at: datetime,
    book_id: int,
    title: str,
    author: str,
    price: Decimal,
    cover_image_url: str | None,
    stock: int,
    is_active: bool,
) -> dict[str, Any]:
    """A line, from `FACTS`. A `price_at_add` that is not known counts as today's."""
    today = str(price)
    issues: list[Issue] = []
    if not is_active or quantity > stock or (price_at_add is not None and price_at_add != price):
        issues = issues_of(
            quantity=quantity, stock=stock, is_active=is_active, price=price, price_at_add=price_at_add or price
        )
    return {
        "id": line_id,
        "book_id": book_id,
        "quantity": quantity,
        "book": {
            "id": book_id,
            "title": title,
            "author": author,
            "price": today,
            "cover_image_url": cover_image_url,
        },
        "line_total": str(price * quantity),
        "added_at": added_at,
        "price_at_add": today if price_at_add is None else str(price_at_add),
        "available_quantity": stock,
        "issues": issues,
    }


def cart_json(updated_at: datetime | None, lines: Iterable[tuple[Any, ...]]) -> dict[str, Any]:
    """A cart, from the `FACTS` of its lines in the order in which they were added."""
    items = []
    copies, total, ready = 0, NOTHING, True
    for facts in lines:
        line = line_json(*facts)
        items.append(line)
        copies += facts[1]
        total += facts[7] * facts[1]
        if line["issues"] and ready:
            ready = not any(issue["code"] in BLOCKING for issue in line["issues"])
    return {
        "items": items,
        "total_items": copies,
        "total_price": str(total),
        "currency": settings.SHOP_CURRENCY,
        "updated_at": updated_at,
        "checkout_ready": ready and bool(items),
    }


def json_of(cart: "Cart") -> dict[str, Any]:
    """The cart as clients get it. No query after `with_lines()`, else one."""
    return cart_json(cart.updated_at if cart.is_stored else None, map(facts_of, cart.lines))


def dump(data: Any) -> bytes:
    """JSON as the API sends it: UTF-8, times in UTC with a Z."""
    return orjson.dumps(data, option=orjson.OPT_UTC_Z)


def version_of(body: bytes) -> str:
    """Names what a client sees of a cart: 32 hexadecimal digits of a hash of its JSON."""
    return blake2b(body, digest_size=16).hexdigest()
