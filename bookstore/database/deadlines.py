"""Client-side timeouts for answers of the database.

PostgreSQL ends a statement after `statement_timeout`, but not if it is frozen, or if a pooler or the network drops its
answer. Two timeouts here cover that. Each closes the connection, because the outcome of the statement is unknown:

- a statement's, a little more than `statement_timeout`, so that a working server reports the timeout first;
- a request's, from its arrival in the queue until its last statement, where `bookstore/server/admission.py` sets one.
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

# Looked up once: it runs for every statement.
wait = psycopg.Connection.wait
INFINITE = math.inf

# Seconds added to the server's timeout, so that the server reports it first.
MARGIN = 0.5
# Seconds, if the setting is 0, which means the server's own timeout, unknown here.
UNKNOWN = 5
# Seconds: the smallest connect_timeout of psycopg and libpq.
SHORTEST_CONNECT = 2


def answer_timeout(statement_timeout: int) -> float:
    """The timeout of a statement, in seconds, for a server's `statement_timeout`."""
    return (statement_timeout or UNKNOWN) + MARGIN


def request_timeout(statement_timeout: int) -> float:
    """The timeout of a request, in seconds: 5.5, or the longest statement's.

    It includes the time in the queue and for connecting.
    """
    return max(statement_timeout, UNKNOWN) + MARGIN


class _Own(threading.local):
    """The deadline of this thread's request; infinite without a request."""

    ends_at = math.inf


_own = _Own()


def left() -> float:
    """Seconds until this thread's request must have its answer; infinite outside of one."""
    return _own.ends_at - monotonic()


def begin(seconds: float) -> None:
    """Starts the deadline of this thread's request."""
    _own.ends_at = monotonic() + seconds


def end() -> None:
    _own.ends_at = math.inf


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """`begin` and `end` as a context manager, a microsecond slower."""
    begin(seconds)
    try:
        yield
    finally:
        end()


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """A shorter deadline inside the `with`; afterwards the request's own again."""
    ends_at = _own.ends_at
    _own.ends_at = min(ends_at, monotonic() + seconds)
    try:
        yield
    finally:
        _own.ends_at = ends_at


class Connection(psycopg.Connection[Any]):
    """A connection with a timeout for each answer."""

    answer_timeout = math.inf  # seconds

    @classmethod
    def connect(  # type: ignore[override]  # takes all keywords of psycopg and one of ours
        cls, conninfo: str = "", *, answer_timeout: float = math.inf, connect_timeout: str | int = 0, **options: Any
    ) -> Self:
        """Raises OperationalError when the request has less time left than a connect may need."""
        seconds = left()
        if seconds < SHORTEST_CONNECT:
            raise psycopg.OperationalError("the request has too little time left to connect")
        if seconds < math.inf:
            connect_timeout = min(int(connect_timeout) or UNKNOWN, int(seconds))
        connection = super().connect(conninfo, connect_timeout=connect_timeout, **options)
        connection.answer_timeout = answer_timeout
        return connection

    def wait(self, gen: PQGen[R], interval: float = 0.1, timeout: float | None = None) -> R:
        """Waits for a round trip. At the timeout closes the connection and raises OperationalError.

        When it is closed before a statement is sent, the statement has not run.
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
                raise  # with the message of the server or the network
            raise self.given_up(seconds) from error

    def seconds_to_answer(self) -> float:
        """The timeout of the next statement. Without time left, closes the connection and raises OperationalError."""
        seconds = _own.ends_at - monotonic()
        if seconds > self.answer_timeout:
            seconds = self.answer_timeout
        if seconds <= 0:
            self.pgconn.finish()
            raise psycopg.OperationalError("the request has used up its time: its connection is given up")
        return seconds

    def given_up(self, seconds: float) -> psycopg.OperationalError:
        """The error at a timeout. Closes the connection."""
        self.pgconn.finish()
        return psycopg.OperationalError(f"no answer within {seconds:.1f} s: the connection is given up")


# Passed to Django as the driver module.
driver = SimpleNamespace(**{**vars(psycopg), "connect": Connection.connect})
