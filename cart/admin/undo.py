"""Undo of a removed line or a cleared cart: the lines are kept in the staff's browser session for an hour."""

import time
from decimal import Decimal
from typing import Any

from django.http import HttpRequest

from bookstore.admin.refusals import Refused
from cart.admin.verbs import Done, TakenLine
from cart.models import Cart
from catalog.models import Book

KEY = "undo_cart"
KEPT = 3600  # seconds


def remember(request: HttpRequest, cart: Cart, lines: list[TakenLine]) -> None:
    """Keeps the lines that were just removed; any other change of a cart clears them."""
    if lines:
        request.session[KEY] = {"cart": cart.pk, "lines": lines, "at": time.time()}
    else:
        request.session.pop(KEY, None)


def offered(request: HttpRequest, cart: Cart) -> list[TakenLine]:
    """The lines that can be put back into this cart."""
    kept: dict[str, Any] = request.session.get(KEY) or {}
    if kept.get("cart") != cart.pk or time.time() - kept["at"] > KEPT:
        return []
    return [(book, quantity, price) for book, quantity, price in kept["lines"]]


def put_back(cart: Cart, lines: list[TakenLine]) -> Done:
    """Puts the lines back as they were, with the prices that the customer had agreed to. Raises Refused when none can.

    A book that was deleted, or that the customer has added again, stays out.
    """
    restored = cart.restore([(book, quantity, Decimal(price) if price else None) for book, quantity, price in lines])
    if not restored:
        raise Refused("None of these lines can be put back: they are in the cart again, or their books are gone.")
    titles = dict(Book.objects.filter(pk__in=[line.book_id for line in restored]).values_list("pk", "title"))
    number = f"{len(restored)} {'line' if len(restored) == 1 else 'lines'}"
    told = f"Put {number} back." if len(restored) == len(lines) else f"Put {number} of {len(lines)} back."
    return Done(told, {titles.get(line.book_id, f"#{line.book_id}"): (None, line.quantity) for line in restored})
