"""Filters and searches of carts for staff. Each reads a bounded number of rows, and says when it stopped at the bound.

A shop has millions of carts, and a filter such as "holds a sold-out book" has no index. It searches only the NEWEST
of the carts that match the other filters; a filter by book uses the index of books first. Ids are fetched and sent back
as a list, because PostgreSQL scans the whole table for a subquery with a LIMIT.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from django.db.models import F, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.utils.timezone import now

from bookstore.accounts.finding import by_part_of_email
from cart.issues import IssueCode
from cart.models import Cart, CartItem
from catalog.models import Book
from catalog.search.query import wanted_words

NEWEST = 2_000  # last changed carts that a filter without an index searches
MAX_LINES = 2_000  # lines read by the index of a book
MAX_BOOKS = 200  # books found by words

# Problems as staff read them, the most severe first.
GRAVITY = (
    IssueCode.BOOK_UNAVAILABLE,
    IssueCode.BOOK_OUT_OF_STOCK,
    IssueCode.INSUFFICIENT_STOCK,
    IssueCode.PRICE_CHANGED,
)
# The rules of cart.issues in SQL; a test compares the two.
PROBLEMS: dict[str, Q] = {
    IssueCode.BOOK_UNAVAILABLE: Q(book__is_active=False),
    IssueCode.BOOK_OUT_OF_STOCK: Q(book__is_active=True, book__stock_quantity=0),
    IssueCode.INSUFFICIENT_STOCK: Q(book__is_active=True, book__stock_quantity__gt=0)
    & Q(quantity__gt=F("book__stock_quantity")),
    IssueCode.PRICE_CHANGED: Q(price_at_add__isnull=False) & ~Q(price_at_add=F("book__price")),
}

# How long ago a cart changed: the filter's choices, and the overview's bars.
WEEK = timedelta(days=7)
ABANDONED = timedelta(days=30)


def activity(name: str, *, at: datetime | None = None) -> Q:
    """Whole days (UTC): `today`; `week` and `month` also have the 7 or 30 days before; `abandoned` is older."""
    midnight = (at or now()).replace(hour=0, minute=0, second=0, microsecond=0)
    match name:
        case "today":
            return Q(updated_at__gte=midnight)
        case "week":
            return Q(updated_at__gte=midnight - WEEK)
        case "month":
            return Q(updated_at__gte=midnight - ABANDONED)
        case "abandoned":
            return Q(updated_at__lt=midnight - ABANDONED)
    raise ValueError(f"no such activity: {name!r}")


def newest(carts: QuerySet[Cart], size: int = NEWEST) -> list[int]:
    """The ids of the most recently changed of these carts. One query, by the index of `updated_at`."""
    return list(carts.order_by("-updated_at", "-pk").values_list("pk", flat=True)[:size])


def with_problem(carts: QuerySet[Cart], codes: Iterable[str]) -> tuple[QuerySet[Cart], bool]:
    """The carts with one of these issues among the NEWEST of these; and whether the bound was reached.

    Two queries: the ids of the NEWEST, and the ids of the carts of matching lines.
    """
    condition = Q()
    for code in codes:
        condition |= PROBLEMS[code]
    searched = newest(carts)
    lines = CartItem.objects.filter(condition, cart__in=searched)
    found = set(lines.values_list("cart_id", flat=True))
    return carts.filter(pk__in=found), len(searched) == NEWEST


def by_emptiness(carts: QuerySet[Cart], *, empty: bool) -> tuple[QuerySet[Cart], bool]:
    """The carts without lines, or with some, among the NEWEST; and whether the bound was reached. Two queries."""
    searched = newest(carts)
    filled = set(CartItem.objects.filter(cart__in=searched).values_list("cart_id", flat=True).distinct())
    found = [pk for pk in searched if (pk in filled) != empty]
    return carts.filter(pk__in=found), len(searched) == NEWEST


def holding(carts: QuerySet[Cart], books: Collection[int]) -> tuple[set[int], bool]:
    """The ids of the carts with one of these books; and whether only the NEWEST of `carts` were searched.

    If at most MAX_LINES lines hold such a book, the ids of all these carts, also outside `carts`: one query by the
    index of books. Else those among the NEWEST of `carts`, with two more queries.
    """
    if not books:
        return set(), False
    lines = CartItem.objects.filter(book__in=books)
    found = list(lines.values_list("cart_id", flat=True)[: MAX_LINES + 1])
    if len(found) <= MAX_LINES:
        return set(found), False
    searched = newest(carts)
    # Not one query by carts and books: once it is prepared, PostgreSQL uses the index of the book and compares each
    # line with the whole list of carts (2 s).
    wanted = set(books)
    among = CartItem.objects.filter(cart__in=searched).values_list("cart_id", "book_id")
    return {cart for cart, book in among if book in wanted}, len(searched) == NEWEST


def matching(carts: QuerySet[Cart], text: str) -> tuple[QuerySet[Cart], bool]:
    """Carts whose customer's email contains this text, or that hold a book with this ISBN or with these words.

    A word with an @ is the email, and other words beside it the book: carts of that customer with that book. Also
    returns whether only a part was searched. Seven queries at most.
    """
    words = text.split()
    emails = [word for word in words if "@" in word]
    if emails and len(words) > len(emails):
        users, cut_users = by_part_of_email(emails[0])
        theirs = carts.filter(user__in=users)
        in_carts, cut = with_book(theirs, " ".join(word for word in words if "@" not in word))
        return theirs.filter(pk__in=in_carts), cut or cut_users
    users, cut_users = by_part_of_email(text)
    in_carts, cut = (set(), False) if emails else with_book(carts, text)
    return carts.filter(Q(user__in=users) | Q(pk__in=in_carts)), cut or cut_users


def with_book(carts: QuerySet[Cart], text: str) -> tuple[set[int], bool]:
    """Ids of carts with the book of this ISBN, or a book with these words; and whether only a part was searched."""
    isbn = Book.objects.of_isbn(text)
    books: list[int] = []
    if isbn is not None:
        books = list(isbn.values_list("pk", flat=True))
    elif wanted_words(text):
        books = list(Book.objects.search(text, most=MAX_BOOKS).order_by().values_list("pk", flat=True))
    in_carts, only_newest = holding(carts, books)
    return in_carts, only_newest or len(books) == MAX_BOOKS


class CountUpTo(Subquery):
    """Counts the rows of a subquery, up to the end of its slice."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) AS counted)"


def carts_holding_each(limit: int) -> CountUpTo:
    """For books: how many carts hold each, up to `limit`."""
    lines = CartItem.objects.filter(book=OuterRef("pk")).order_by()
    return CountUpTo(lines.values("book")[:limit], output_field=IntegerField())
