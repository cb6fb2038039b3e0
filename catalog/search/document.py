"""The stored document that is searched, and the lookups in it, for both databases.

docs/decisions/0028-search.md says why it is built this way.
"""

import re
from typing import Any

from django.db import models
from django.db.backends.ddl_references import Statement

from catalog.search.conditions import COLUMNS_OF, TEXTS_OF, Condition, Sql
from catalog.search.frequency import LISTED, SMALL_CATALOGUE, frequencies

# A folded word has only letters and digits, so quotes escape it. A cast, unlike to_tsvector and to_tsquery, uses no
# parser, whose words would depend on the database's locale.
WEIGHTED = r"regexp_replace(%(column)s, '[^ ]+', '''\&'':%(place)s', 'g')"
SPACED = " || ' ' || "
WEIGHTS = {"title_folded": "A", "author_folded": "B"}
# One position for each weight: at one position PostgreSQL keeps only the higher weight of a word.
PLACES = {"title_folded": "1A", "author_folded": "2B"}


class SearchDocument(models.Func):
    """Title and author as one document: a tsvector with weights on PostgreSQL, words between blanks on SQLite."""

    def __init__(self) -> None:
        super().__init__(*PLACES)

    def as_postgresql(self, compiler: Any, connection: Any, **_: Any) -> tuple[str, tuple[Any, ...]]:
        columns = [compiler.compile(source)[0] for source in self.get_source_expressions()]
        parts = [
            WEIGHTED % {"column": column, "place": place}
            for column, place in zip(columns, PLACES.values(), strict=True)
        ]
        return f"(({SPACED.join(parts)})::tsvector)", ()

    def as_sqlite(self, compiler: Any, connection: Any, **_: Any) -> tuple[str, tuple[Any, ...]]:
        title, author = (compiler.compile(source)[0] for source in self.get_source_expressions())
        return f"(' ' || {title} || ' ' || {author})", ()


class SearchDocumentField(models.Field):
    def db_type(self, connection: Any) -> str:
        return "tsvector" if connection.vendor == "postgresql" else "text"


class Meets(models.Func):
    """Whether a book meets a condition on its words; with a weight (conditions.OF_AUTHOR) on the words of one field.

    PostgreSQL uses the index; SQLite reads all texts.
    """

    output_field = models.BooleanField()

    def __init__(self, condition: Condition, weight: str = "") -> None:
        self.columns = sorted({*COLUMNS_OF[weight], *TEXTS_OF[weight]})
        super().__init__(*self.columns, "pk")
        self.condition = condition
        self.weight = weight

    def as_postgresql(self, compiler: Any, connection: Any, **_: Any) -> tuple[str, tuple[Any, ...]]:
        """In a large catalogue as a list of ids, unless it is frequent: beside an ORDER BY and a LIMIT the planner
        takes a rare word for a frequent one, and reads the whole table in that order.
        """
        condition = self.condition.on_postgresql(self.weight)
        known = frequencies(connection.alias)
        if known.books < SMALL_CATALOGUE or known.of(self.condition) > LISTED:
            return self.named(compiler, condition)
        key, _ = compiler.compile(self.get_source_expressions()[-1])
        return f"{key} = ANY(ARRAY(SELECT id FROM books WHERE {condition[0]}))", tuple(condition[1])  # noqa: S608  # values are parameters

    def as_sqlite(self, compiler: Any, connection: Any, **_: Any) -> tuple[str, tuple[Any, ...]]:
        return self.named(compiler, self.condition.on_sqlite(self.weight))

    def named(self, compiler: Any, sql: Sql) -> tuple[str, tuple[Any, ...]]:
        """Qualifies the columns with the table's alias in this query."""
        names = {
            column: compiler.compile(source)[0]
            for column, source in zip(self.columns, self.get_source_expressions(), strict=False)
        }
        return re.sub(r"[a-z_]+_(?:document|spellings|folded)", lambda found: names[found[0]], sql[0]), tuple(sql[1])


class PositionIn(models.Func):
    """The position of a book's id in a list of ids: sorts by an order that was computed before."""

    output_field = models.IntegerField()

    def __init__(self, ids: list[int]) -> None:
        super().__init__("pk")
        self.ids = ids

    def as_postgresql(self, compiler: Any, connection: Any, **_: Any) -> tuple[str, tuple[Any, ...]]:
        sql, values = compiler.compile(self.get_source_expressions()[0])
        return f"array_position(%s::bigint[], {sql})", (self.ids, *values)

    def as_sqlite(self, compiler: Any, connection: Any, **_: Any) -> tuple[str, tuple[Any, ...]]:
        sql, values = compiler.compile(self.get_source_expressions()[0])
        whens = " ".join(f"WHEN {book_id:d} THEN {place:d}" for place, book_id in enumerate(self.ids))
        return f"CASE {sql} {whens} ELSE {len(self.ids):d} END", tuple(values)


class OnPostgreSQL(models.Index):
    """An index for PostgreSQL only; on SQLite its SQL is a comment."""

    def create_sql(self, model: Any, schema_editor: Any, using: str = "", **kwargs: Any) -> Statement:
        if schema_editor.connection.vendor == "postgresql":
            return super().create_sql(model, schema_editor, using=using, **kwargs)
        return Statement("-- index %(name)s is for PostgreSQL", name=self.name)

    def remove_sql(self, model: Any, schema_editor: Any, **kwargs: Any) -> Any:
        if schema_editor.connection.vendor == "postgresql":
            return super().remove_sql(model, schema_editor, **kwargs)
        return Statement("-- index %(name)s is for PostgreSQL", name=self.name)


class SearchIndex(OnPostgreSQL):
    """A GIN index: finds the books of a word or a prefix without reading the table.

    Not django.contrib.postgres's GinIndex: from Django 6 on that needs its app installed, which queries types in
    every new connection.
    """

    suffix = "gin"

    def create_sql(self, model: Any, schema_editor: Any, using: str = " USING gin", **kwargs: Any) -> Statement:
        return super().create_sql(model, schema_editor, using=using or " USING gin", **kwargs)
