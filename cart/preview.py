"""The preview of a guest's cart, which only the storefront stores."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Any, NamedTuple

from django.conf import settings

from cart.exceptions import CartLimitExceeded
from cart.facts import CartFacts, LineFacts
from cart.merging import Entry, readable, skipped
from catalog.exceptions import BookNotFound
from catalog.models import Book


class PreviewStatus(StrEnum):
    LISTED = "listed"
    SKIPPED = "skipped"


class Preview(NamedTuple):
    cart: CartFacts
    results: list[Any]  # one for each entry, as in a merge


def preview(entries: Iterable[Entry]) -> Preview:
    """The cart that GET /cart would show if these entries were lines, also of sold-out books. One query.

    A book that a merge would refuse becomes a line with issues. Skips an invalid entry, a second one of a book, an
    unknown book, and entries beyond CART_MAX_LINES.
    """
    wanted = list(entries)
    books = Book.objects.by_id(entry.book_id for entry in wanted if entry.book_id is not None)
    lines: list[LineFacts] = []
    results: list[Any] = []
    for entry, fault in readable(wanted):
        book = None if entry.book_id is None else books.get(entry.book_id)
        if fault is not None or book is None:
            results.append(skipped(entry.book_id, fault or BookNotFound))
        elif len(lines) >= settings.CART_MAX_LINES:
            results.append(skipped(entry.book_id, CartLimitExceeded))
        else:
            lines.append(LineFacts.of_guest(book, entry.quantity, entry.price_seen))
            results.append({"book_id": entry.book_id, "status": PreviewStatus.LISTED})
    return Preview(CartFacts(None, lines), results)
