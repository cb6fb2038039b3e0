"""How the service behaves when the database is slow, busy or away. docs/decisions/0009-faults.md says why.

`base.py` is the ENGINE of `DATABASES`: Django's PostgreSQL, with bounds on waiting. Here is what errors mean.
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
TRANSIENT = frozenset({"40001", "40P01"})  # serialization_failure, deadlock_detected: the same again may succeed
READ_ONLY = "25006"  # a primary became a standby, or was closed to writers

ATTEMPTS = 4  # one, and three more


def name_of(connection: Any) -> str:
    """Which database this is, for a person: without user and password. `db.example:5432/bookstore`."""
    settings = connection.settings_dict
    if connection.vendor == "sqlite":
        return str(settings["NAME"])
    hosts = str(settings["HOST"] or "the local socket").split(",")
    ports = str(settings["PORT"] or "").split(",")
    if len(ports) != len(hosts):  # one for all of them
        ports = ports[:1] * len(hosts)
    return f"{','.join(f'{host}:{port or 5432}' for host, port in zip(hosts, ports, strict=True))}/{settings['NAME']}"


def sqlstate(error: BaseException) -> str:
    """PostgreSQL's code of an error of Django's; empty where there is none (SQLite, a connection that is not there)."""
    return getattr(error.__cause__, "sqlstate", None) or ""


def is_unavailable(error: BaseException) -> bool:
    """Whether the database is away or too busy, so that asking again later is the remedy; else it is a bug.

    OperationalError is what drivers raise for lost connections, timeouts, deadlocks, "too many connections" and
    "database is locked". SQLite raises it for a table that is missing, too, which the log then says.
    """
    return isinstance(error, OperationalError | InterfaceError) or (
        isinstance(error, DatabaseError) and sqlstate(error) == READ_ONLY
    )


def is_outdated(error: BaseException) -> bool:
    """Whether a prepared statement was refused because a migration changed the type of what it answers.

    Nothing was executed, and prepared anew the same statement succeeds. psycopg's error, or Django's of it.
    """
    cause = error.__cause__ or error
    return (
        isinstance(cause, psycopg.errors.FeatureNotSupported)
        and cause.diag.source_function == "RevalidateCachedQuery"  # in every language of the server's messages
    )


def note_unavailable(error: BaseException) -> None:
    """Writes one line, without values, and lets go of a connection that is of no more use.

    A connection that is lost Django drops at the end of the request. One to a server that only reads works, and would
    be kept for ever.
    """
    reason = (str(error).strip() or type(error).__name__).splitlines()[0]
    logger.warning("The database does not serve: %s %s", sqlstate(error) or type(error).__name__, reason)
    if sqlstate(error) == READ_ONLY and not connection.in_atomic_block:
        connection.close()


def may_succeed_again(error: BaseException) -> bool:
    """Whether the same transaction, run again at once, may well succeed."""
    return sqlstate(error) in TRANSIENT or is_outdated(error)


def retrying(verb: Callable[P, R]) -> Callable[P, R]:
    """Decorator of a whole verb: runs it again, up to three times, after a deadlock, a serialization failure or an
    outdated statement.

    The verb must open its transaction itself and may have no effect outside the database. Within a caller's transaction
    nothing is retried: that transaction has failed, and only its owner can begin it again. Costs nothing otherwise.
    """

    @functools.wraps(verb)
    def attempt(*args: P.args, **kwargs: P.kwargs) -> R:
        for left in reversed(range(1, ATTEMPTS)):
            try:
                return verb(*args, **kwargs)
            except DatabaseError as error:
                if not may_succeed_again(error) or connection.in_atomic_block:
                    raise
                logger.info("%s met %s: again, %d times more at most", verb.__qualname__, sqlstate(error), left)
                # Different for each of those that met, so that they do not meet again; well below a lock's timeout.
                time.sleep(random.uniform(0.001, 0.02))  # noqa: S311  # nobody gains by guessing it
        return verb(*args, **kwargs)

    return attempt
