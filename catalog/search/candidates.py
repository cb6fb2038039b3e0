"""Reads the books that meet conditions from the database, a bounded number for every query.

PostgreSQL has two ways. `by_index` lists the books of rare words in the index of words. `by_walk` reads books in the
order of their popularity until enough match, for words that a large part of all books have.
SQLite reads every book.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from django.core.exceptions import EmptyResultSet, FullResultSet
from django.db import connections

from bookstore.api.pagination import Total, exactly
from bookstore.fastpath import libpq
from catalog.search.conditions import Condition, Sql, sql_for
from catalog.search.frequency import LAST, LISTED, SMALL_CATALOGUE, Frequencies, frequencies
from catalog.search.query import Query
from catalog.search.ranking import ARTICLES, DOCUMENT, Hit, kind_sql, order_sql

READ_ALONE = 5_000
INDEXED = 3  # conditions that use the index, the rarest; the others are checked in the rows


class Bounds(NamedTuple):
    """Bounds of one search, in books."""

    listed: int  # that the index may list for a word
    found: int  # that the index may find; with more, the walk is used
    walked: int  # that a walk reads
    ranked: int  # that are ranked, and shown on all pages together


SMALL = Bounds(listed=LISTED, found=10_000, walked=100_000, ranked=10_000)
LARGE = Bounds(listed=LISTED, found=2_000, walked=8_000, ranked=1_000)
BEGINNINGS = 100  # titles that begin with a frequent word, from the index of titles

READ_COLUMNS = (
    "id, title_folded, stock_quantity, popularity, price, publish_date, created_at, "
    "search_document, title_spellings, author_spellings"
)
RANKED_COLUMNS = (
    "id, title_folded, stock_quantity, popularity, price, publish_date, created_at, "
    f"replace(title_folded, ' ', '') AS squeezed, {DOCUMENT} AS document"
)
# Planned as if all rows were read, so by the index; read only as far as the outer LIMIT goes. With the LIMIT inside,
# the planner takes a word without statistics for frequent, and reads the whole table for the first books of it.
LISTED_FIRST = "listed AS MATERIALIZED (SELECT {columns} FROM books WHERE {condition})"
SPARE = 50  # prepared statements of a connection that searches, of which there are many, leave to others
STAMP = "(SELECT stamp::text FROM catalogue_state)"
HIT = "id, title_folded, author_folded, title_spellings::text, author_spellings::text, stock_quantity > 0, popularity"


class Where(NamedTuple):
    """The filters of a queryset of books as SQL, "true" for none."""

    sql: str
    values: tuple[Any, ...]
    narrows: bool  # it filters by more than is_active
    alias: str

    @classmethod
    def of(cls, books: Any) -> "Where | None":
        """None when no book can match."""
        compiler = books.query.get_compiler(using=books.db)
        try:
            sql, values = compiler.compile(books.query.where)
        except FullResultSet:
            return cls("true", (), narrows=False, alias=books.db)
        except EmptyResultSet:
            return None
        return cls(sql, tuple(values), narrows=sql != '"books"."is_active"', alias=books.db)

    @property
    def vendor(self) -> str:
        return connections[self.alias].vendor

    def about(self, known: Frequencies) -> int:
        """In about how many books the filters hold. PostgreSQL only; 1 query where they narrow."""
        if not self.narrows:
            return known.books
        [(plan,)] = self.rows(f"EXPLAIN (FORMAT JSON) SELECT id FROM books WHERE {self.sql}", self.values)  # noqa: S608  # values are parameters
        return int(plan[0]["Plan"]["Plan Rows"])

    def has_at_most(self, books: int) -> bool:
        """Whether the filters hold in so many books or fewer. PostgreSQL only; 1 query, which reads one more."""
        first = f"SELECT FROM books WHERE {self.sql} LIMIT %s"  # values are parameters
        [(counted,)] = self.rows(f"SELECT count(*) FROM ({first}) AS first_books", [*self.values, books + 1])  # noqa: S608  # values are parameters
        return bool(counted <= books)

    def rows(self, sql: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        return libpq.rows(connections[self.alias], sql, list(values), spare=SPARE)


class Ids(NamedTuple):
    """The ids of a page in order. `counted` is the number of matches, or of those read when there are about `of_all`.
    `best` is the kind of match (ranking.py) of the best one, None when there is none. `stamp`: the catalogue's."""

    ids: list[int]
    counted: int
    of_all: int | None = None
    best: int | None = None
    stamp: str | None = None

    def total(self) -> Total:
        if self.of_all is None:
            return exactly(self.counted)
        return Total(self.of_all, seen=self.counted, is_estimate=True, is_cut=True)


