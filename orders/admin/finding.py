"""Search and filters of orders for staff. Each reads a bounded number of rows by an index, and says when it stopped."""

from collections.abc import Collection
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.timezone import now

from bookstore.accounts.finding import by_part_of_email
from bookstore.accounts.models import User
from bookstore.admin.lists import LinkedFilter, is_id, note
from catalog.isbn import clean_isbn
from catalog.models import Book
from catalog.search.query import wanted_words
from orders.models import Order, OrderItem
from orders.numbers import as_typed

MOST_ORDERS = 500  # of one book, the newest
MOST_BOOKS = 20  # the best matches of a search for words
ONLY_NEWEST = f"Only the {MOST_ORDERS:,} newest orders with each book were looked for."
ONLY_THEIR_NEWEST = f"Only the {MOST_ORDERS:,} newest orders of these customers were looked through."
ONLY_BEST = f"Only the {MOST_BOOKS} books that fit these words best were looked for."


def holding(books: Collection[int]) -> tuple[set[int], bool]:
    """The ids of the newest orders with each of these books; and whether one has more. One query for each book."""
    found: set[int] = set()
    cut = False
    for book in books:
        items = OrderItem.objects.filter(book=book).order_by("-order_id")
        ids = list(items.values_list("order_id", flat=True)[: MOST_ORDERS + 1])
        cut = cut or len(ids) > MOST_ORDERS
        found.update(ids[:MOST_ORDERS])
    return found, cut


def matching(request: HttpRequest, orders: QuerySet[Order], text: str) -> QuerySet[Order]:
    """Orders of this number, of a customer whose email has this in it, with the book of this ISBN, also when that was
    deleted, or with a book of these words.

    A word with an @ is the email, and other words beside it the book: orders of that customer with that book. At most
    MOST_BOOKS queries and those of two searches.
    """
    number = as_typed(text)
    if number is not None and (known := orders.filter(number=number)).exists():
        return known
    words = text.split()
    emails = [word for word in words if "@" in word]
    customers = customers_of(request, emails[0] if emails else text)
    if not emails:
        return orders.filter(Q(user__in=customers) | Q(pk__in=with_book(request, text)))
    theirs = orders.filter(user__in=customers)
    book = " ".join(word for word in words if "@" not in word)
    return theirs.filter(pk__in=with_book(request, book, theirs)) if book else theirs


def customers_of(request: HttpRequest, part: str) -> list[int]:
    users, cut = by_part_of_email(part)
    if cut:
        note(request, "Only some of the customers with such an email were looked for: write more of it.")
    return users


def with_book(request: HttpRequest, text: str, theirs: QuerySet[Order] | None = None) -> set[int]:
    """Ids of the newest orders with the book of this ISBN, or with a book of these words: among the newest of `theirs`,
    if these are given.
    """
    items = OrderItem.objects.order_by("-order_id")
    if theirs is not None:
        newest = list(theirs.order_by("-id").values_list("pk", flat=True)[: MOST_ORDERS + 1])
        if len(newest) > MOST_ORDERS:
            note(request, ONLY_THEIR_NEWEST)
        items = items.filter(order__in=newest[:MOST_ORDERS])
    try:
        ids = list(items.filter(isbn=clean_isbn(text)).values_list("order_id", flat=True)[: MOST_ORDERS + 1])
        if len(ids) > MOST_ORDERS:
            note(request, ONLY_NEWEST)
        return set(ids[:MOST_ORDERS])
    except ValidationError:
        pass  # not an ISBN: words
    if not wanted_words(text):
        return set()
    books = list(Book.objects.search(text, most=MOST_BOOKS + 1).values_list("pk", flat=True))
    if len(books) > MOST_BOOKS:
        note(request, ONLY_BEST)
    if theirs is not None:
        return set(items.filter(book__in=books[:MOST_BOOKS]).values_list("order_id", flat=True))
    return newest_with(request, books[:MOST_BOOKS])


def newest_with(request: HttpRequest, books: Collection[int]) -> set[int]:
    found, cut = holding(books)
    if cut:
        note(request, ONLY_NEWEST)
    return found


def day_of(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


class DayFilter(admin.SimpleListFilter):
    """Days in UTC. The overview's bars link to one day: `?day=2026-11-27`."""

    title = "day"
    parameter_name = "day"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        choices = [("today", "Today"), ("yesterday", "Yesterday"), ("week", "7 days"), ("month", "30 days")]
        chosen = day_of(request.GET.get(self.parameter_name, ""))
        return [*choices, (chosen.isoformat(), f"{chosen:%d %b %Y}")] if chosen else choices

    def queryset(self, request: HttpRequest, queryset: QuerySet[Order]) -> QuerySet[Order]:
        value = self.value() or ""
        today = now().date()
        spans = {
            "today": (today, 1),
            "yesterday": (today - timedelta(days=1), 1),
            "week": (today - timedelta(days=6), 7),
            "month": (today - timedelta(days=29), 30),
        }
        chosen = day_of(value)
        if value not in spans and chosen is None:
            return queryset
        first, days = spans.get(value) or (chosen, 1)
        begin = datetime.combine(first or today, datetime.min.time(), UTC)
        try:
            end = begin + timedelta(days=days)
        except OverflowError:  # date.max
            return queryset.none()
        return queryset.filter(created_at__gte=begin, created_at__lt=end)


class BookFilter(LinkedFilter):
    """Orders with one book: the page of a book and the overview link to it."""

    title = "book"
    parameter_name = "book"
    model, shown = Book, "title"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Order]) -> QuerySet[Order]:
        value = self.value() or ""
        return queryset.filter(pk__in=newest_with(request, [int(value)] if is_id(value) else []))


class CustomerFilter(LinkedFilter):
    """Orders of one customer: the page of a user links to it."""

    title = "customer"
    parameter_name = "customer"
    model, shown = User, "email"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Order]) -> QuerySet[Order]:
        value = self.value() or ""
        return queryset.filter(Q(user=int(value))) if is_id(value) else queryset.none()
