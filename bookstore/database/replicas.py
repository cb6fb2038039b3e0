"""The public catalogue from replicas: what is read there, and what answers where none can.

Only what a view's `from_replicas` encloses is read from a replica, and only that: a model's reads elsewhere, carts,
accounts, the admin, commands and every write stay on the primary. docs/decisions/0012-replicas.md says why, and
bookstore/database/lag.py which of them may be read.
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

# Seconds that the primary has to answer where a replica that lags could. Less than the line's patience: those who stand
# behind a request that meets a hanging primary then still get its place, and its news.
PRIMARY_ANSWERS = 1.0

reading = local()  # .alias: which replica this thread reads from
idle: defaultdict[str, deque[Any]] = defaultdict(deque)  # connections that no thread has


class CatalogueRouter:
    """Django's database router. It is asked only where DATABASE_REPLICA_URLS is set."""

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
    """What this thread reads by the ORM inside comes from this replica.

    A server has many threads, and only as many of them run a request at once as it has slots
    (bookstore/server/slots.py).
    So connections go from hand to hand: there are never more of them than requests that run.
    """
    try:
        connection = idle[alias].pop()
    except IndexError:
        connection = connections.create_connection(alias)
        connection.inc_thread_sharing()  # by one thread at a time: whoever took it
    # Who measures a request's statements measures these, too.
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
    """Whether the caller may have written a moment ago, and wants to see it: who carries a token, or staff's cookie."""
    sent = request.META
    return bool(sent.get("HTTP_AUTHORIZATION")) or (
        "HTTP_COOKIE" in sent and settings.SESSION_COOKIE_NAME in request.COOKIES
    )


class NotAnswered(Exception):
    """A replica could not answer; why is in the log."""


def answer_of(alias: str, ask: Callable[[], R]) -> R:
    """What a replica answers. Raises NotAnswered."""
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
    """What a replica that lags answers; no cache on the way may keep it. Raises NotAnswered."""
    answer = answer_of(alias, ask)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def seconds_for_primary() -> float:
    """What a request leaves the primary of its time where a replica that lags could answer, too."""
    primary = connections[DEFAULT_DB_ALIAS]
    primary.close_if_health_check_failed()
    connects = 0 if primary.connection else deadlines.SHORTEST_CONNECT
    return min(connects + PRIMARY_ANSWERS, deadlines.left() - deadlines.SHORTEST_CONNECT)


def primary_or_late(alias: str, ask: Callable[[], R]) -> R:
    """What the primary answers, or this replica where the primary is away: an old catalogue is better than none.

    Who finds the primary away has waited for it. The others ask the replica first, until a look finds it back: else
    each place of the line would hang.
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
    """Decorator of a view's method that only reads, and whose answer holds no query that is yet to run.

    Whatever a replica cannot answer the primary is asked: a lost connection, a query that the standby cancelled, a
    column that a migration has not yet brought there. Where the primary is away as well, one that lags answers. So the
    method is called up to three times.
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
