"""Ranks the books found. The rule is here twice, in Python and in SQL; a test compares them.

1. the title is the query; 2. it is, without blanks, punctuation and a leading article; 3. it begins with the query's
words; 4. it begins with the query as far as that is typed; 5. all words are in the title; 6. all begin words of the
title; 7. all are words of title or author; 8. the rest.

Then: the most words in the title, the most of the common words (the, of, book …), in stock before sold out,
popularity, the lower id.
"""

from typing import Any, NamedTuple

from catalog.search.conditions import OF_TITLE
from catalog.search.query import Query

ARTICLES = ("", "the", "a", "an")
# All searchable words of a book as one tsvector. Most books have no further spellings.
DOCUMENT = """CASE WHEN title_spellings IS NULL AND author_spellings IS NULL THEN search_document
ELSE search_document || coalesce(title_spellings, ''::tsvector) || coalesce(author_spellings, ''::tsvector) END"""


class Hit(NamedTuple):
    """The columns of a book that ranking uses; texts are folded."""

    id: int
    title: str
    author: str
    title_spellings: str | None
    author_spellings: str | None
    in_stock: bool
    popularity: int

    @property
    def title_words(self) -> list[str]:
        return [*self.title.split(), *(self.title_spellings or "").split()]

    @property
    def author_words(self) -> list[str]:
        return [*self.author.split(), *(self.author_spellings or "").split()]


def kind_of_match(hit: Hit, query: Query) -> int:
    """0 to 7: the position in the list above."""
    squeezed = hit.title.replace(" ", "")
    bare = [article + query.bare for article in ARTICLES]
    if hit.title == query.folded:
        return 0
    if squeezed in bare:
        return 1
    if f"{hit.title} ".startswith(f"{query.folded} "):
        return 2
    if squeezed.startswith(tuple(bare)):
        return 3
    if query.every.whole().holds(hit.title_words):
        return 4
    if query.every.holds(hit.title_words):
        return 5
    return 6 if query.every.whole().holds([*hit.title_words, *hit.author_words]) else 7


def rank(hit: Hit, query: Query) -> tuple[Any, ...]:
    """The sort key of a book."""
    common = sum(condition.holds([*hit.title_words, *hit.author_words]) for condition in query.optional)
    titled = sum(condition.holds(hit.title_words) for condition in query.required)
    return (kind_of_match(hit, query), -titled, -common, not hit.in_stock, -hit.popularity, hit.id)


def kind_sql(query: Query) -> tuple[str, list[Any]]:
    """`kind_of_match` for PostgreSQL, over rows with `title_folded`, `squeezed` (without blanks) and `document`."""
    whole = query.every.whole()
    bare = [article + query.bare for article in ARTICLES]
    begins = " OR ".join(["starts_with(squeezed, %s)"] * len(bare))
    sql = f"""CASE
WHEN title_folded = %s THEN 0
WHEN squeezed = ANY(%s::text[]) THEN 1
WHEN starts_with(title_folded || ' ', %s) THEN 2
WHEN {begins} THEN 3
WHEN document @@ %s::tsquery THEN 4
WHEN document @@ %s::tsquery THEN 5
WHEN document @@ %s::tsquery THEN 6
ELSE 7 END"""
    values: list[Any] = [
        query.folded,
        bare,
        f"{query.folded} ",
        *bare,
        whole.tsquery(OF_TITLE),
        query.every.tsquery(OF_TITLE),
        whole.tsquery(),
    ]
    return sql, values


def order_sql(query: Query) -> tuple[str, list[Any]]:
    """`rank` as an ORDER BY for PostgreSQL, over the same rows with their `kind`."""
    sql, values = "kind", list[Any]()
    if len(query.required) > 1:
        titled = " + ".join(["(document @@ %s::tsquery)::int"] * len(query.required))
        sql += f", -({titled})"
        values += [condition.tsquery(OF_TITLE) for condition in query.required]
    if query.optional:
        common = " + ".join(["(document @@ %s::tsquery)::int"] * len(query.optional))
        sql += f", -({common})"
        values += [condition.tsquery() for condition in query.optional]
    return f"{sql}, stock_quantity = 0, popularity DESC, id", values
