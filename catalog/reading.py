"""The read path of GET /books and GET /books/{id}: columns, no model objects.

On PostgreSQL the ids of a page and its total are cached under the stamp of the catalogue (catalog/catalogue_state.py).
On a hit one statement reads the books by their ids, with the stamp: the books are current, and an unchanged stamp means
that they are still the books of that page. With another stamp, or on a miss, the page is searched and counted.
docs/decisions/0029-remembered-pages.md.
"""

from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from typing import Any, NamedTuple

from django.core.exceptions import EmptyResultSet
from django.db import connections

from bookstore import fastpath
from bookstore.api import pagination
from bookstore.api.pagination import FURTHEST, Total, estimate_of, exactly, page_of
from bookstore.fastpath import libpq
from bookstore.fastpath.compiled import Compiled, CompiledQuery, Hole, Prepared, Unfilled
from catalog.book_filters import MAX_ID
from catalog.exceptions import BookNotFound
from catalog.models import Book, Genre
from catalog.querysets import BookQuerySet
from catalog.representation import BookFacts
from catalog.search.candidates import Where
from catalog.search.pages import Found, find, find_author
from catalog.stamped_cache import StampedCache

COLUMNS = BookFacts._fields
OF_BOOKS = ", ".join(f"books.{name}" for name in COLUMNS)

# Filters whose SQL is the same for every value; and filters and orders with other SQL for each value. A query with only
# these is compiled once; one with any other parameter is compiled each time.
VALUES = frozenset({"genre_id", "min_price", "max_price"})
CHOICES = frozenset({"in_stock", "sort", "sort_dir"})
COMPILED = 64  # combinations of parameters

# Entries of one worker. A page takes some hundred bytes to 4 KB.
pages: "StampedCache[Page]" = StampedCache(1024)
totals: "StampedCache[Total]" = StampedCache(1024)


class Page(NamedTuple):
    """`total` is None with `count=none`."""

    ids: Sequence[int]
    total: Total | None
    corrected: bool = False


class Read(NamedTuple):
    """A page and its books, in order."""

    books: list[BookFacts]
    total: Total | None
    corrected: bool = False


GENRES = Prepared(lambda value: Genre.objects.by_name().values_list("id", "name"))
BOOK = Prepared(lambda value: Book.objects.filter(pk=value("book_id")).values_list(*COLUMNS))

# LEFT JOIN gives at least one row, so that the stamp is read also without a book.
BY_IDS = f"""SELECT state.stamp::text, {OF_BOOKS}
FROM (SELECT) AS one LEFT JOIN catalogue_state AS state ON true LEFT JOIN books ON books.id = ANY(%s::bigint[])"""  # noqa: S608  # our own names

# The ids by an index alone, then only the books of the page. {ids} is an ORM query, which would run twice inline.
PAGE = f"""WITH page AS MATERIALIZED (SELECT ARRAY({{ids}} LIMIT %s::bigint OFFSET %s::bigint) AS ids)
SELECT state.stamp::text, array_position(page.ids, books.id), {OF_BOOKS}
FROM page LEFT JOIN catalogue_state AS state ON true LEFT JOIN books ON books.id = ANY(page.ids)"""  # noqa: S608  # our own names

# Counts all rows of a small table, else one row more than the bound. LIMIT NULL means no limit.
COUNT = """SELECT (SELECT stamp::text FROM catalogue_state), size.is_small, (
    SELECT count(*) FROM ({ids} LIMIT CASE WHEN size.is_small THEN NULL ELSE %s::bigint END) AS counted
)
FROM (SELECT reltuples < %s::bigint AS is_small FROM pg_class WHERE oid = 'books'::regclass) AS size"""


def is_possible() -> bool:
    """Whether FAST_PATH is on and the database is PostgreSQL. Otherwise the ORM and the serializers are used."""
    return fastpath.is_on() and connections[Book.objects.db].vendor == "postgresql"


