"""ORM queries that are compiled once.

Building a queryset and compiling it to SQL costs the ORM several times what the database needs to answer. Here a
query is written as a function of its values. It is compiled at its first use, with holes for the values, and every
run fills the holes and reads plain tuples:

    TITLES = Prepared(lambda value: Book.objects.filter(genre=value("genre_id")).values_list("id", "title"))
    TITLES.rows(genre_id=7)

The ORM stays the one definition of the query, on every database. What is lost is what it would decide anew at each
run: a hole stands for one value that is not None, never for a list or a column. `queryset()` is the ordinary query of
the same definition: for composing, and for the test that shows that both answer the same.
"""

from collections.abc import Callable
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import Expression, QuerySet

Row = tuple[Any, ...]
Build = Callable[[Callable[[str], Any]], "QuerySet[Any, Any]"]


class Unfilled:
    """What stands among the compiled parameters where a run puts its value."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name


class Hole(Expression):
    """A value that is known when the query runs."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        return "%s", (Unfilled(self.name),)


class Compiled:
    """The SQL of a query for one database, and how its rows are read there."""

    def __init__(self, queryset: "QuerySet[Any, Any]", alias: str) -> None:
        compiler = queryset.query.get_compiler(using=alias)
        self.sql, parameters = compiler.as_sql()
        self.parameters = tuple(parameters)
        self.apply_converters = compiler.apply_converters
        # What the database gives that is not yet the field's type: SQLite's text of a date, say.
        self.converters = compiler.get_converters([expression for expression, _, _ in compiler.select])

    def named(self) -> tuple[str, dict[str, Any]]:
        """The SQL with `%(name)s` for every value, as a part of a hand-written statement, and its constants by name."""
        names = [entry.name if type(entry) is Unfilled else f"_{index}" for index, entry in enumerate(self.parameters)]
        constants = {
            name: entry for name, entry in zip(names, self.parameters, strict=True) if type(entry) is not Unfilled
        }
        return self.sql % tuple(f"%({name})s" for name in names), constants

    def fill(self, values: dict[str, Any]) -> list[Any]:
        return [values[entry.name] if type(entry) is Unfilled else entry for entry in self.parameters]


class Prepared:
    """A query that is compiled once for each kind of database that it runs on."""

    def __init__(self, build: Build) -> None:
        self.build = build
        self.compiled: dict[str, Compiled] = {}

    def on(self, alias: str) -> Compiled:
        vendor = connections[alias].vendor
        if vendor not in self.compiled:
            self.compiled[vendor] = Compiled(self.build(Hole), alias)
        return self.compiled[vendor]

    def rows(self, *, using: str = DEFAULT_DB_ALIAS, **values: Any) -> list[Row]:
        """Runs the query: one statement, its rows as tuples in the order of `values_list`."""
        compiled = self.on(using)
        with connections[using].cursor() as cursor:
            cursor.execute(compiled.sql, compiled.fill(values))
            rows: list[Row] = cursor.fetchall()
        if compiled.converters:
            rows = [tuple(row) for row in compiled.apply_converters(rows, compiled.converters)]
        return rows

    def queryset(self, **values: Any) -> "QuerySet[Any, Any]":
        """The same query with these values, as the ORM runs it."""
        return self.build(values.__getitem__)
