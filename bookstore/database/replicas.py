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
from contextlib import contextmanager, suppress
from threading import Lock, Thread, local
from typing import Any, NamedTuple, ParamSpec, TypeVar

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, DatabaseError, InterfaceError, connections
from django.http.response import HttpResponseBase

from bookstore.database import TRANSIENT, deadlines, is_unavailable, name_of, sqlstate

logger = logging.getLogger("bookstore.database")

P = ParamSpec("P")
R = TypeVar("R", bound=HttpResponseBase)

INTERVAL = 1.0  # seconds between two looks
# Seconds that the primary has to answer where a replica that lags could. Less than the line's patience: those who stand
# behind a request that meets a hanging primary then still get its place, and its news.
PRIMARY_ANSWERS = 1.0

# Positions in the write-ahead log as numbers. No right is needed for either, and no clock but our own is compared.
PRIMARY = "SELECT (pg_current_wal_flush_lsn() - '0/0')::bigint"
REPLICA = "SELECT pg_is_in_recovery(), (pg_last_wal_replay_lsn() - '0/0')::bigint"


class Finding(NamedTuple):
    """Of one look at one replica: why it may not be read, empty when it may, and whether that is only its lag."""

    reason: str = ""
    is_late: bool = False


class Watch:
    """Which replicas may be read now.

    The lag of a replica is the age of what it has replayed: of the newest position that the primary was seen at and
    the replica has reached. So an idle primary is no lag, a paused or disconnected replica is one as soon as the
    primary moves on, and clocks do not matter. While the primary is away it does not move on: what was well stays so,
    even the one that is just being promoted.

    A replica that only lags is kept apart: it answers where nobody else does. In a split brain all of them seem to lag,
    because the leader that is cut off goes on writing down what nobody gets acknowledged.
    """

    def __init__(self, aliases: tuple[str, ...], *, max_lag: float) -> None:
        self.aliases, self.max_lag = aliases, max_lag
        self.well: tuple[str, ...] = ()
        self.late: tuple[str, ...] = ()  # passed over for their lag alone
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

    def choose_late(self) -> str | None:
        """A replica that lags and else is well, any of them."""
        late = self.late
        return random.choice(late) if late else None  # noqa: S311  nobody gains by guessing it

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
                self.well = self.late = ()
                logger.exception("The replicas cannot be watched: the primary answers")
            time.sleep(INTERVAL)

    def look(self) -> None:
        """One look at each server, on this thread's connections. Two statements, and one for each further replica."""
        self.look_at_primary()
        for alias in self.aliases:
            began = time.monotonic()
            reason, is_late = self.look_at(alias)
            with self._mutex:
                if self.failed.get(alias, 0) >= began:
                    continue  # a request knows better, until the next look
                before = self.well
                self.late = without(alias, self.late) + ((alias,) if is_late else ())
                if not reason and alias not in before:
                    self.well = (*before, alias)
                    logger.info("%s is read: %s", alias, name_of(connections[alias]))
                elif reason and alias in before:
                    self.well = without(alias, before)
                    logger.warning("%s is passed over: %s %s", alias, name_of(connections[alias]), reason)

    def look_at_primary(self) -> None:
        asked = time.monotonic()
        try:
            ((position,),) = rows(DEFAULT_DB_ALIAS, PRIMARY)
        except (DatabaseError, InterfaceError):
            self.primary_answers = False
            return
        self.positions.append((asked, position))
        self.primary_answers = True
        while asked - self.positions[0][0] > self.max_lag + 2 * INTERVAL:
            self.positions.popleft()

    def look_at(self, alias: str) -> Finding:
        try:
            ((in_recovery, position),) = rows(alias, REPLICA)
        except (DatabaseError, InterfaceError) as error:
            return Finding(f"does not answer ({first_line(error)})")
        if not in_recovery:
            if self.primary_answers or alias not in self.well + self.late:
                return Finding("is no standby")
            return Finding() if alias in self.well else Finding("is no standby any more", is_late=True)
        if position is None:
            return Finding("has replayed nothing yet")
        if not self.positions:
            return Finding("cannot be compared with the primary, which was not seen yet", is_late=True)
        reached = next((when for when, where in reversed(self.positions) if where <= position), None)
        if reached is None or self.positions[-1][0] - reached > self.max_lag:
            return Finding(f"is more than {self.max_lag} s behind", is_late=True)
        return Finding()

    def pass_over(self, alias: str, error: BaseException) -> None:
        """A request found it away: nobody else asks it until the next look finds it well."""
        with self._mutex:
            self.failed[alias] = time.monotonic()
            self.well, self.late = without(alias, self.well), without(alias, self.late)
        logger.warning("%s is passed over: %s", alias, first_line(error))

    def miss_primary(self, error: BaseException) -> None:
        """A request found it away: the others ask a replica that lags first, until the next look finds it back."""
        with self._mutex:
            self.failed[DEFAULT_DB_ALIAS] = time.monotonic()
        logger.warning("The primary does not serve, and replicas that lag are read: %s", first_line(error))

    @property
    def misses_primary(self) -> bool:
        """Whether the last look, or a request since, found it away."""
        return not self.primary_answers or self.failed.get(DEFAULT_DB_ALIAS, 0) >= self.positions[-1][0]


def without(alias: str, aliases: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(each for each in aliases if each != alias)


def first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]


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
