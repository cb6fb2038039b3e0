"""The stored document that the search looks into, and the question whether words are in it, for both databases.

docs/decisions/0002-search.md says why it is built this way.
"""

from typing import Any

from django.db import models
from django.db.backends.ddl_references import Statement

# A folded word is letters and digits of any script: inside quotes it has no other meaning to PostgreSQL, and casting
# (unlike to_tsvector and to_tsquery) asks no parser, whose idea of a word would follow the locale of the database.
WEIGHTED = r"regexp_replace(%(column)s, '[^ ]+', '''\&'':%(place)s', 'g')"
SPACED = " || ' ' || "
WEIGHTS = {"title_folded": "A", "author_folded": "B"}
# One place for each weight: of a word that stands at one place twice, PostgreSQL keeps the higher weight only.
PLACES = {"title_folded": "1A", "author_folded": "2B"}


class SearchDocument(models.Func):
    """Title and author as one document: a tsvector with weights on PostgreSQL, text with blanks around on SQLite."""

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


class HasWords(models.Func):
    """Whether each of these folded words is a prefix of a word of the book, or of one field (`title_folded`, say).

    PostgreSQL answers from the index either way; SQLite reads the text.
    """

    output_field = models.BooleanField()

    def __init__(self, words: tuple[str, ...], *, of: str | None = None) -> None:
        super().__init__("search_document", of or "search_document")
        self.words = words
        self.of = of

    def as_postgresql(self, compiler: Any, connection: Any, **_: Any) -> tuple[str, tuple[Any, ...]]:
        document, _text = self.get_source_expressions()
        sql, parameters = compiler.compile(document)
        weight = WEIGHTS[self.of] if self.of else ""
        query = " & ".join(f"'{word}':*{weight}" for word in self.words)
        return f"{sql} @@ %s::tsquery", (*parameters, query)

    def as_sqlite(self, compiler: Any, connection: Any, **_: Any) -> tuple[str, tuple[Any, ...]]:
        sql, parameters = compiler.compile(self.get_source_expressions()[1])
        found = f"instr(' ' || {sql}, %s) > 0"
        every = " AND ".join([found] * len(self.words))
        return f"({every})", tuple(value for word in self.words for value in (*parameters, f" {word}"))


class OnPostgreSQL(models.Index):
    """An index that SQLite has no use for: there it is a comment."""

    def create_sql(self, model: Any, schema_editor: Any, using: str = "", **kwargs: Any) -> Statement:
        if schema_editor.connection.vendor == "postgresql":
            return super().create_sql(model, schema_editor, using=using, **kwargs)
        return Statement("-- index %(name)s is for PostgreSQL", name=self.name)

    def remove_sql(self, model: Any, schema_editor: Any, **kwargs: Any) -> Any:
        if schema_editor.connection.vendor == "postgresql":
            return super().remove_sql(model, schema_editor, **kwargs)
        return Statement("-- index %(name)s is for PostgreSQL", name=self.name)


class SearchIndex(OnPostgreSQL):
    """GIN: the books of a word, or of a prefix, without reading the table.

    Not `django.contrib.postgres`'s own: from Django 6 on that wants its app installed, which asks every new connection
    for types that nothing here has.
    """

    suffix = "gin"

    def create_sql(self, model: Any, schema_editor: Any, using: str = " USING gin", **kwargs: Any) -> Statement:
        return super().create_sql(model, schema_editor, using=using or " USING gin", **kwargs)
