"""Which constraint a write violated, by the error's own fields, never guessed from "some IntegrityError"."""

import re

from django.db import IntegrityError

# SQLite has no fields in its errors, only these words; it names an index, or the columns of a constraint in the table.
SQLITE_INDEX = re.compile(r"UNIQUE constraint failed: index '(?P<name>.+)'")
SQLITE_UNIQUE = re.compile(r"UNIQUE constraint failed: (?P<columns>.+)")
SQLITE_CHECK = re.compile(r"CHECK constraint failed: (?P<name>.+)")


def violated(error: IntegrityError, constraint: str, *columns: str) -> bool:
    """Whether it was this constraint, by name, that refused the write.

    `columns` are those of a unique constraint on plain fields, as `table.column`: SQLite's message has only these.
    SQLite does not name a violated foreign key at all: False there.
    """
    diagnosis = getattr(error.__cause__, "diag", None)
    if diagnosis is not None:
        return bool(diagnosis.constraint_name == constraint)
    text = str(error)
    if named := SQLITE_INDEX.fullmatch(text) or SQLITE_CHECK.fullmatch(text):
        return named["name"] == constraint
    if unique := SQLITE_UNIQUE.fullmatch(text):
        return set(unique["columns"].split(", ")) == set(columns)
    return False
