"""Who waits, and for how long, when more requests come than can be served.

A worker runs `THREADS` requests at once, each on a database connection that it keeps, and as many that change something
beside them: a change waits for the disk, and leaves the processor to another. The others stand in line here, with their
body read: a client that sends slowly holds up nobody. Who has stood for `PATIENCE` seconds, or finds the line full, is
told 503 at once; so neither a table that is locked nor a crowd lets a request hang. `/health` never stands in line.
"""

import math
from collections import deque
from collections.abc import Callable, Iterable
from io import BytesIO
from threading import Lock
from time import perf_counter
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections
from django.http.response import HttpResponseBase

from bookstore.api.errors import InternalError, ParseError
from bookstore.database import deadlines

# Seconds. A little less than the two in which everybody is told that the database is away; with one place and four
# Argon2 hashes before one, on a machine that does other things as well, a second is not enough.
PATIENCE = 1.8
# Requests of one worker that may be here at once: a thread's stack each, and nothing else. `manage.py serve` has one
# thread more than that, so that there is always one to say 503.
LARGEST_LINE = 256

# Staff may wait longer than a customer: for an import, say. Each statement there has its own bound, as everywhere.
STAFF = "/admin/"

# What only reads is done by the processor, and one after the other is quickest.
READS = frozenset({"GET", "HEAD", "OPTIONS"})

# Asks no database, and must be answered while everything else waits.
NEVER_WAITS = frozenset({"/health", "/health/"})

StartResponse = Callable[..., Any]
Application = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]


class TooBusy(Exception):
    """No place became free in time."""


class CutShort(ParseError):
    """Less of a body came than its Content-Length says: the client went, or counts wrongly.

    What did come may well be whole JSON, and mean something else than what was to come.
    """

    def __init__(self, announced: int, came: int) -> None:
        super().__init__(f"The body was cut short: {announced} bytes were announced, {came} came.")


class Waiter:
    """One who stands in line: the connection is put into their hand, and the gate is opened."""

    __slots__ = ("changes", "connection", "gate")

    def __init__(self, *, changes: bool) -> None:
        self.changes = changes
        self.connection: Any = None
        self.gate = Lock()
        self.gate.acquire()


class Line:
    """Hands connections to those who stand in line, first come, first served: `places` to anybody, and beside them
    `for_changes` to those who change something.

    A queue of the standard library would let whoever has just given a place back take it again, past the others.
    """

    def __init__(
        self, places: int, *, for_changes: int = 0, patience: float = PATIENCE, largest: int = LARGEST_LINE
    ) -> None:
        self.places, self.patience, self.largest = places + for_changes, patience, largest
        self._mutex = Lock()
        self._here = 0
        self._waiting: deque[Waiter] = deque()
        self.free = [connections.create_connection(DEFAULT_DB_ALIAS) for _ in range(places)]
        self.free_for_changes = [connections.create_connection(DEFAULT_DB_ALIAS) for _ in range(for_changes)]
        self._for_changes = frozenset(self.free_for_changes)
        for connection in self.free + self.free_for_changes:
            connection.inc_thread_sharing()  # by one thread at a time: whoever has the place

    @property
    def taken(self) -> int:
        """How many places are taken now."""
        return self.places - len(self.free) - len(self.free_for_changes)

    @property
    def waiting(self) -> int:
        """How many stand in line now."""
        return len(self._waiting)

    def __enter__(self) -> "Line":
        with self._mutex:
            if self._here >= self.largest:
                raise TooBusy
            self._here += 1
        return self

    def __exit__(self, *error: object) -> None:
        with self._mutex:
            self._here -= 1

    def take(self, *, changes: bool = False) -> Any:
        """A connection, which is this thread's until `give_back`. Raises TooBusy."""
        waiter = None
        with self._mutex:
            if changes and self.free_for_changes:
                connection = self.free_for_changes.pop()
            elif self.free:
                connection = self.free.pop()
            else:
                waiter = Waiter(changes=changes)
                self._waiting.append(waiter)
        if waiter:
            connection = self._wait(waiter)
        connections[DEFAULT_DB_ALIAS] = connection
        return connection

    def _wait(self, waiter: Waiter) -> Any:
        if not waiter.gate.acquire(timeout=self.patience):
            with self._mutex:
                if waiter.connection is None:  # else it came in this very moment
                    self._waiting.remove(waiter)
                    raise TooBusy
        return waiter.connection

    def give_back(self, connection: Any) -> None:
        del connections[DEFAULT_DB_ALIAS]
        for_changes = connection in self._for_changes
        with self._mutex:
            first = next((waiter for waiter in self._waiting if waiter.changes or not for_changes), None)
            if first is not None:
                self._waiting.remove(first)
                first.connection = connection
                first.gate.release()
            else:
                (self.free_for_changes if for_changes else self.free).append(connection)


class InLine:
    """The WSGI application that lets requests through to Django's."""

    def __init__(
        self,
        application: Callable[..., HttpResponseBase],
        line: Line,
        *,
        largest_body: int,
        refuse: Callable[..., Iterable[bytes]],
        longest: float = math.inf,
    ) -> None:
        self.application, self.line = application, line
        self.largest_body = largest_body
        self.longest = longest  # seconds from standing in line to the last answer of the database
        # Called as a WSGI application, with the moment at which the request came, and the error if it is no 503.
        self.refuse = refuse

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        begun = perf_counter()
        try:
            if environ.get("PATH_INFO") in NEVER_WAITS:
                return self.application(environ, start_response)
            with self.line:
                self.read_body(environ)
                # From here on, so that standing in line counts.
                deadlines.begin(math.inf if environ.get("PATH_INFO", "").startswith(STAFF) else self.longest)
                return self.serve(environ, start_response)
        except TooBusy:
            return self.refuse(environ, start_response, begun)
        except CutShort as error:
            return self.refuse(environ, start_response, begun, error)
        except Exception:  # that Django made no answer of: it happened before its handler, or after
            return self.refuse(environ, start_response, begun, InternalError())
        finally:
            deadlines.end()

    def serve(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        connection = self.line.take(changes=environ.get("REQUEST_METHOD") not in READS)
        try:
            response = self.application(environ, start_response)
            if response.streaming:
                return response
            # Ended here, with the connection still in hand: Django looks after it when a request is over.
            content = [response.content]  # type: ignore[attr-defined]
            response.close()
            return content
        finally:
            self.line.give_back(connection)

    def read_body(self, environ: dict[str, Any]) -> None:
        """Before a place is taken. A body that is refused for its size is not read at all. Raises CutShort.

        One that comes in chunks does not tell its size, and Django would take it for empty: a change would be answered
        200, and not be made. So it is read as far as the limit, and one byte more for Django to refuse. Whether its
        last chunk came cannot be asked: docs/decisions/0005-errors.md.
        """
        if "HTTP_TRANSFER_ENCODING" in environ:  # a Content-Length beside it says nothing, or lies
            body = environ["wsgi.input"].read(self.largest_body + 1)
            environ["wsgi.input"], environ["CONTENT_LENGTH"] = BytesIO(body), str(len(body))
            return
        length = environ.get("CONTENT_LENGTH") or ""
        if length.isascii() and length.isdigit() and 0 < int(length) <= self.largest_body:
            announced = int(length)
            body = environ["wsgi.input"].read(announced)
            if len(body) < announced:
                raise CutShort(announced, len(body))
            environ["wsgi.input"] = BytesIO(body)
