"""Chooses the replicas to read from: those that answer, are standbys, and do not lag far behind the primary.

A thread of each process checks the primary and the replicas once a second, on its own connections. Requests only read
the results, so none of them waits for a server that is down.
"""

import functools
import logging
import random
import time
from collections import deque
from threading import Lock, Thread
from typing import Any, NamedTuple

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, DatabaseError, InterfaceError, connections

from bookstore.database import first_line, name_of

logger = logging.getLogger("bookstore.database")

INTERVAL = 1.0  # seconds between two checks

# Positions in the write-ahead log, as numbers. Neither query needs a privilege, and only our own clock is used.
PRIMARY = "SELECT (pg_current_wal_flush_lsn() - '0/0')::bigint"
REPLICA = "SELECT pg_is_in_recovery(), (pg_last_wal_replay_lsn() - '0/0')::bigint"


class Finding(NamedTuple):
    """The result of a check: the reason not to read the replica, "" if it may be read; and whether it only lags."""

    reason: str = ""
    is_late: bool = False


class Watch:
    """The state of the replicas, as last checked.

    The lag of a replica is the time since the primary was seen at the newest position that the replica has reached. So
    an idle primary causes no lag, a paused or disconnected replica lags as soon as the primary writes, and clocks of
    the servers do not matter. While the primary is down its position is unchanged: a good replica stays good, even one
    that is just being promoted.

    A replica that only lags is in `late`, the last fallback. In a split brain all replicas seem to lag, because the
    isolated leader goes on writing log that it never acknowledges.
    """

    def __init__(self, aliases: tuple[str, ...], *, max_lag: float) -> None:
        self.aliases, self.max_lag = aliases, max_lag
        self.well: tuple[str, ...] = ()
        self.late: tuple[str, ...] = ()  # passed over for their lag alone
        self.lag: dict[str, float] = {}  # seconds, by the last look at each that could be compared
        self.primary_answers = False
        self.failed: dict[str, float] = {}  # time of the last failed request
        self.positions: deque[tuple[float, int]] = deque()  # of the primary: (time, log position)
        self._thread: Thread | None = None
        self._mutex = Lock()

    def choose(self) -> str | None:
        """A random good replica; None: use the primary. The first call starts the thread."""
        if self._thread is None or not self._thread.is_alive():  # the thread does not survive a fork
            self.begin()
        well = self.well
        return random.choice(well) if well else None  # noqa: S311  # nobody gains by guessing it

    def choose_late(self) -> str | None:
        """A random replica that is good except for its lag."""
        late = self.late
        return random.choice(late) if late else None  # noqa: S311  # nobody gains by guessing it

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
                logger.exception("The check of the replicas failed: the primary is read")
            time.sleep(INTERVAL)

    def look(self) -> None:
        """Checks each server, on this thread's connections. Two statements, and one for each further replica."""
        self.check_primary()
        for alias in self.aliases:
            began = time.monotonic()
            reason, is_late = self.check_replica(alias)
            with self._mutex:
                if self.failed.get(alias, 0) >= began:
                    continue  # a request failed on it meanwhile: skip it until the next check
                before = self.well
                self.late = without(alias, self.late) + ((alias,) if is_late else ())
                if not reason and alias not in before:
                    self.well = (*before, alias)
                    logger.info("%s is read: %s", alias, name_of(connections[alias]))
                elif reason and alias in before:
                    self.well = without(alias, before)
                    logger.warning("%s is skipped: %s %s", alias, name_of(connections[alias]), reason)

    def check_primary(self) -> None:
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

    def check_replica(self, alias: str) -> Finding:
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
        self.lag[alias] = self.positions[-1][0] - (self.positions[0][0] if reached is None else reached)
        if reached is None or self.lag[alias] > self.max_lag:
            return Finding(f"is more than {self.max_lag} s behind", is_late=True)
        return Finding()

    def pass_over(self, alias: str, error: BaseException) -> None:
        """Call it after a request failed on the replica: it is skipped until the next check finds it good."""
        with self._mutex:
            self.failed[alias] = time.monotonic()
            self.well, self.late = without(alias, self.well), without(alias, self.late)
        logger.warning("%s is skipped: %s", alias, first_line(error))

    def miss_primary(self, error: BaseException) -> None:
        """Call it after a request failed on the primary: others try a lagging replica first, until a check succeeds."""
        with self._mutex:
            self.failed[DEFAULT_DB_ALIAS] = time.monotonic()
        logger.warning("The primary is unavailable, so lagging replicas are read: %s", first_line(error))

    @property
    def misses_primary(self) -> bool:
        """Whether the last check of the primary, or a later request, failed."""
        return not self.primary_answers or self.failed.get(DEFAULT_DB_ALIAS, 0) >= self.positions[-1][0]


def without(alias: str, aliases: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(each for each in aliases if each != alias)


def rows(alias: str, sql: str) -> list[Any]:
    """Runs a query on this thread's own connection; closes it after an error."""
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
    """The Watch of this process."""
    return Watch(tuple(settings.REPLICAS), max_lag=settings.REPLICA_MAX_LAG)
