"""Takes the copies of an order from stock, and returns those of a cancelled one. Callers lock the books first."""

from collections.abc import Mapping
from typing import Any

from django.db.models import Case, F, IntegerField, Value, When

from catalog.models import MAX_STOCK, Book


def _copies_of(copies: Mapping[int, int]) -> Any:
    whens = [When(pk=book_id, then=Value(quantity)) for book_id, quantity in copies.items()]
    return Case(*whens, default=Value(0), output_field=IntegerField())


def take(copies: Mapping[int, int]) -> bool:
    """Takes these copies (book id → quantity), all or none: False when a book has too few. One query.

    The guarded UPDATE is safe beside every other writer, and ck_books_stock_quantity backs it.
    """
    wanted = _copies_of(copies)
    books = Book.objects.filter(pk__in=copies, is_active=True, stock_quantity__gte=wanted)
    taken: int = books.update(stock_quantity=F("stock_quantity") - wanted)
    return taken == len(copies)


def give_back(copies: Mapping[int, int]) -> None:
    """Returns these copies to the books that still exist. One query; none without a book.

    Caps a stock at MAX_STOCK.
    """
    if not copies:
        return
    wanted = _copies_of(copies)
    room = Case(
        When(stock_quantity__gt=Value(MAX_STOCK) - wanted, then=Value(MAX_STOCK)),
        default=F("stock_quantity") + wanted,
        output_field=IntegerField(),
    )
    Book.objects.filter(pk__in=copies).update(stock_quantity=room)