def bounds_of(known: Frequencies) -> Bounds:
    return SMALL if known.books < SMALL_CATALOGUE else LARGE


def rarest(
    conditions: Sequence[Condition], known: Frequencies, *, listed: int = LISTED
) -> tuple[list[Condition], list[Condition]]:
    """Splits conditions into those that use the index and the others."""
    ordered = sorted(conditions, key=known.of)
    indexed = [condition for condition in ordered[:INDEXED] if known.of(condition) <= listed]
    return indexed, [condition for condition in conditions if condition not in indexed]


def conjunction(where: Where, indexed: Sequence[Condition], others: Sequence[Condition], weight: str = "") -> Sql:
    """`IS TRUE` keeps the planner from using the index for frequent words."""
    compiled = sql_for(where.vendor, weight)
    parts = [(where.sql, list(where.values)), *(compiled(condition) for condition in indexed)]
    parts += [(f"{sql} IS TRUE", values) for sql, values in (compiled(condition) for condition in others)]
    return " AND ".join(sql for sql, _ in parts), [value for _, values in parts for value in values]


def may_be_listed(where: Where, query: Query, known: Frequencies, indexed: Sequence[Condition], bounds: Bounds) -> bool:
    """False when the statistics say that the index finds too many books."""
    alone = len(query.required) == 1 and not where.narrows
    return bool(indexed) and not (alone and known.of(indexed[0]) > bounds.found)


def by_index(
    where: Where, query: Query, known: Frequencies, *, order: str | None, bounds: Bounds, start: int, size: int
) -> Ids | None:
    """A page of the matches that the index finds, in order; None when the words are too frequent. 1 query.

    `order` is an ORDER BY; None is by rank.
    """
    indexed, others = rarest(query.required, known, listed=bounds.listed)
    if not may_be_listed(where, query, known, indexed, bounds):
        return None
    condition, values = conjunction(where, indexed, others)
    kind, kinds = kind_sql(query)
    ranking, ranks = (order, []) if order else order_sql(query)
    sql = f"""WITH {LISTED_FIRST.format(columns=RANKED_COLUMNS, condition=condition)},
found AS MATERIALIZED (SELECT * FROM listed LIMIT %s),
ranked AS MATERIALIZED (SELECT *, {kind} AS kind FROM found WHERE (SELECT count(*) FROM found) <= %s)
SELECT {STAMP}, (SELECT count(*) FROM found), (SELECT min(kind) FROM ranked),
ARRAY(SELECT id FROM ranked ORDER BY {ranking} LIMIT %s OFFSET %s)"""  # noqa: S608  # values are parameters
    [(stamp, counted, best, ids)] = where.rows(
        sql, [*values, bounds.found + 1, *kinds, bounds.found, *ranks, size, start]
    )
    return None if counted > bounds.found else Ids(ids, counted, best=best, stamp=stamp)


