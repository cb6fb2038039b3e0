"""Builds the JSON of the cart and its lines from their facts.

By hand, because DRF's serializers take thirty times as long for the same dict. Those of serializers.py document it, and
a test compares the two for generated carts.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import orjson
from django.conf import settings
from django.db.models import BigIntegerField

from bookstore.api.etags import version_of as version_of  # beside `dump`, for whoever names a cart
from cart.facts import CartFacts, LineFacts


def line_json(line: LineFacts) -> dict[str, Any]:
    return {
        "id": line.id,
        "book_id": line.book_id,
        "quantity": line.quantity,
        "book": {
            "id": line.book_id,
            "title": line.book_title,
            "author": line.book_author,
            "price": str(line.book_price),
            "cover_image_url": line.book_cover_image_url,
        },
        "line_total": str(line.line_total),
        "added_at": line.added_at,
        "price_at_add": str(line.known_price),
        "available_quantity": line.book_stock_quantity,
        "issues": line.issues,
    }


def cart_json(cart: CartFacts) -> dict[str, Any]:
    return {
        "items": [line_json(line) for line in cart.lines],
        "total_items": cart.total_items,
        "total_price": str(cart.total_price),
        "currency": settings.SHOP_CURRENCY,
        "updated_at": cart.updated_at,
        "checkout_ready": cart.checkout_ready,
    }


def results_json(results: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The results of a merge or a preview. A sent id is returned as sent, even beyond 64 bits."""
    return [{**result, "book_id": _id_json(result["book_id"])} for result in results]


def _id_json(book_id: int | None) -> Any:
    """orjson writes no integer beyond 64 bits."""
    fits = book_id is None or abs(book_id) <= BigIntegerField.MAX_BIGINT
    return book_id if fits else orjson.Fragment(str(book_id))


def dump(data: Any) -> bytes:
    """JSON as the API sends it: UTF-8, times in UTC with a Z."""
    return orjson.dumps(data, option=orjson.OPT_UTC_Z)
