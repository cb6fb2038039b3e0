"""Suggestions for a search box during typing: titles, authors, and the book of an ISBN."""

from typing import TYPE_CHECKING, Any

from catalog.search.candidates import Bounds, Where, conjunction, page_of_ids, rarest
from catalog.search.conditions import OF_AUTHOR
from catalog.search.frequency import frequencies
from catalog.search.pages import by_isbn, exact_page
from catalog.search.query import Query

if TYPE_CHECKING:
    from catalog.querysets import BookQuerySet

MAX_SUGGESTIONS = 20
# Lower than for a search, because every keystroke sends a request.
BOUNDS = Bounds(listed=5_000, found=500, walked=3_000, ranked=200)
AUTHORS_OF = 300  # books whose authors are read
MOST_AUTHORS = 3  # if there are enough titles


def suggest(books: "BookQuerySet", text: str, *, limit: int) -> list[dict[str, Any]]:
    """At most `limit` suggestions, best first: the book of an ISBN, titles, authors. Exact words only.

    3 queries, 1 more with the digits of an ISBN.
    """
    query, where = Query.of(text), Where.of(books)
    if not query or where is None:
        return []
    isbns = [{"kind": "isbn", **book} for book in books_of(where, by_isbn(where, query.isbn))] if query.isbn else []
    found = books_of(where, ids_of(where, query, limit=limit * 2))
    titles = {book["text"]: {"kind": "title", **without(book, "isbn")} for book in reversed(found)}
    names = authors(where, query, limit=limit)
    kept = names[: max(MOST_AUTHORS, limit - len(titles))]
    room = max(limit - len(isbns) - len(kept), 0)
    titled = list(reversed(titles.values()))[:room]
    shown = [{**without(each, "isbn"), "text": each["isbn"]} for each in isbns]
    return [*shown, *titled, *({"kind": "author", "text": name} for name in kept)][:limit]


def without(book: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in book.items() if key != name}


def ids_of(where: Where, query: Query, *, limit: int) -> list[int]:
    if where.vendor == "postgresql":
        return page_of_ids(where, query, order=None, start=0, size=limit, bounds=BOUNDS).ids
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
    source = "books"
    if where.vendor == "postgresql" and not indexed:
        source = f"(SELECT * FROM books WHERE {where.sql} ORDER BY popularity DESC, id LIMIT %s) AS books"  # noqa: S608  # values are parameters
        values = [*where.values, BOUNDS.walked, *values]
    sql = f"""SELECT author FROM (SELECT author, popularity FROM {source} WHERE {condition} LIMIT %s) AS found
GROUP BY author ORDER BY max(popularity) DESC, count(*) DESC, author LIMIT %s"""  # noqa: S608  # values are parameters
    return [row[0] for row in where.rows(sql, [*values, AUTHORS_OF, limit])]
