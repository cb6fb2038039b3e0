"""`manage.py migrate`: Django's, bypassing a pooler, one at a time, with one-line errors.

A migration needs its own session: one without a transaction sets timeouts that outlive a statement, and the lock for
which a second `migrate` waits belongs to the session.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from django.core.management.commands import migrate
from django.db import DEFAULT_DB_ALIAS, DatabaseError, OperationalError, connections
from django.db.migrations.exceptions import IrreversibleError

from bookstore.database import first_line, is_unavailable, sqlstate
from bookstore.management.commands.serve import away

# The key of the advisory lock, which is per database.
LOCK = int.from_bytes(b"migrate")
# Seconds between two tries of a second `migrate` to get the lock, and until it gives up.
LOOK_EVERY, PATIENCE = 0.5, 600

# SQLSTATEs, and classes of them: lost connection, no resources, invalid transaction state, shutdown.
FORBIDDEN, NOT_HAD = "42501", {"55P03", "40P01"}
AWAY = {"", "08", "25", "53", "57"}
# SQLite's messages about its file; any other error is a bug in a migration.
OF_THE_FILE = ("locked", "unable to open", "readonly", "disk")


class Command(migrate.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        alias = options["database"]
        with past_the_pooler(alias):
            connection = connections[alias]
            try:
                connection.ensure_connection()
                with self.alone(connection, only_looks=options["plan"] or options["check_unapplied"]):
                    super().handle(*args, **options)
            except IrreversibleError as error:
                raise CommandError(f"This cannot be taken back: {error}. Restore the backup instead.") from error
            except DatabaseError as error:
                raise in_one_line(error, connection) from error

    @contextmanager
    def alone(self, connection: Any, *, only_looks: bool) -> Iterator[None]:
        """Prevents another `migrate` on this PostgreSQL database inside the `with`.

        Polls instead of waiting in one statement, because CREATE INDEX CONCURRENTLY of the other would wait for that
        statement. Raises CommandError after PATIENCE seconds. SQLite has no such lock: there the second fails at the
        first table that exists already.
        """
        if connection.vendor != "postgresql" or only_looks:
            yield
            return
        deadline, told = time.monotonic() + PATIENCE, False
        with connection.cursor() as cursor:
            while not cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK]).fetchone()[0]:
                if time.monotonic() > deadline:
                    raise CommandError(
                        f"Another `migrate` has been running on this database for {PATIENCE} s: nothing was done here."
                    )
                if not told:
                    self.stderr.write("Another `migrate` is running on this database: waiting for its end.")
                    told = True
                time.sleep(LOOK_EVERY)
        try:
            yield
        finally:
            if connection.connection is not None and not connection.connection.closed:
                with connection.cursor() as cursor:
                    cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])


def in_one_line(error: DatabaseError, connection: Any) -> Exception:
    """A CommandError for problems that the operator can solve: the role, a lock, a database that is down. Else the
    error."""
    # Django's "cannot create django_migrations" keeps the server's error as its context.
    known = error if error.__cause__ or not isinstance(error.__context__, DatabaseError) else error.__context__
    reason = first_line(known)
    if sqlstate(known) == FORBIDDEN:
        return CommandError(
            f"The role {connection.settings_dict['USER'] or 'of this connection'!r} may not migrate ({reason}): run it "
            "as the owner of the tables, by DATABASE_DIRECT_URL or DATABASE_URL."
        )
    if sqlstate(known) in NOT_HAD:
        return CommandError(
            f"Another session kept a lock for more than DB_LOCK_TIMEOUT={settings.DB_LOCK_TIMEOUT} s ({reason}). "
            "Migrations before this one are done: run `manage.py migrate` again at a quieter moment."
        )
    if connection.vendor == "sqlite" and isinstance(known, OperationalError) and "already exists" in reason:
        return CommandError(f"Another `migrate` came first ({reason}): run `manage.py migrate` again.")
    is_away = sqlstate(known)[:2] in AWAY and is_unavailable(known)
    if is_away and (connection.vendor != "sqlite" or any(words in reason for words in OF_THE_FILE)):
        variable = "DATABASE_DIRECT_URL" if settings.DATABASE_DIRECT_URL else "DATABASE_URL"
        return away(known, variable, connection)
    return error


@contextmanager
def past_the_pooler(alias: str) -> Iterator[None]:
    """Inside the `with` this thread's connection uses DATABASE_DIRECT_URL, if it is set.

    Raises CommandError for a pooler without DATABASE_DIRECT_URL.
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
        yield
    finally:
        direct.close()
        connections[alias] = pooled
