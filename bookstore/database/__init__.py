"""Errors of a slow, busy or lost database, and retries. docs/decisions/0009-faults.md has the reasons.

`base.py` is the ENGINE of `DATABASES`: Django's PostgreSQL backend, with timeouts.
"""

import functools
import logging
import random
import time
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import psycopg
from django.db import DatabaseError, InterfaceError, OperationalError, connection

logger = logging.getLogger("bookstore.database")

P = ParamSpec("P")
R = TypeVar("R")

# SQLSTATEs, from PostgreSQL's appendix A.
TRANSIENT = frozenset({"40001", "40P01"})  # serialization_failure, deadlock_detected: a retry may succeed
READ_ONLY = "25006"  # read_only_sql_transaction: a primary became a standby, or read-only

ATTEMPTS = 4  # one, and three more


def name_of(connection: Any) -> str:
    """The database's name for messages, without user and password: `db.example:5432/bookstore`."""
    settings = connection.settings_dict
    if connection.vendor == "sqlite":
        return str(settings["NAME"])
    hosts = str(settings["HOST"] or "the local socket").split(",")
    ports = str(settings["PORT"] or "").split(",")
    if len(ports) != len(hosts):  # one for all of them
        ports = ports[:1] * len(hosts)
    return f"{','.join(f'{host}:{port or 5432}' for host, port in zip(hosts, ports, strict=True))}/{settings['NAME']}"


def sqlstate(error: BaseException) -> str:
    """The SQLSTATE of a Django error; empty when it has none (SQLite, a failed connect)."""
    return getattr(error.__cause__, "sqlstate", None) or ""


def first_line(error: BaseException) -> str:
    """The message of an error for one line of a log; its kind when it has none."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def is_unavailable(error: BaseException) -> bool:
    """Whether the database is down or too busy, so that a retry later may help; else the error is a bug.

    OperationalError is what drivers raise for lost connections, timeouts, deadlocks, "too many connections" and
    "database is locked". SQLite raises it for a missing table, too; the log has its message.
    """
    return isinstance(error, OperationalError | InterfaceError) or (
        isinstance(error, DatabaseError) and sqlstate(error) == READ_ONLY
    )


def is_outdated(error: BaseException) -> bool:
    """Whether PostgreSQL refused a prepared statement because a migration changed its result type.

    Nothing was executed; prepared again, the statement succeeds. Takes psycopg's error or Django's.
    """
    cause = error.__cause__ or error
    return (
        isinstance(cause, psycopg.errors.FeatureNotSupported)
        and cause.diag.source_function == "RevalidateCachedQuery"  # in any language of the messages
    )


def note_unavailable(error: BaseException) -> None:
    """Logs one line, without values, and closes the connection to a read-only server.

    Django drops a lost connection at the end of the request, but would keep a working one to a read-only server.
    """
    logger.warning("The database is unavailable: %s %s", sqlstate(error) or type(error).__name__, first_line(error))
    if sqlstate(error) == READ_ONLY and not connection.in_atomic_block:
        connection.close()


def may_succeed_again(error: BaseException) -> bool:
    """Whether an immediate retry of the transaction may succeed."""
    return sqlstate(error) in TRANSIENT or is_outdated(error)


def retrying(verb: Callable[P, R]) -> Callable[P, R]:
    """Decorator of a verb: retries it up to three times after a deadlock, a serialization failure or an outdated
    statement.

    The verb must open its transaction itself, and have no effects outside the database. Does not retry inside a
    caller's transaction, which has failed as a whole. Costs nothing without an error.
    """

    @functools.wraps(verb)
    def attempt(*args: P.args, **kwargs: P.kwargs) -> R:
        for left in reversed(range(1, ATTEMPTS)):
            try:
                return verb(*args, **kwargs)
            except DatabaseError as error:
                if not may_succeed_again(error) or connection.in_atomic_block:
                    raise
                logger.info(
                    "%s failed with %s: retried, at most %d more times", verb.__qualname__, sqlstate(error), left
                )
                # Jitter, so that the same transactions do not deadlock again; well below the lock timeout.
                time.sleep(random.uniform(0.001, 0.02))  # noqa: S311  # need not be unguessable
        return verb(*args, **kwargs)

    return attempt