def book(book_id: int) -> BookFacts:
    """A book by id, also a withdrawn one. Raises BookNotFound. 1 query."""
    rows = BOOK.rows(using=Book.objects.db, book_id=book_id) if book_id <= MAX_ID else []
    if not rows:
        raise BookNotFound
    return BookFacts(*rows[0])


def genres() -> list[dict[str, Any]]:
    """All genres, by name. 1 query."""
    return [{"id": genre_id, "name": name} for genre_id, name in GENRES.rows(using=Genre.objects.db)]


def page(wanted: Mapping[str, Any], *, number: int, size: int, count: bool = True) -> Read:
    """One page of the books on sale for `wanted`, the parameters of GET /books.

    PostgreSQL only. 1 query on a cache hit; on a miss 2, or 3 in a large catalogue, and with words in `q` those of the
    search; 1 more when the cached page is stale.
    """
    start = min((number - 1) * size, FURTHEST)
    alias = Book.objects.db
    connection = connections[alias]
    key = (tuple(sorted(wanted.items())), start, size, count)
    # Not in a transaction: its own changes do not renew the stamp before the commit.
    known = None if connection.in_atomic_block else pages.get(key)
    if known:
        stamp, books = by_ids(alias, known.value.ids)
        if stamp == known.stamp:
            return Read([books[each] for each in known.value.ids if each in books], *known.value[1:])
    found = found_by_words(wanted, start, size)
    read, stamp = (
        read_found(alias, found, start, size, count=count)
        if found
        else look_for(alias, wanted, start, size, count=count)
    )
    if stamp and not connection.in_atomic_block:
        pages.put(key, stamp, Page([book.id for book in read.books], read.total, read.corrected))
    return read


def page_by_models(wanted: Mapping[str, Any], *, number: int, size: int, count: bool = True) -> dict[str, Any]:
    """The same page from model objects, on every database, for BookPageSerializer."""
    start = min((number - 1) * size, FURTHEST)
    found = found_by_words(wanted, start, size)
    if found is None:
        return {**page_of(filtered(wanted), page=number, size=size, count=count), "corrected": False}
    books = Book.objects.in_bulk(found.ids)
    items = [books[each] for each in found.ids if each in books]
    total = found.total.after(len(items), start=start, size=size) if count else None
    return {
        "items": items,
        "total": total.rows if total else None,
        "total_is_estimate": bool(total and total.is_estimate),
        "page": number,
        "size": size,
        "corrected": found.corrected,
    }


def books_of(ids: Sequence[int]) -> list[BookFacts]:
    """The books with these ids in this order, also withdrawn ones, without unknown ids. 1 query."""
    wanted = [each for each in ids if 0 < each <= MAX_ID]
    books = {row[0]: BookFacts(*row) for row in Book.objects.filter(pk__in=wanted).values_list(*COLUMNS)}
    return [books[each] for each in wanted if each in books]


def by_ids(alias: str, ids: Sequence[int]) -> tuple[str | None, dict[int, BookFacts]]:
    """These books by id, and the stamp of the catalogue in the same snapshot. 1 query."""
    rows = libpq.rows(connections[alias], BY_IDS, [list(ids)])
    return rows[0][0], {row[1]: BookFacts(*row[1:]) for row in rows if row[1] is not None}


def look_for(alias: str, wanted: Mapping[str, Any], start: int, size: int, *, count: bool) -> tuple[Read, str | None]:
    """Reads the page and its stamp; None for the stamp when the catalogue changed between the queries."""
    try:
        ids, unordered = compiled(alias, wanted)
    except EmptyResultSet:  # no book can match this parameter
        return Read([], exactly(0) if count else None), None
    rows = ids.rows({**wanted, "start": start, "size": size}, using=alias)
    stamp = rows[0][0]
    books = [BookFacts(*row[2:]) for row in sorted((row for row in rows if row[1] is not None), key=lambda row: row[1])]
    if not count:
        return Read(books, None), stamp
    filters = tuple(sorted((name, value) for name, value in wanted.items() if name not in {"sort", "sort_dir"}))
    known = totals.get(filters)
    if known and stamp and known.stamp == stamp and not connections[alias].in_atomic_block:
        total = known.value
    else:
        total, counted_at = count_of(alias, unordered, wanted)
        if counted_at and not connections[alias].in_atomic_block:
            totals.put(filters, counted_at, total)
        stamp = stamp if stamp == counted_at else None
    return Read(books, total.after(len(books), start=start, size=size)), stamp


