"""Orders on the admin's first page: number and value by day, best sellers, books that run out, unpaid orders.

Reads the orders of DAYS days by the index of their time, and the items of the NEWEST of them; cached for a minute.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import cast

from django.core.cache import cache
from django.db.models import Count, Sum
from django.db.models.functions import TruncDate
from django.http import HttpRequest
from django.urls import reverse
from django.utils.timezone import now

from bookstore.admin.site import Bar, Panel, money, shares
from catalog.models import Book
from orders.models import Order, OrderItem, Status

DAYS = 30
SOLD_IN = 7  # days in which copies are counted
NEWEST = 2_000  # of these orders the items are counted
SOON = timedelta(minutes=15)
MOST_EXPIRING = 1_000  # orders that are counted
TOP = 8
KEPT = 60  # seconds
CACHE_KEY = "orders.admin.overview.1"
AS_OF = "As of at most a minute ago."


@dataclass(frozen=True)
class Day:
    day: date
    orders: int
    copies: int
    revenue: Decimal


@dataclass(frozen=True)
class Sold:
    book_id: int
    title: str
    copies: int  # in SOLD_IN days
    stock: int

    @property
    def days_left(self) -> float:
        """Days that the stock lasts at this rate."""
        return self.stock * SOLD_IN / self.copies


@dataclass(frozen=True)
class Facts:
    days: list[Day]
    sold: list[Sold]  # best sellers first
    expiring: int
    looked_into: int


def facts() -> Facts:
    """Cached for KEPT seconds in each process."""
    return cast(Facts, cache.get_or_set(CACHE_KEY, gathered, KEPT))


def gathered() -> Facts:
    """Five queries. Leaves out cancelled orders."""
    midnight = now().replace(hour=0, minute=0, second=0, microsecond=0)
    standing = Order.objects.exclude(status=Status.CANCELLED).order_by()
    first = midnight - timedelta(days=DAYS - 1)
    by_day = standing.filter(created_at__gte=first).values(day=TruncDate("created_at"))
    known = {
        row["day"]: Day(row["day"], row["orders"], row["copies"], row["revenue"])
        for row in by_day.annotate(orders=Count("*"), copies=Sum("total_items"), revenue=Sum("total_price"))
    }
    days = [first.date() + timedelta(days=number) for number in range(DAYS)]
    recent = standing.filter(created_at__gte=midnight - timedelta(days=SOLD_IN - 1)).order_by("-created_at")
    ids = list(recent.values_list("pk", flat=True)[:NEWEST])
    items = OrderItem.objects.filter(order__in=ids, book__isnull=False).order_by()
    copies = {row["book"]: row["copies"] for row in items.values("book").annotate(copies=Sum("quantity"))}
    books = Book.objects.filter(pk__in=copies).values_list("pk", "title", "stock_quantity")
    sold = [Sold(pk, title, copies[pk], stock) for pk, title, stock in books]
    expiring = Order.objects.unpaid_since(now() + SOON).order_by()[:MOST_EXPIRING].count()
    return Facts(
        days=[known.get(day) or Day(day, 0, 0, Decimal(0)) for day in days],
        sold=sorted(sold, key=lambda book: (-book.copies, book.book_id)),
        expiring=expiring,
        looked_into=len(ids),
    )


def panels(request: HttpRequest) -> list[Panel]:
    """The panels for this member of staff, who needs `orders.view_order`."""
    if not request.user.has_perm("orders.view_order"):
        return []
    known = facts()
    low = low_panel(known, link=request.user.has_perm("catalog.view_book"))
    return [orders_panel(known), revenue_panel(known), sellers_panel(known), low]


def orders_panel(known: Facts) -> Panel:
    counts = [day.orders for day in known.days]
    soon = f"{known.expiring:,}{'+' if known.expiring == MOST_EXPIRING else ''}"
    return days_panel(
        "Orders each day",
        f"{counts[-1]:,} today, {sum(counts):,} in {DAYS} days",
        known.days,
        counts,
        lambda day: (orders_in_words(day.orders), f"{orders_list()}?day={day.day}"),
        note=f"Without cancelled ones, days in UTC. Unpaid, and cancelled within 15 minutes: {soon}. {AS_OF}",
    )


def revenue_panel(known: Facts) -> Panel:
    amounts = [day.revenue for day in known.days]
    copies = sum(day.copies for day in known.days)
    return days_panel(
        "Revenue each day",
        f"{money(amounts[-1])} today, {money(sum(amounts, Decimal(0)))} in {DAYS} days",
        known.days,
        amounts,
        lambda day: (f"{money(day.revenue)}, {copies_in_words(day.copies)}", ""),
        note=f"Of orders that were not cancelled, paid or not: {copies_in_words(copies)} in {DAYS} days. {AS_OF}",
    )


def days_panel(
    title: str,
    headline: str,
    days: Sequence[Day],
    amounts: Sequence[int | Decimal],
    shown: Callable[[Day], tuple[str, str]],
    *,
    note: str,
) -> Panel:
    """A column for each day, as high as its amount; `shown` is its text and its link."""
    bars = [Bar(f"{day.day:%d %b}", share, *shown(day)) for day, share in zip(days, shares(amounts), strict=True)]
    return Panel(
        title, headline, bars if any(amounts) else [], columns=True, note=note, empty=f"No order in {DAYS} days."
    )


def sellers_panel(known: Facts) -> Panel:
    best = known.sold[:TOP]
    bars = [
        Bar(book.title, share, copies_in_words(book.copies), f"{orders_list()}?book={book.book_id}")
        for book, share in zip(best, shares(book.copies for book in best), strict=True)
    ]
    headline = best[0].title if best else "Nothing was sold"
    return Panel("Best sellers", headline, bars, note=f"{looked_into(known)} {AS_OF}", empty="")


def low_panel(known: Facts, *, link: bool) -> Panel:
    """Books whose stock lasts less than SOLD_IN days at this rate; `link` for staff who may see books."""
    low = sorted((book for book in known.sold if book.days_left < SOLD_IN), key=lambda book: book.days_left)
    bars = [
        Bar(
            book.title,
            share,
            f"{book.stock:,} left, {copies_in_words(book.copies)} sold: {lasts(book)}",
            reverse("admin:catalog_book_change", args=[book.book_id]) if link else "",
            warn=True,
        )
        for book, share in zip(low[:TOP], shares(book.copies for book in low[:TOP]), strict=True)
    ]
    headline = f"{len(low):,} {'book' if len(low) == 1 else 'books'}" if low else "None"
    return Panel(
        f"Sold out within {SOLD_IN} days, as they sell now",
        headline,
        bars,
        note=f"{looked_into(known)} {AS_OF}",
        empty="Every book that sells has copies for longer.",
    )


def lasts(book: Sold) -> str:
    if not book.stock:
        return "sold out"
    days = int(book.days_left)
    return "less than a day" if not days else f"{days} {'day' if days == 1 else 'days'}"


def orders_list() -> str:
    return reverse("admin:orders_order_changelist")


def looked_into(known: Facts) -> str:
    """Says of which orders the books were counted."""
    which = f"the {NEWEST:,} newest orders" if known.looked_into == NEWEST else "all orders"
    return f"In {which} of {SOLD_IN} days."


def orders_in_words(orders: int) -> str:
    return f"{orders:,} {'order' if orders == 1 else 'orders'}"


def copies_in_words(copies: int) -> str:
    return f"{copies:,} {'copy' if copies == 1 else 'copies'}"