def by_walk(
    where: Where,
    query: Query,
    known: Frequencies,
    *,
    order: str | None,
    bounds: Bounds,
    start: int,
    size: int,
    weight: str = "",
) -> Ids:
    """A page of the matches among the first `bounds.walked` books, in order. 1 query, 1 more for an estimate among
    books that filters narrow, and 1 more for the last page: its total is exact if the walk read every book. `weight`
    names the field in which the words must be.

    The first books are the most popular, or the first in `order`; with filters any of them, so that an index of the
    filters can be used. Titles that equal the query or begin with it are added.
    """
    walk = order or ("" if where.narrows else "popularity DESC, id")
    walked = f"SELECT {READ_COLUMNS} FROM books WHERE {where.sql}{f' ORDER BY {walk}' if walk else ''} LIMIT %s"  # noqa: S608  # values are parameters
    fits = f"""SELECT {RANKED_COLUMNS}, place FROM (
    SELECT *, row_number() OVER () AS place FROM ({walked}) AS first_books
) AS walked WHERE ({DOCUMENT}) @@ %s::tsquery LIMIT %s"""  # noqa: S608  # values are parameters
    values: list[Any] = [*where.values, bounds.walked, query.every.tsquery(weight), bounds.ranked]
    if not order:
        exact = [f"{article} {query.folded}".strip() for article in ARTICLES]
        titled = f"SELECT {RANKED_COLUMNS}, NULL FROM books WHERE {where.sql} AND"  # noqa: S608  # values are parameters
        fits = f"""({fits}) UNION ALL ({titled} title_folded = ANY(%s::text[]) LIMIT %s)
UNION ALL ({titled} title_folded > %s AND title_folded < %s ORDER BY books.title_folded LIMIT %s)"""
        values += [*where.values, exact, BEGINNINGS]
        values += [*where.values, query.folded, query.folded + LAST, BEGINNINGS]
    kind, kinds = kind_sql(query)
    ranking, ranks = ("place", []) if order else order_sql(query)
    sql = f"""WITH found AS MATERIALIZED ({fits}),
once AS (SELECT DISTINCT ON (id) * FROM found ORDER BY id, place),
ranked AS MATERIALIZED (SELECT *, {kind} AS kind FROM once)
SELECT {STAMP}, (SELECT count(*) FROM once), (SELECT max(place) FROM found), (SELECT count(place) FROM found),
(SELECT min(kind) FROM ranked), ARRAY(SELECT id FROM ranked ORDER BY {ranking} LIMIT %s OFFSET %s)"""  # noqa: S608  # values are parameters
    shown = max(0, min(size, bounds.ranked - start))
    [(stamp, counted, places, fitting, best, ids)] = where.rows(sql, [*values, *kinds, *ranks, shown, start])
    if fitting < bounds.ranked and (bounds is SMALL or (len(ids) < size and where.has_at_most(bounds.walked))):
        return Ids(ids, counted, best=best, stamp=stamp)
    share = fitting / places if places else 0
    of_all = max(counted, round(where.about(known) * share))
    return Ids(ids, counted, of_all=of_all, best=best, stamp=stamp)


def page_of_ids(where: Where, query: Query, *, order: str | None, start: int, size: int) -> Ids:
    """A page of the books that meet every condition of the query. PostgreSQL only. 1 to 3 queries."""
    known = frequencies(where.alias)
    options: dict[str, Any] = {"order": order, "bounds": bounds_of(known), "start": start, "size": size}
    return by_index(where, query, known, **options) or by_walk(where, query, known, **options)


def hits(
    where: Where, conditions: Sequence[Condition], *, most: int, first: str = "", listed: int = LISTED
) -> list[Hit]:
    """At most `most` books that meet every condition. 1 query. On PostgreSQL none, without a query, when every word is
    frequent.

    SQLite returns those with the folded title `first`, then the most popular; PostgreSQL any.
    """
    return hits_of_any(where, [conditions], most_each=most, first=first, listed=listed)


def hits_of_any(
    where: Where, several: Sequence[Sequence[Condition]], *, most_each: int, first: str = "", listed: int = LISTED
) -> list[Hit]:
    """The same for several sets of conditions in one query; a book may come more than once."""
    selects: list[str] = []
    values: list[Any] = []
    is_postgresql = where.vendor == "postgresql"
    for conditions in several:
        indexed, others = rarest(conditions, frequencies(where.alias), listed=listed)
        alone = len(indexed) == 1 and len(conditions) > 1  # then each listed book is read
        if is_postgresql and (not indexed or (alone and frequencies(where.alias).of(indexed[0]) > READ_ALONE)):
            continue
        condition, wanted = conjunction(where, indexed, others)
        columns, order = HIT, ""
        if not is_postgresql:
            columns, order = HIT.replace("::text", ""), "ORDER BY title_folded = %s DESC, popularity DESC, id"
            wanted = [*wanted, first]
        listed_first = LISTED_FIRST.format(columns=columns, condition=condition)
        selects.append(f"SELECT * FROM (WITH {listed_first} SELECT * FROM listed {order} LIMIT %s) AS found")  # noqa: S608  # values are parameters
        values += [*wanted, most_each]
    rows = where.rows(" UNION ALL ".join(selects), values) if selects else []
    return [Hit(row[0], row[1], row[2], plain(row[3]), plain(row[4]), bool(row[5]), row[6]) for row in rows]


def plain(spellings: str | None) -> str | None:
    """The words of a tsvector, or of SQLite's text column."""
    if spellings is None or "'" not in spellings:
        return spellings
    return " ".join(part.rpartition(":")[0].strip("'") for part in spellings.split())
