"""ORM queries that are compiled once.

Building a queryset and compiling it to SQL takes several times as long as the database needs to answer. Here a query is
a function of its values. It is compiled at its first use, with holes for the values; each run fills the holes and reads
plain tuples:

    TITLES = Prepared(lambda value: Book.objects.filter(genre=value("genre_id")).values_list("id", "title"))
    TITLES.rows(genre_id=7)

The queryset stays the one definition of the query, on every database. A hole is one value, never None, a list or a
column, because for these the ORM would write other SQL. `queryset()` is the ordinary queryset of the same definition,
for composing and for the test that both return the same rows.
"""

import re
from collections.abc import Callable, Iterable
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import Expression, QuerySet

from bookstore import fastpath
from bookstore.fastpath import libpq as quick
from bookstore.fastpath.libpq import Row

NAME = re.compile(r"%\((\w+)\)s")
Build = Callable[[Callable[[str], Any]], "QuerySet[Any, Any]"]


class Unfilled:
    """A placeholder among the compiled parameters, replaced by the value in each run."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name


class Hole(Expression):
    """The expression for a value that each run fills in."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        return "%s", (Unfilled(self.name),)


class Compiled:
    """SQL with `%s` for each parameter; parameters are constants and holes."""

    def __init__(self, sql: str, parameters: Iterable[Any]) -> None:
        self.sql, self.parameters = sql, tuple(parameters)

    @classmethod
    def of_names(cls, sql: str, constants: dict[str, Any]) -> "Compiled":
        """Compiles a statement with `%(name)s`, each a constant or a hole."""
        names = NAME.findall(sql)
        sql = NAME.sub("%s", sql)
        return cls(sql, (constants[name] if name in constants else Unfilled(name) for name in names))

    def named(self) -> tuple[str, dict[str, Any]]:
        """The SQL with `%(name)s` for every value, for use in a hand-written statement, and its constants by name."""
        names = [entry.name if type(entry) is Unfilled else f"_{index}" for index, entry in enumerate(self.parameters)]
        constants = {
            name: entry for name, entry in zip(names, self.parameters, strict=True) if type(entry) is not Unfilled
        }
        return self.sql % tuple(f"%({name})s" for name in names), constants

    def rows(self, values: dict[str, Any], *, using: str = DEFAULT_DB_ALIAS) -> list[Row]:
        """Runs the statement."""
        filled = [values[entry.name] if type(entry) is Unfilled else entry for entry in self.parameters]
        return quick.rows(connections[using], self.sql, filled)


class CompiledQuery(Compiled):
    """The SQL of a query for one database, and the conversion of its rows."""

    def __init__(self, queryset: "QuerySet[Any, Any]", alias: str) -> None:
        compiler = queryset.query.get_compiler(using=alias)
        super().__init__(*compiler.as_sql())
        self.apply_converters = compiler.apply_converters
        # Converters from the database's type to the field's, such as for dates on SQLite.
        self.converters = compiler.get_converters([expression for expression, _, _ in compiler.select])

    def rows(self, values: dict[str, Any], *, using: str = DEFAULT_DB_ALIAS) -> list[Row]:
        rows = super().rows(values, using=using)
        return [tuple(row) for row in self.apply_converters(rows, self.converters)] if self.converters else rows


class Prepared:
    """A query that is compiled once for each kind of database."""

    def __init__(self, build: Build) -> None:
        self.build = build
        self.compiled: dict[str, CompiledQuery] = {}

    def on(self, alias: str) -> CompiledQuery:
        vendor = connections[alias].vendor
        if vendor not in self.compiled:
            self.compiled[vendor] = CompiledQuery(self.build(Hole), alias)
        return self.compiled[vendor]

    def rows(self, *, using: str = DEFAULT_DB_ALIAS, **values: Any) -> list[Row]:
        """Runs the query: one statement. Returns tuples in the order of `values_list`."""
        if not fastpath.is_on():
            return list(self.queryset(**values).using(using))
        return self.on(using).rows(values, using=using)

    def queryset(self, **values: Any) -> "QuerySet[Any, Any]":
        """The ordinary queryset with these values."""
        return self.build(values.__getitem__)
