"""pg_trgm's index of the search's words: finds those that resemble a word with more than one typing error.

Without it (SQLite, or a PostgreSQL whose role may not create the extension) errors of one letter are still forgiven.
"""

import logging
from functools import cache
from typing import Any

from django.db import DatabaseError, transaction

from bookstore.database import sqlstate

logger = logging.getLogger("bookstore.search")

INDEX = "ix_search_words_trigrams"
CREATE = (
    "CREATE EXTENSION IF NOT EXISTS pg_trgm",
    # Of an expression: the planner would take an index of the column for `word = ANY(…)`, too, and need seconds.
    f"CREATE INDEX IF NOT EXISTS {INDEX} ON search_words USING gin (lower(word) gin_trgm_ops)",
)
# SQLSTATEs: no privilege, no such extension (two versions of that), or it is installed outside of the search_path.
CANNOT = {"42501", "58P01", "0A000", "42704"}
ADVICE = (
    "search: no pg_trgm, so only typing errors of one letter are forgiven. "
    "Let a superuser run CREATE EXTENSION pg_trgm; in this database, then run manage.py refold_books."
)


def create(connection: Any) -> bool:
    """Creates the extension and its index, if the role may. Returns whether they exist."""
    if connection.vendor != "postgresql":
        return False
    try:
        with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
            for statement in CREATE:
                cursor.execute(statement)
    except DatabaseError as error:
        if sqlstate(error) not in CANNOT:
            raise
        return False
    are_there.cache_clear()
    return True


def drop(connection: Any) -> None:
    """Drops the index, but not the extension, which others may use, too."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"DROP INDEX IF EXISTS {INDEX}")
    are_there.cache_clear()


@cache
def are_there(alias: str) -> bool:
    """Whether this PostgreSQL has the index. One query for each process, and a line in its log if not."""
    from django.db import connections

    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [INDEX])
        found = bool(cursor.fetchone()[0])
    if not found:
        logger.warning(ADVICE)
    return found
