"""Conditions on the words of a book: as SQL for PostgreSQL and SQLite, as a tsquery, and in Python.

A condition is a Word, or AnyOf or AllOf other conditions. Tests check that the three forms agree.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

# The columns with words. The document has the words of title and author, the others further spellings.
COLUMNS = ("search_document", "title_spellings", "author_spellings")
OF_TITLE, OF_AUTHOR = "A", "B"  # the weights of the tsvectors
COLUMNS_OF = {"": COLUMNS, OF_TITLE: COLUMNS[:2], OF_AUTHOR: (COLUMNS[0], COLUMNS[2])}
# The columns of one field on SQLite, whose document has no weights.
TEXTS_OF = {"": COLUMNS, OF_TITLE: ("title_folded", COLUMNS[1]), OF_AUTHOR: ("author_folded", COLUMNS[2])}

Sql: TypeAlias = tuple[str, list[str]]


@dataclass(frozen=True, slots=True)
class Word:
    """A folded word; with `prefix`, any word that begins with it."""

    text: str
    prefix: bool = True

    def tsquery(self, weight: str = "") -> str:
        """A folded word has only letters and digits, so quotes are enough to escape it."""
        star = "*" if self.prefix else ""
        return f"'{self.text}'" + (f":{star}{weight}" if star or weight else "")

    def on_postgresql(self, weight: str = "") -> Sql:
        return in_columns(self.tsquery(weight), weight)

    def on_sqlite(self, weight: str = "") -> Sql:
        sought = f" {self.text}" if self.prefix else f" {self.text} "
        found = [f"instr(' ' || {column} || ' ', %s) > 0" for column in TEXTS_OF[weight]]
        return f"({' OR '.join(found)})", [sought] * len(found)

    def holds(self, words: Sequence[str]) -> bool:
        if self.prefix:
            return any(word.startswith(self.text) for word in words)
        return self.text in words

    def whole(self) -> "Word":
        return replace(self, prefix=False)

    def words(self) -> "list[Word]":
        return [self]


@dataclass(frozen=True, slots=True)
class AnyOf:
    parts: "tuple[Condition, ...]"

    def tsquery(self, weight: str = "") -> str:
        return f"({' | '.join(part.tsquery(weight) for part in self.parts)})"

    def on_postgresql(self, weight: str = "") -> Sql:
        if all(isinstance(part, Word) for part in self.parts):
            return in_columns(self.tsquery(weight), weight)
        return combined(" OR ", [part.on_postgresql(weight) for part in self.parts])

    def on_sqlite(self, weight: str = "") -> Sql:
        return combined(" OR ", [part.on_sqlite(weight) for part in self.parts])

    def holds(self, words: Sequence[str]) -> bool:
        return any(part.holds(words) for part in self.parts)

    def whole(self) -> "AnyOf":
        return AnyOf(tuple(part.whole() for part in self.parts))

    def words(self) -> list[Word]:
        return [word for part in self.parts for word in part.words()]


@dataclass(frozen=True, slots=True)
class AllOf:
    parts: "tuple[Condition, ...]"

    def tsquery(self, weight: str = "") -> str:
        return f"({' & '.join(part.tsquery(weight) for part in self.parts)})"

    def on_postgresql(self, weight: str = "") -> Sql:
        """One look-up for each part: for "o'brien, jrr" one word is in the document, the other in the spellings."""
        return combined(" AND ", [part.on_postgresql(weight) for part in self.parts])

    def on_sqlite(self, weight: str = "") -> Sql:
        return combined(" AND ", [part.on_sqlite(weight) for part in self.parts])

    def holds(self, words: Sequence[str]) -> bool:
        return all(part.holds(words) for part in self.parts)

    def whole(self) -> "AllOf":
        return AllOf(tuple(part.whole() for part in self.parts))

    def words(self) -> list[Word]:
        return [word for part in self.parts for word in part.words()]


Condition: TypeAlias = Word | AnyOf | AllOf


def in_columns(tsquery: str, weight: str) -> Sql:
    columns = COLUMNS_OF[weight]
    return f"({' OR '.join(f'{column} @@ %s::tsquery' for column in columns)})", [tsquery] * len(columns)


def combined(operator: str, parts: Sequence[Sql]) -> Sql:
    return f"({operator.join(sql for sql, _ in parts)})", [value for _, values in parts for value in values]


def any_of(conditions: Sequence[Condition]) -> Condition:
    """The disjunction of conditions; the condition itself if they are all equal."""
    different = tuple(dict.fromkeys(conditions))
    return different[0] if len(different) == 1 else AnyOf(different)


def all_of(conditions: Sequence[Condition]) -> Condition:
    different = tuple(dict.fromkeys(conditions))
    return different[0] if len(different) == 1 else AllOf(different)


def sql_for(vendor: str, weight: str = "") -> Callable[[Condition], Sql]:
    if vendor == "postgresql":
        return lambda condition: condition.on_postgresql(weight)
    return lambda condition: condition.on_sqlite(weight)