def read_found(alias: str, found: Found, start: int, size: int, *, count: bool) -> tuple[Read, str | None]:
    """As `look_for`, for the ids that a search found. 1 query."""
    stamp, by_id = by_ids(alias, found.ids)
    books = [by_id[each] for each in found.ids if each in by_id]
    total = found.total.after(len(books), start=start, size=size) if count else None
    return Read(books, total, found.corrected), stamp if stamp == found.stamp else None


def found_by_words(wanted: Mapping[str, Any], start: int, size: int) -> Found | None:
    """The result of the search for `q`, or for a frequent author; None when there is nothing to search for."""
    order = {name: wanted[name] for name in ("sort", "sort_dir") if name in wanted}
    filters = {name: value for name, value in wanted.items() if name not in {"q", *order}}
    if "q" in wanted:
        return find(where_of(filters), wanted["q"], start=start, size=size, **order)
    name = filters.pop("author", "")
    return find_author(where_of(filters), name, start=start, size=size, **order) if name else None


def where_of(filters: Mapping[str, Any]) -> Where | None:
    """The filters as SQL. Compiled once where there are none, as in most searches: that takes the ORM 100 µs."""
    return Where.of(filtered(filters)) if filters else where_on_sale(Book.objects.db)


@cache
def where_on_sale(alias: str) -> Where | None:
    return Where.of(filtered({}).using(alias))


def count_of(alias: str, unordered: Compiled, wanted: Mapping[str, Any]) -> tuple[Total, str | None]:
    """The number of books, and the stamp in the same snapshot. 1 query, 2 for an estimate."""
    bounds = {"exact": pagination.EXACT_TOTAL, "small": pagination.SMALL_TABLE}
    [(stamp, is_small, counted)] = unordered.rows(
        {**wanted, "most": bounds["exact"] + 1, "small": bounds["small"]}, using=alias
    )
    if is_small or counted <= bounds["exact"]:
        return exactly(counted), stamp
    return estimate_of(filtered(wanted).using(alias), seen=counted), stamp


def filtered(wanted: Mapping[str, Any]) -> BookQuerySet:
    """The books on sale that fit these parameters; `q` is not one of them."""
    books: BookQuerySet = Book.objects.on_sale().asked_for(**wanted)
    return books


def compiled(alias: str, wanted: Mapping[str, Any]) -> tuple[Compiled, Compiled]:
    """The statements that read the ids of a page and count. Raises EmptyResultSet."""
    usual = wanted.keys() <= VALUES | CHOICES and all(abs(wanted[each]) <= MAX_ID for each in VALUES & wanted.keys())
    if not usual:
        return statements(alias, filtered(wanted))
    shape = tuple((name, None if name in VALUES else value) for name, value in sorted(wanted.items()))
    return compiled_once(alias, shape)


@lru_cache(maxsize=COMPILED)
def compiled_once(alias: str, shape: tuple[tuple[str, Any], ...]) -> tuple[Compiled, Compiled]:
    return statements(alias, filtered({name: Hole(name) if value is None else value for name, value in shape}))


def statements(alias: str, books: BookQuerySet) -> tuple[Compiled, Compiled]:
    ordered, unordered = (CompiledQuery(each.values_list("pk"), alias) for each in (books, books.order_by()))
    return (
        Compiled(PAGE.format(ids=ordered.sql), (*ordered.parameters, Unfilled("size"), Unfilled("start"))),
        Compiled(COUNT.format(ids=unordered.sql), (*unordered.parameters, Unfilled("most"), Unfilled("small"))),
    )
