"""Charts on the admin's first page: when carts change, their value, their books, and which of these are sold out.

Reads a bounded number of lines, for any number of carts; the result is cached for a minute.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, cast

from django.conf import settings
from django.core.cache import cache
from django.db.models import Count, F, Q, Sum
from django.db.models.functions import TruncDate
from django.http import HttpRequest
from django.urls import reverse
from django.utils.timezone import now

from bookstore.admin.site import Bar, Panel, money, shares
from cart.admin.querysets import ABANDONED, WEEK, newest
from cart.models import Cart, CartItem
from catalog.models import Book

DAYS = 30
SAMPLE = 500  # carts of each age whose value is summed; the value of more is estimated from these
NEWEST = 2_000  # carts whose books are counted
TOP = 8
KEPT = 60  # seconds
AS_OF = "As of at most a minute ago."
CACHE_KEY = "cart.admin.overview.1"


@dataclass(frozen=True)
class Age:
    label: str
    carts: int
    value: Decimal
    estimated: bool


@dataclass(frozen=True)
class Wanted:
    book_id: int
    title: str
    carts: int
    copies: int


@dataclass(frozen=True)
class Facts:
    days: list[tuple[date, int]]
    ages: list[Age]
    most: list[Wanted]
    sold_out: list[Wanted]
    sold_out_books: int
    looked_into: int


def facts() -> Facts:
    """Cached for KEPT seconds in each process."""
    return cast(Facts, cache.get_or_set(CACHE_KEY, gathered, KEPT))


def gathered() -> Facts:
    """Thirteen queries: two that count carts, eight that value samples, three for the books of the NEWEST carts."""
    midnight = now().replace(hour=0, minute=0, second=0, microsecond=0)
    first = midnight - ABANDONED
    by_day = Cart.objects.filter(updated_at__gte=first).order_by().values(day=TruncDate("updated_at"))
    counts = {row["day"]: row["carts"] for row in by_day.annotate(carts=Count("*"))}
    days = [(day, counts.get(day, 0)) for day in (first.date() + timedelta(days=n) for n in range(ABANDONED.days + 1))]
    ids = newest(Cart.objects.all(), NEWEST)
    lines = CartItem.objects.filter(cart__in=ids).order_by()
    # Sorted here, before the titles are read: the database would sort ten thousand titles.
    books: list[Any] = list(
        lines.values("book_id", sold_out=Q(book__stock_quantity=0) | Q(book__is_active=False)).annotate(
            carts=Count("*"), copies=Sum("quantity")
        )
    )
    sold_out = [book for book in books if book["sold_out"]]
    most, missed = top(books, by="carts"), top(sold_out, by="copies")
    titles = dict(Book.objects.filter(pk__in=[book["book_id"] for book in most + missed]).values_list("pk", "title"))
    return Facts(
        days=days,
        ages=ages(midnight, [carts for _, carts in days]),
        most=wanted(most, titles),
        sold_out=wanted(missed, titles),
        sold_out_books=len(sold_out),
        looked_into=len(ids),
    )


def ages(midnight: datetime, days: list[int]) -> list[Age]:
    """Carts and their value at today's prices, by the time of the last change; each cart counts once."""
    week, month = midnight - WEEK, midnight - ABANDONED
    older = Cart.objects.filter(updated_at__lt=month).count()
    spans = (
        ("Today", Q(updated_at__gte=midnight), days[-1]),
        ("7 days before today", Q(updated_at__gte=week, updated_at__lt=midnight), sum(days[-8:-1])),
        ("30 days, before that", Q(updated_at__gte=month, updated_at__lt=week), sum(days[:-8])),
        ("Idle longer", Q(updated_at__lt=month), older),
    )
    found = []
    price = Sum(F("quantity") * F("book__price"))
    for label, span, carts in spans:
        sample = newest(Cart.objects.filter(span), SAMPLE)
        value = CartItem.objects.filter(cart__in=sample).aggregate(value=price)["value"] or Decimal(0)
        estimated = carts > len(sample)
        if estimated:
            value = (value * carts / len(sample)).quantize(Decimal(1))
        found.append(Age(label, carts, value, estimated))
    return found


def top(books: list[Any], *, by: str) -> list[Any]:
    """The TOP entries; ties by id."""
    return sorted(books, key=lambda book: (-book[by], book["book_id"]))[:TOP]


