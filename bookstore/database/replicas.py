"""The public catalogue from replicas: which of them may be read, and what is read there.

Only what a view's `from_replicas` encloses is read from a replica, and only that: a model's reads elsewhere, carts,
accounts, the admin, commands and every write stay on the primary. docs/decisions/0012-replicas.md says why.

A thread of each process looks at the primary and at the replicas once a second, on connections of its own. Requests
only read what it found, so none of them waits for a server that is away.
"""

import functools
import logging
import random
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock, Thread, local
from typing import Any, ParamSpec, TypeVar

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, DatabaseError, InterfaceError, connections

from bookstore.database import TRANSIENT, is_unavailable, name_of, sqlstate

logger = logging.getLogger("bookstore.database")

P = ParamSpec("P")
R = TypeVar("R")

INTERVAL = 1.0  # seconds between two looks

# Positions in the write-ahead log as numbers. No right is needed for either, and no clock but our own is compared.
PRIMARY = "SELECT (pg_current_wal_flush_lsn() - '0/0')::bigint"
REPLICA = "SELECT pg_is_in_recovery(), (pg_last_wal_replay_lsn() - '0/0')::bigint"


class Watch:
    """Which replicas may be read now.

    The lag of a replica is the age of what it has replayed: of the newest position that the primary was seen at and
    the replica has reached. So an idle primary is no lag, a paused or disconnected replica is one as soon as the
    primary moves on, and clocks do not matter. While the primary is away it does not move on: what was well stays so,
    even the one that is just being promoted.
    """

    def __init__(self, aliases: tuple[str, ...], *, max_lag: float) -> None:
        self.aliases, self.max_lag = aliases, max_lag
        self.well: tuple[str, ...] = ()
        self.primary_answers = False
        self.failed: dict[str, float] = {}  # when a request last found it away
        self.positions: deque[tuple[float, int]] = deque()  # of the primary: when, and where at least
        self._thread: Thread | None = None
        self._mutex = Lock()

    def choose(self) -> str | None:
        """A replica that is well, any of them; None when the primary must answer. The first call begins to look."""
        if self._thread is None or not self._thread.is_alive():  # a process that was forked has no thread any more
            self.begin()
        well = self.well
        return random.choice(well) if well else None  # noqa: S311  nobody gains by guessing it

    def begin(self) -> None:
        with self._mutex:
            if self._thread is None or not self._thread.is_alive():
                self._thread = Thread(target=self.look_for_ever, name="bookstore-replicas", daemon=True)
                self._thread.start()

    def look_for_ever(self) -> None:
        while True:
            try:
                self.look()
            except Exception:
                self.well = ()
                logger.exception("The replicas cannot be watched: the primary answers")
            time.sleep(INTERVAL)

    def look(self) -> None:
        """One look at each server, on this thread's connections. Two statements, and one for each further replica."""
        self.look_at_primary()
        for alias in self.aliases:
            began = time.monotonic()
            reason = self.look_at(alias)
            with self._mutex:
                if self.failed.get(alias, 0) >= began:
                    continue  # a request knows better, until the next look
                before = self.well
                if not reason and alias not in before:
                    self.well = (*before, alias)
                    logger.info("%s is read: %s", alias, name_of(connections[alias]))
                elif reason and alias in before:
                    self.well = tuple(each for each in before if each != alias)
                    logger.warning("%s is passed over: %s %s", alias, name_of(connections[alias]), reason)

    def look_at_primary(self) -> None:
        asked = time.monotonic()
        try:
            ((position,),) = rows(DEFAULT_DB_ALIAS, PRIMARY)
        except (DatabaseError, InterfaceError):
            self.primary_answers = False
            return
        self.primary_answers = True
        self.positions.append((asked, position))
        while asked - self.positions[0][0] > self.max_lag + 2 * INTERVAL:
            self.positions.popleft()

    def look_at(self, alias: str) -> str:
        """Why it may not be read; empty when it may."""
        try:
            ((in_recovery, position),) = rows(alias, REPLICA)
        except (DatabaseError, InterfaceError) as error:
            return f"does not answer ({(str(error).strip() or type(error).__name__).splitlines()[0]})"
        if not in_recovery:
            return "is no standby" if self.primary_answers or alias not in self.well else ""
        if position is None or not self.positions:
            return "cannot be compared with the primary, which was not seen yet"
        reached = next((when for when, where in reversed(self.positions) if where <= position), None)
        if reached is None or self.positions[-1][0] - reached > self.max_lag:
            return f"is more than {self.max_lag} s behind"
        return ""

    def pass_over(self, alias: str, error: BaseException) -> None:
        """A request found it away: nobody else asks it until the next look finds it well."""
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        with self._mutex:
            self.failed[alias] = time.monotonic()
            self.well = tuple(each for each in self.well if each != alias)
        logger.warning("%s is passed over: %s", alias, reason)


def rows(alias: str, sql: str) -> list[Any]:
    """On this thread's own connection, which does not outlive an error."""
    connection = connections[alias]
    connection.close_if_unusable_or_obsolete()
    try:
        with connection.cursor() as cursor:
            cursor.execute(sql)
            found: list[Any] = cursor.fetchall()
            return found
    except (DatabaseError, InterfaceError):
        connection.close()
        raise


@functools.cache
def watch() -> Watch:
    """The one of this process."""
    return Watch(tuple(settings.REPLICAS), max_lag=settings.REPLICA_MAX_LAG)


# --- What is read there --------------------------------------------------------------------------------------------
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

    A server has many threads, and only as many of them run a request at once as it has places (bookstore/overload.py).
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
    return bool(request.headers.get("Authorization")) or settings.SESSION_COOKIE_NAME in request.COOKIES


def from_replicas(view: Callable[P, R]) -> Callable[P, R]:
    """Decorator of a view's method that only reads, and whose answer holds no query that is yet to run.

    Whatever a replica cannot answer the primary is asked, once: a lost connection, a query that the standby cancelled,
    a column that a migration has not yet brought there.
    """

    @functools.wraps(view)
    def answer(*args: P.args, **kwargs: P.kwargs) -> R:
        alias = None if not settings.REPLICAS or reads_primary(args[1]) else watch().choose()
        if alias is None:
            return view(*args, **kwargs)
        try:
            with reading_from(alias):
                return view(*args, **kwargs)
        except (DatabaseError, InterfaceError) as error:
            if is_unavailable(error) and sqlstate(error) not in TRANSIENT:
                watch().pass_over(alias, error)
            else:
                logger.warning("%s could not answer, and the primary is asked: %s", alias, sqlstate(error))
        return view(*args, **kwargs)

    return answer
