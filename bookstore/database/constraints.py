"""Tells which constraint a write violated, by the fields of the error."""

import re

from django.db import IntegrityError

# SQLite's errors have only these texts, with the name of an index or the columns of a table's constraint.
SQLITE_INDEX = re.compile(r"UNIQUE constraint failed: index '(?P<name>.+)'")
SQLITE_UNIQUE = re.compile(r"UNIQUE constraint failed: (?P<columns>.+)")
SQLITE_CHECK = re.compile(r"CHECK constraint failed: (?P<name>.+)")


def violated(error: IntegrityError, constraint: str, *columns: str) -> bool:
    """Whether the write violated the constraint of this name.

    `columns` are those of a unique constraint on plain fields, as `table.column`, which SQLite's message has instead of
    the name. On SQLite always False for a foreign key, which its message does not name.
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
