"""Reads of the public catalogue from replicas, with fallbacks.

Only a view's method decorated with `from_replicas` reads from a replica. Carts, accounts, the admin, commands and every
write use the primary. docs/decisions/0012-replicas.md has the reasons; bookstore/database/lag.py chooses the replicas.
"""

import functools
import logging
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import local
from typing import Any, ParamSpec, TypeVar

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, DatabaseError, InterfaceError, connections
from django.http.response import HttpResponseBase

from bookstore.database import TRANSIENT, deadlines, is_unavailable, sqlstate
from bookstore.database.lag import watch

logger = logging.getLogger("bookstore.database")

P = ParamSpec("P")
R = TypeVar("R", bound=HttpResponseBase)

# Seconds that the primary has when a lagging replica could answer instead. Less than the queue's PATIENCE, so that
# requests in the queue still get the slot of one that met a hanging primary.
PRIMARY_ANSWERS = 1.0

reading = local()  # .alias: which replica this thread reads from
idle: defaultdict[str, deque[Any]] = defaultdict(deque)  # pooled connections not in use


class CatalogueRouter:
    """Django's database router. Installed only with DATABASE_REPLICA_URLS."""

    def db_for_read(self, model: Any, **hints: Any) -> str | None:
        return getattr(reading, "alias", None)

    def db_for_write(self, model: Any, **hints: Any) -> str:
        return DEFAULT_DB_ALIAS

    def allow_relation(self, one: Any, other: Any, **hints: Any) -> bool:
        return True  # a replica has the primary's rows

    def allow_migrate(self, alias: str, app_label: str, **hints: Any) -> bool | None:
        return None if alias == DEFAULT_DB_ALIAS else False


@contextmanager
def reading_from(alias: str) -> Iterator[None]:
    """Makes the ORM of this thread read from this replica.

    Connections are pooled: a worker has many threads, but runs at most as many requests at once as it has slots
    (bookstore/server/slots.py), and opens no more connections than that.
    """
    try:
        connection = idle[alias].pop()
    except IndexError:
        connection = connections.create_connection(alias)
        connection.inc_thread_sharing()  # used by one thread at a time
    # So that wrappers that count the statements of a request count these, too.
    connection.execute_wrappers = connections[DEFAULT_DB_ALIAS].execute_wrappers
    connections[alias] = connection
    reading.alias = alias
    try:
        connection.close_if_unusable_or_obsolete()
        yield
    finally:
        del reading.alias
        del connections[alias]
        connection.execute_wrappers = []
        idle[alias].append(connection)


def reads_primary(request: Any) -> bool:
    """Whether the request has a token or the staff's cookie: its caller must see its own recent writes."""
    sent = request.META
    return bool(sent.get("HTTP_AUTHORIZATION")) or (
        "HTTP_COOKIE" in sent and settings.SESSION_COOKIE_NAME in request.COOKIES
    )


class NotAnswered(Exception):
    """A replica could not answer; the log has the reason."""


def answer_of(alias: str, ask: Callable[[], R]) -> R:
    """The answer of a replica. Raises NotAnswered."""
    try:
        with reading_from(alias):
            return ask()
    except (DatabaseError, InterfaceError) as error:
        if is_unavailable(error) and sqlstate(error) not in TRANSIENT:
            watch().pass_over(alias, error)
        else:
            logger.warning("%s could not answer: %s", alias, sqlstate(error))
        raise NotAnswered from error


def late_answer_of(alias: str, ask: Callable[[], R]) -> R:
    """The answer of a lagging replica, with `no-store`. Raises NotAnswered."""
    answer = answer_of(alias, ask)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def seconds_for_primary() -> float:
    """The timeout of the primary, so that a lagging replica can still answer within the request's deadline."""
    primary = connections[DEFAULT_DB_ALIAS]
    primary.close_if_health_check_failed()
    connects = 0 if primary.connection else deadlines.SHORTEST_CONNECT
    return min(connects + PRIMARY_ANSWERS, deadlines.left() - deadlines.SHORTEST_CONNECT)


def primary_or_late(alias: str, ask: Callable[[], R]) -> R:
    """The answer of the primary; if it fails, of this lagging replica: a stale catalogue is better than none.

    After a request found the primary down, others try the replica first until a check succeeds: otherwise every slot
    would hang.
    """
    if watch().misses_primary:
        with suppress(NotAnswered):
            return late_answer_of(alias, ask)
        return ask()
    try:
        with deadlines.at_most(seconds_for_primary()):
            return ask()
    except (DatabaseError, InterfaceError) as error:
        if not is_unavailable(error):
            raise
        watch().miss_primary(error)
        with suppress(NotAnswered):
            return late_answer_of(alias, ask)
        raise


def from_replicas(view: Callable[P, R]) -> Callable[P, R]:
    """Decorator of a view's method that only reads, and whose response holds no lazy query.

    When a replica fails (a lost connection, a query that the standby cancelled, a column that it has not replayed yet),
    the primary answers; if that is down, too, a lagging replica. So the method is called up to three times.
    """

    @functools.wraps(view)
    def answer(*args: P.args, **kwargs: P.kwargs) -> R:
        ask = functools.partial(view, *args, **kwargs)
        if not settings.REPLICAS or reads_primary(args[1]):
            return ask()
        well = watch().choose()
        if well is not None:
            with suppress(NotAnswered):
                return answer_of(well, ask)
        late = watch().choose_late()
        return ask() if late is None else primary_or_late(late, ask)

    return answer
