"""How long an answer of the database is waited for, on this side of the network.

PostgreSQL ends a statement by itself after `statement_timeout`. It cannot when it is frozen, or when a pooler or the
network swallows what it says: TCP acknowledges what was sent, and then nothing comes. Two bounds hold here, and whoever
runs into one gives the connection up, because nobody knows what the other end made of the statement:

- each statement's, a little more than `statement_timeout`, so that a server that works is the one that says so;
- the request's, from its arrival in the queue until its last statement, where `bookstore/server/admission.py` sets one.
"""

import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from types import SimpleNamespace
from typing import Any, Self, TypeVar

import psycopg
from psycopg.abc import PQGen

R = TypeVar("R")

# Looked up once: every statement comes by here.
wait = psycopg.Connection.wait
INFINITE = math.inf

# Seconds that the server has, beyond its own timeout, to say that a statement took too long.
MARGIN = 0.5
# Seconds, where a timeout is left to the server (0) and is not known here.
UNKNOWN = 5
# Seconds: what psycopg and libpq give a connection at least.
SHORTEST_CONNECT = 2


def answer_timeout(statement_timeout: int) -> float:
    """The bound of a statement, in seconds, that goes with a server's `statement_timeout`."""
    return (statement_timeout or UNKNOWN) + MARGIN


def request_timeout(statement_timeout: int) -> float:
    """The bound of a request: five seconds and a half, or what its longest statement may take.

    Less would not do: it stands in line and connects before it asks anything.
    """
    return max(statement_timeout, UNKNOWN) + MARGIN


class _Own(threading.local):
    """What this thread's request has; a thread without one has all the time there is."""

    ends_at = math.inf


_own = _Own()


def left() -> float:
    """Seconds until this thread's request must have its answer; infinite outside of one."""
    return _own.ends_at - monotonic()


def begin(seconds: float) -> None:
    """From here on this thread works on a request that may use the database for so long."""
    _own.ends_at = monotonic() + seconds


def end() -> None:
    _own.ends_at = math.inf


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """`begin` and `end`, where a microsecond more does not matter."""
    begin(seconds)
    try:
        yield
    finally:
        end()


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Inside, this thread's request has no more than so many of its seconds; afterwards what is left of all of them."""
    ends_at = _own.ends_at
    _own.ends_at = min(ends_at, monotonic() + seconds)
    try:
        yield
    finally:
        _own.ends_at = ends_at


class Connection(psycopg.Connection[Any]):
    """Waits for each answer as long as it may, and no longer."""

    answer_timeout = math.inf  # seconds

    @classmethod
    def connect(  # type: ignore[override]  # every keyword of psycopg's is taken, and one of ours
        cls, conninfo: str = "", *, answer_timeout: float = math.inf, connect_timeout: str | int = 0, **options: Any
    ) -> Self:
        """Does not begin what the request has no time for. Raises OperationalError."""
        seconds = left()
        if seconds < SHORTEST_CONNECT:
            raise psycopg.OperationalError("the request has too little time left to connect")
        if seconds < math.inf:
            connect_timeout = min(int(connect_timeout) or UNKNOWN, int(seconds))
        connection = super().connect(conninfo, connect_timeout=connect_timeout, **options)
        connection.answer_timeout = answer_timeout
        return connection

    def wait(self, gen: PQGen[R], interval: float = 0.1, timeout: float | None = None) -> R:
        """Where every round trip waits. Raises OperationalError, and the connection is closed.

        A connection that is given up before a statement is sent has nothing of it done.
        """
        if timeout is not None:
            return wait(self, gen, interval, timeout)
        seconds = self.seconds_to_answer()
        if seconds == INFINITE:
            return wait(self, gen, interval)
        begun = monotonic()
        try:
            return wait(self, gen, interval, seconds)
        except psycopg.OperationalError as error:
            if error.sqlstate or monotonic() - begun < seconds:
                raise  # in the words of the server, or of the network
            raise self.given_up(seconds) from error

    def seconds_to_answer(self) -> float:
        """For what is about to be sent. Raises OperationalError, and the connection is closed, when none are left."""
        seconds = _own.ends_at - monotonic()
        if seconds > self.answer_timeout:
            seconds = self.answer_timeout
        if seconds <= 0:
            self.pgconn.finish()
            raise psycopg.OperationalError("the request has used up its time: its connection is given up")
        return seconds

    def given_up(self, seconds: float) -> psycopg.OperationalError:
        """What is raised when they have passed; the connection is closed."""
        self.pgconn.finish()
        return psycopg.OperationalError(f"no answer within {seconds:.1f} s: the connection is given up")


# What Django takes for the driver.
driver = SimpleNamespace(**{**vars(psycopg), "connect": Connection.connect})
