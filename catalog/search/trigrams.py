"""The pg_trgm index of the vocabulary: finds words that are two typing errors away.

Without it (on SQLite, or when the role may not create the extension) one typing error is still corrected.
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
    # On an expression: the planner would use an index on the column also for `word = ANY(…)`, and take seconds.
    f"CREATE INDEX IF NOT EXISTS {INDEX} ON search_words USING gin (lower(word) gin_trgm_ops)",
)
# SQLSTATEs: no privilege; no such extension (two of them); the extension is outside the search_path.
CANNOT = {"42501", "58P01", "0A000", "42704"}
ADVICE = (
    "search: no index by pg_trgm, so only typing errors of one letter are forgiven. Let a superuser run CREATE "
    "EXTENSION pg_trgm; in this database, then run manage.py refold_books with DATABASE_URL of the tables' owner."
)


def create(connection: Any) -> bool:
    """Creates the extension and the index, if they are missing and the role may. Returns whether they exist."""
    if connection.vendor != "postgresql":
        return False
    if is_there(connection):
        return True
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
    """Drops the index; keeps the extension, which others may use."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"DROP INDEX IF EXISTS {INDEX}")
    are_there.cache_clear()


@cache
def are_there(alias: str) -> bool:
    """Whether the database has the index. 1 query and, if not, one log line in each process."""
    from django.db import connections

    found = is_there(connections[alias])
    if not found:
        logger.warning(ADVICE)
    return found


def is_there(connection: Any) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [INDEX])
        return bool(cursor.fetchone()[0])