def wanted(books: list[Any], titles: dict[int, str]) -> list[Wanted]:
    """Leaves out a book that was deleted between two queries."""
    return [
        Wanted(book["book_id"], titles[book["book_id"]], book["carts"], book["copies"])
        for book in books
        if book["book_id"] in titles
    ]


def panels(request: HttpRequest) -> list[Panel]:
    """The panels for this member of staff: carts need `cart.view_cart`, their books `catalog.view_book`."""
    may_see_carts = request.user.has_perm("cart.view_cart")
    may_see_books = request.user.has_perm("catalog.view_book")
    if not (may_see_carts or may_see_books):
        return []
    known = facts()
    drawn = [days_panel(known), value_panel(known)] if may_see_carts else []
    if may_see_books:
        drawn += [most_panel(known, link=may_see_carts), sold_out_panel(known)]
    return drawn


def days_panel(known: Facts) -> Panel:
    days = known.days[-DAYS:]
    counts = [carts for _, carts in days]
    bars = [
        Bar(f"{day:%d %b}", share, carts_in_words(carts))
        for (day, carts), share in zip(days, shares(counts), strict=True)
    ]
    return Panel(
        "Carts active each day",
        f"{counts[-1]:,} today, {sum(counts):,} in {DAYS} days",
        bars if any(counts) else [],
        columns=True,
        note=f"Each cart counts on the day of its last change (UTC). Busiest: {max(counts):,}. {AS_OF}",
        empty=f"No cart has changed in {DAYS} days.",
    )


def value_panel(known: Facts) -> Panel:
    total = sum((age.value for age in known.ages), Decimal(0))
    estimated = any(age.estimated for age in known.ages)
    filters = ("today", "", "", "abandoned")
    bars = [
        Bar(
            f"{age.label}: {carts_in_words(age.carts)}",
            share,
            amount(age.value, estimated=age.estimated),
            f"{reverse('admin:cart_cart_changelist')}?activity={activity}" if activity else "",
        )
        for age, share, activity in zip(known.ages, shares(age.value for age in known.ages), filters, strict=True)
    ]
    how = f"≈ is estimated from the {SAMPLE:,} carts of that age that changed last. " if estimated else ""
    return Panel(
        "Value lying in carts",
        amount(total, estimated=estimated),
        bars if any(age.carts for age in known.ages) else [],
        note=f"At today's prices, by last change. {how}{AS_OF}",
        empty="There is no cart.",
    )


def most_panel(known: Facts, *, link: bool) -> Panel:
    carts = reverse("admin:cart_cart_changelist")
    bars = [
        Bar(book.title, share, carts_in_words(book.carts), f"{carts}?book={book.book_id}" if link else "")
        for book, share in zip(known.most, shares(book.carts for book in known.most), strict=True)
    ]
    headline = known.most[0].title if known.most else "No book is in a cart"
    return Panel("Books most often in carts", headline, bars, note=f"{looked_into(known)} {AS_OF}", empty="")


def sold_out_panel(known: Facts) -> Panel:
    bars = [
        Bar(
            book.title,
            share,
            f"{book.copies:,} wanted in {carts_in_words(book.carts)}",
            reverse("admin:catalog_book_change", args=[book.book_id]),
            warn=True,
        )
        for book, share in zip(known.sold_out, shares(book.copies for book in known.sold_out), strict=True)
    ]
    books = known.sold_out_books
    headline = f"{books:,} {'book' if books == 1 else 'books'} that cannot be bought" if books else "None"
    return Panel(
        "In carts, but sold out or withdrawn",
        headline,
        bars,
        note=f"{looked_into(known)} {AS_OF}",
        empty="Every book in these carts can be bought.",
    )


def looked_into(known: Facts) -> str:
    """Says of how many carts the books were counted."""
    return f"In the {NEWEST:,} carts that changed last." if known.looked_into == NEWEST else "In all carts."


def carts_in_words(carts: int) -> str:
    return f"{carts:,} {'cart' if carts == 1 else 'carts'}"


def amount(value: Decimal, *, estimated: bool) -> str:
    return f"≈ {value:,.0f} {settings.SHOP_CURRENCY}" if estimated else money(value)
