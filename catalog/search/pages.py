"""One page of a search: by ISBN, then by exact words, then by the tolerant tier.

docs/decisions/0028-search.md has the reasons and the cost.
"""

from typing import Any, NamedTuple

from bookstore.api.pagination import Total, exactly
from catalog.search.candidates import READ_ALONE, Bounds, Where, bounds_of, by_walk, hits, page_of_ids
from catalog.search.conditions import OF_AUTHOR
from catalog.search.frequency import LISTED, SMALL_CATALOGUE, frequencies
from catalog.search.query import IsbnWanted, Query
from catalog.search.ranking import kind_of_match, rank
from catalog.search.tolerant import find_tolerantly

FEW = 5  # books; with fewer, and no match by whole words, the tolerant tier adds more
# Books that are read for the first page of a frequent author, for each book of the earlier pages, and at most.
AUTHORS_WALKED, FOR_EACH_EARLIER, AUTHORS_WALKED_AT_MOST = 20_000, 50, 60_000
OF_ISBN = 20  # books of the first digits of an ISBN
SORTS = {"title": "title_folded", "price": "price", "date": "publish_date", "created_at": "created_at"}
PREFIX_ONLY = {3, 5, 7}  # kinds of match (ranking.py) in which some word is only a prefix


class Found(NamedTuple):
    """The ids of one page, in order. `corrected`: only the tolerant tier found them. `stamp`: the catalogue's
    (catalogue_state.py) before the first of them was read; None on SQLite."""

    ids: list[int]
    total: Total
    corrected: bool
    stamp: str | None = None


NOTHING = Found([], exactly(0), corrected=False)


def find(
    where: Where | None, text: str, *, start: int, size: int, sort: str | None = None, sort_dir: str | None = None
) -> Found:
    """The page of the matches among the books of `where` that begins at `start`, by relevance unless `sort` is given.

    A text without a word finds nothing. 1 query; 3 with the digits of an ISBN; about 10 with the tolerant tier.
    """
    query = Query.of(text)
    if not query or where is None:
        return NOTHING
    order = order_by(sort, sort_dir)
    found, best = exact_page(where, query, order=order, start=start, size=size)
    first = by_isbn(where, query.isbn) if query.isbn else []
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
    total = exactly(len(ids))
    if found.total.is_estimate or len(first) == OF_ISBN:  # more books begin with these digits, or have these words
        total = Total(max(found.total.rows, len(ids)), seen=len(ids), is_estimate=True, is_cut=True)
    return Found(ids[start : start + size], total, corrected=corrected and bool(ids), stamp=found.stamp)


def find_author(
    where: Where | None, name: str, *, start: int, size: int, sort: str = "title", sort_dir: str | None = None
) -> Found | None:
    """The page of the books of `where` whose author has all words of a frequent name, from the first AUTHORS_WALKED in
    that order, further for a later page. None when the index lists the books of that name: then it is a plain filter.

    PostgreSQL only. 1 query, 2 where other filters narrow.
    """
    query = Query.of(name).with_every_word()
    if where is None or not query:
        return None
    known = frequencies(where.alias)
    if known.books < SMALL_CATALOGUE or known.of(query.every) <= READ_ALONE:
        return None
    walked = min(AUTHORS_WALKED + (start + size) * FOR_EACH_EARLIER, AUTHORS_WALKED_AT_MOST)
    bounds = Bounds(listed=0, found=0, walked=walked, ranked=start + size)
    order = order_by(sort, sort_dir)
    page = by_walk(where, query, known, order=order, bounds=bounds, start=start, size=size, weight=OF_AUTHOR)
    if len(page.ids) < size and known.of(query.every) <= LISTED:
        return None
    return Found(page.ids, page.total(), corrected=False, stamp=page.stamp)


def exact_page(where: Where, query: Query, *, order: str | None, start: int, size: int) -> tuple[Found, int | None]:
    """The books that meet every condition, and the kind of match of the best one; None when there is none."""
    if where.vendor == "postgresql":
        page = page_of_ids(where, query, order=order, start=start, size=size)
        return Found(page.ids, page.total(), corrected=False, stamp=page.stamp), page.best
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
