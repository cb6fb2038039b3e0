"""`manage.py migrate`: Django's, which bypasses a pooler.

A migration needs a session of its own: one that runs without a transaction sets timeouts that outlive a statement.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from django.core.management.commands import migrate
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections

from bookstore.management.commands.serve import away


class Command(migrate.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        with past_the_pooler(options["database"]):
            super().handle(*args, **options)


@contextmanager
def past_the_pooler(alias: str) -> Iterator[None]:
    """For the length of the `with` this thread's connection goes to DATABASE_DIRECT_URL, where one is set.

    Raises CommandError when it does not answer, or when there is a pooler and no way past it.
    """
    if alias != DEFAULT_DB_ALIAS or not (settings.DATABASE_DIRECT_URL or settings.DB_TRANSACTION_POOLING):
        yield
        return
    if not settings.DATABASE_DIRECT_URL:
        raise CommandError(
            "DB_TRANSACTION_POOLING is 1, so DATABASE_URL goes through a pooler, and a migration must not: "
            "set DATABASE_DIRECT_URL to PostgreSQL's own address."
        )
    pooled = connections[alias]
    own = pooled.settings_dict
    # The name is the same; a test's database has another than the settings say.
    direct = type(pooled)({**own, **settings.DATABASE_DIRECT_URL, "NAME": own["NAME"]}, alias)
    connections[alias] = direct
    try:
        try:
            direct.ensure_connection()
        except DatabaseError as error:
            raise away(error, "DATABASE_DIRECT_URL", direct) from error
        yield
    finally:
        direct.close()
        connections[alias] = pooled
