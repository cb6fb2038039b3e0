"""One page of a search: by ISBN, then by exact words, then by the tolerant tier.

docs/decisions/0028-search.md has the reasons and the cost.
"""

from typing import TYPE_CHECKING, Any, NamedTuple

from bookstore.api.pagination import Total, exactly
from catalog.search.candidates import Bounds, Where, bounds_of, hits, page_of_ids
from catalog.search.frequency import frequencies
from catalog.search.query import IsbnWanted, Query
from catalog.search.ranking import kind_of_match, rank
from catalog.search.tolerant import find_tolerantly

if TYPE_CHECKING:
    from catalog.querysets import BookQuerySet

FEW = 5  # books; with fewer, and no match by whole words, the tolerant tier adds more
OF_ISBN = 20  # books of the first digits of an ISBN
SORTS = {"title": "title_folded", "price": "price", "date": "publish_date", "created_at": "created_at"}
PREFIX_ONLY = {3, 5, 7}  # kinds of match (ranking.py) in which some word is only a prefix


class Found(NamedTuple):
    """The ids of one page, in order. `corrected`: only the tolerant tier found them."""

    ids: list[int]
    total: Total
    corrected: bool


NOTHING = Found([], exactly(0), corrected=False)


def find(books: "BookQuerySet", text: str, *, start: int, size: int, sort: Any = None, sort_dir: Any = None) -> Found:
    """The page of the matches among these books that begins at `start`, by relevance unless `sort` is given.

    A text without a word finds nothing. 1 query; 3 with the digits of an ISBN; about 10 with the tolerant tier.
    """
    query, where = Query.of(text), Where.of(books)
    if not query or where is None:
        return NOTHING
    order = order_by(sort, sort_dir)
    first = by_isbn(where, query.isbn) if query.isbn else []
    found, best = exact_page(where, query, order=order, start=start, size=size)
    few = found.total.rows < FEW and not found.total.is_estimate
    if not first and not (few and best in {None, *PREFIX_ONLY}):
        return found
    ids = found.ids
    if start or found.total.rows > size:
        ids = exact_page(where, query, order=order, start=0, size=most_ranked(where))[0].ids
    corrected = False
    if query.isbn and query.isbn.comes_first:
        ids = first + [book_id for book_id in ids if book_id not in first]
    else:
        ids += [book_id for book_id in first if book_id not in ids]
    if few and not first:
        corrected = not ids
        there = set(ids)
        ids += [each for each in find_tolerantly(where, query, leave_out=corrected) if each not in there]
    if order and len(ids) > 1:
        ids = [row[0] for row in where.rows(*in_order(ids, order))]
    return Found(ids[start : start + size], exactly(len(ids)), corrected=corrected and bool(ids))


def exact_page(where: Where, query: Query, *, order: str | None, start: int, size: int) -> tuple[Found, int | None]:
    """The books that meet every condition, and the kind of match of the best one; None when there is none."""
    if where.vendor == "postgresql":
        page = page_of_ids(where, query, order=order, start=start, size=size)
        total = exactly(page.counted) if page.of_all is None else Total(page.of_all, page.counted, is_estimate=True)
        return Found(page.ids, total, corrected=False), page.best
    ranked = hits(where, query.required, most=most_ranked(where), first=query.folded)
    ranked.sort(key=lambda hit: rank(hit, query))
    ids = [hit.id for hit in ranked]
    if order:
        ids = [row[0] for row in where.rows(*in_order(ids, order))]
    best = kind_of_match(ranked[0], query) if ranked else None
    return Found(ids[start : start + size], exactly(len(ids)), corrected=False), best


def in_order(ids: list[int], order: str) -> tuple[str, list[Any]]:
    holes = ", ".join(["%s"] * len(ids))
    return f"SELECT id FROM books WHERE id IN ({holes}) ORDER BY {order}", list(ids)  # noqa: S608  # placeholders, our names


def most_ranked(where: Where) -> int:
    bounds: Bounds = bounds_of(frequencies(where.alias))
    return bounds.ranked


def default_direction(sort: str | None) -> str:
    return "desc" if sort == "created_at" else "asc"


def order_by(sort: str | None, sort_dir: str | None) -> str | None:
    """ORDER BY for a named order; None for relevance. Ties sort by id in the same direction, undated books last."""
    if sort is None or sort == "relevance":
        return None
    direction = (sort_dir or default_direction(sort)).upper()
    nulls = " NULLS LAST" if sort == "date" else ""
    return f"{SORTS[sort]} {direction}{nulls}, id {direction}"


def by_isbn(where: Where, isbn: IsbnWanted) -> list[int]:
    """The book of a complete ISBN, or the books whose ISBN begins with these digits. 1 query."""
    if isbn.is_whole:
        condition, values = "isbn = %s", [isbn.beginnings[0]]
    else:
        condition = " OR ".join(["isbn >= %s AND isbn < %s"] * len(isbn.beginnings))
        values = [value for beginning in isbn.beginnings for value in (beginning, beginning + ":")]
    sql = f"SELECT id FROM books WHERE {where.sql} AND ({condition}) ORDER BY isbn LIMIT %s"  # noqa: S608  # values are parameters
    return [row[0] for row in where.rows(sql, [*where.values, *values, OF_ISBN])]
