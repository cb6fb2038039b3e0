"""Suggestions for a search box during typing: titles, authors, and the book of an ISBN."""

from typing import TYPE_CHECKING, Any

from catalog.search.candidates import (
    LISTED_FIRST,
    RANKED_COLUMNS,
    Bounds,
    Where,
    by_walk,
    conjunction,
    may_be_listed,
    rarest,
)
from catalog.search.conditions import OF_AUTHOR
from catalog.search.frequency import frequencies
from catalog.search.pages import by_isbn, exact_page
from catalog.search.query import Query
from catalog.search.ranking import kind_sql, order_sql

if TYPE_CHECKING:
    from catalog.book_filters import BookFilters

MAX_SUGGESTIONS = 20
# Lower than for a search, because every keystroke sends a request.
BOUNDS = Bounds(listed=5_000, found=500, walked=3_000, ranked=200)
AUTHORS_OF = 300  # books whose authors are read
MOST_AUTHORS = 3  # and at most half of the suggestions, if there are enough titles


def suggest(books: "BookFilters", text: str, *, limit: int) -> list[dict[str, Any]]:
    """At most `limit` suggestions, best first: the book of an ISBN, titles, authors. Exact words only.

    2 queries when the index lists the words, up to 4 for frequent words; 2 more with the digits of an ISBN.
    """
    query, where = Query.of(text), Where.of(books)
    if not query or where is None:
        return []
    isbns = [{"kind": "isbn", **book} for book in books_of(where, by_isbn(where, query.isbn))] if query.isbn else []
    ids, names = listed_together(where, query, limit=limit) or (
        ids_of(where, query, limit=limit * 2),
        authors(where, query, limit=limit),
    )
    found = books_of(where, ids)
    titles = {book["text"]: {"kind": "title", **without(book, "isbn")} for book in reversed(found)}
    kept = names[: max(min(MOST_AUTHORS, limit // 2), limit - len(titles))]
    room = max(limit - len(isbns) - len(kept), 0)
    titled = list(reversed(titles.values()))[:room]
    shown = [{**without(each, "isbn"), "text": each["isbn"]} for each in isbns]
    return [*shown, *titled, *({"kind": "author", "text": name} for name in kept)][:limit]


def listed_together(where: Where, query: Query, *, limit: int) -> tuple[list[int], list[str]] | None:
    """The ids and the authors of what the index lists, each book read once. 1 query.

    None on SQLite, and where the words are too frequent for the index.
    """
    known = frequencies(where.alias)
    indexed, others = rarest(query.required, known, listed=BOUNDS.listed)
    if where.vendor != "postgresql" or not may_be_listed(where, query, known, indexed, BOUNDS):
        return None
    condition, values = conjunction(where, indexed, others)
    kind, kinds = kind_sql(query)
    ranking, ranks = order_sql(query)
    sql = f"""WITH {LISTED_FIRST.format(columns=f"{RANKED_COLUMNS}, author", condition=condition)},
found AS MATERIALIZED (SELECT * FROM listed LIMIT %s),
ranked AS (SELECT *, {kind} AS kind FROM found)
SELECT (SELECT count(*) FROM found), ARRAY(SELECT id FROM ranked ORDER BY {ranking} LIMIT %s),
ARRAY(SELECT author FROM found WHERE document @@ %s::tsquery
GROUP BY author ORDER BY max(popularity) DESC, count(*) DESC, author LIMIT %s)"""  # noqa: S608  # values are parameters
    bounds = [BOUNDS.found + 1, *kinds, *ranks, limit * 2, query.every.tsquery(OF_AUTHOR), limit]
    [(counted, ids, names)] = where.rows(sql, [*values, *bounds])
    return None if counted > BOUNDS.found else (ids, names)


def without(book: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in book.items() if key != name}


def ids_of(where: Where, query: Query, *, limit: int) -> list[int]:
    """The ids of frequent words on PostgreSQL, of any on SQLite. 1 query."""
    if where.vendor == "postgresql":
        known = frequencies(where.alias)
        return by_walk(where, query, known, order=None, bounds=BOUNDS, start=0, size=limit).ids
    return exact_page(where, query, order=None, start=0, size=limit)[0].ids


def books_of(where: Where, ids: list[int]) -> list[dict[str, Any]]:
    """Titles, authors and ISBNs of these books, in this order. 1 query."""
    if not ids:
        return []
    holes = ", ".join(["%s"] * len(ids))
    rows = where.rows(f"SELECT id, title, author, isbn FROM books WHERE id IN ({holes})", ids)  # noqa: S608  # placeholders
    found = {row[0]: {"text": row[1], "book_id": row[0], "author": row[2], "isbn": row[3]} for row in rows}
    return [found[each] for each in ids if each in found]


def authors(where: Where, query: Query, *, limit: int) -> list[str]:
    """Authors whose names have all the words, by the popularity of their best book, then by books. 1 query."""
    indexed, others = rarest(query.required, frequencies(where.alias), listed=BOUNDS.listed)
    condition, found = conjunction(where, indexed, others, OF_AUTHOR)
    values: list[Any] = [*found]
    listed = LISTED_FIRST.format(columns="author, popularity", condition=condition)
    if where.vendor == "postgresql" and not indexed:
        popular = f"SELECT * FROM books WHERE {where.sql} ORDER BY popularity DESC, id LIMIT %s"  # noqa: S608  # values are parameters
        listed = f"listed AS (SELECT author, popularity FROM ({popular}) AS books WHERE {condition})"  # noqa: S608  # values are parameters
        values = [*where.values, BOUNDS.walked, *values]
    sql = f"""WITH {listed} SELECT author FROM (SELECT * FROM listed LIMIT %s) AS found
GROUP BY author ORDER BY max(popularity) DESC, count(*) DESC, author LIMIT %s"""  # noqa: S608  # values are parameters
    return [row[0] for row in where.rows(sql, [*values, AUTHORS_OF, limit])]
