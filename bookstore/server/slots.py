"""The slots of a worker, and the queue of requests before them.

A worker runs few requests at once: each needs a slot, and a slot is a database connection that passes from request to
request. The others queue here, first come, first served; one that has queued for PATIENCE seconds, or finds the queue
full, gets 503. So no request hangs because of a locked table or a crowd.

| slots | how many | who may take one |
|---|---|---|
| shared | THREADS | every request but staff's |
| for changes | THREADS | changes; a caller's own reads, while public reads hold the shared slots |
| for staff | 1 | /admin/ only, which takes no other |

So public reads (the catalogue, by any caller) never hold more than the shared slots, staff never more than theirs, and
neither stops a customer's cart. A change waits for the disk and leaves the CPU to another request; more concurrent
reads than THREADS would only slow each other down.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from enum import Enum
from itertools import count
from operator import attrgetter
from threading import Lock
from typing import Any

from django.apps import apps
from django.db import DEFAULT_DB_ALIAS, connections

from bookstore.server.limits import LARGEST_QUEUE

# Seconds. Less than the two in which a client learns that the database is down; one second is too short for a request
# behind four Argon2 hashes with one slot on a busy machine.
PATIENCE = 1.8
# Seconds that staff queue: a person waits for a page, where a storefront retries.
PATIENCE_OF_STAFF = 10.0

SHARED, FOR_CHANGES, FOR_STAFF = range(3)

STAFF_PREFIX = "/admin/"
READS = frozenset({"GET", "HEAD", "OPTIONS"})
# The load balancer's check: a crowd in the catalogue must not make a host look dead.
READINESS = "ready"


class TooBusy(Exception):
    """No slot became free in time, or the queue is full."""


class Kind(Enum):
    """The kinds of requests, by the slots that each may take."""

    PUBLIC = "public"
    OWN = "own"
    CHANGE = "change"
    STAFF = "staff"


def public_paths() -> frozenset[str]:
    """The first segments of the paths whose reads are public, as the apps' AppConfig name them (`public_paths`)."""
    return frozenset(name for config in apps.get_app_configs() for name in getattr(config, "public_paths", ()))


def kind_of(environ: Mapping[str, Any], public: frozenset[str]) -> Kind:
    """The kind of a WSGI request. A read is public without a token, and in the catalogue also with one."""
    path = environ.get("PATH_INFO", "")
    if path.startswith(STAFF_PREFIX):
        return Kind.STAFF
    if environ.get("REQUEST_METHOD", "").upper() not in READS:  # Django takes a `get` for a GET
        return Kind.CHANGE
    first = path[1:].partition("/")[0]
    if first == READINESS or ("HTTP_AUTHORIZATION" in environ and first not in public):
        return Kind.OWN
    return Kind.PUBLIC


class Waiter:
    """A queued request. Its thread waits on the gate until it gets a connection."""

    __slots__ = ("connection", "gate", "kind", "number")

    def __init__(self, kind: Kind, number: int) -> None:
        self.kind, self.number = kind, number
        self.connection: Any = None
        self.gate = Lock()
        self.gate.acquire()


class Slots:
    """The slots of one worker and the queue before them. Thread-safe.

    Not a queue of the standard library, where a thread that has just given a slot back can overtake the others.
    """

    def __init__(
        self,
        shared: int,
        *,
        for_changes: int = 0,
        for_staff: int = 0,
        patience: float = PATIENCE,
        largest: int = LARGEST_QUEUE,
    ) -> None:
        self.patience, self.largest, self.shared = patience, largest, shared
        self._mutex = Lock()
        self._here = 0
        self._own_reads = 0
        self._arrivals = count()
        # One queue for each kind, to find its first waiter quickly; `number` has the order of arrival.
        self._queues: dict[Kind, deque[Waiter]] = {kind: deque() for kind in Kind}
        self.free = [
            [connections.create_connection(DEFAULT_DB_ALIAS) for _ in range(number)]
            for number in (shared, for_changes, for_staff)
        ]
        self._group = {connection: group for group, free in enumerate(self.free) for connection in free}
        for connection in self._group:
            connection.inc_thread_sharing()  # used by one thread at a time: the one with the slot
        self.total = len(self._group)

    @property
    def taken(self) -> int:
        """The number of taken slots."""
        return self.total - sum(map(len, self.free))

    @property
    def waiting(self) -> int:
        """The number of queued requests."""
        return sum(map(len, self._queues.values()))

    def __enter__(self) -> "Slots":
        """Counts a request, with a slot or without. Raises TooBusy beyond `largest`."""
        with self._mutex:
            if self._here >= self.largest:
                raise TooBusy
            self._here += 1
        return self

    def __exit__(self, *error: object) -> None:
        with self._mutex:
            self._here -= 1

    def take(self, kind: Kind = Kind.OWN, *, patience: float | None = None) -> Any:
        """Returns a connection for this thread, until `give_back`. Raises TooBusy after `patience` seconds."""
        waiter = None
        with self._mutex:
            group = self._group_for(kind)
            if group is None:
                waiter = Waiter(kind, next(self._arrivals))
                self._queues[kind].append(waiter)
            else:
                connection = self._hand_out(group, kind)
        if waiter:
            connection = self._wait(waiter, patience)
        connections[DEFAULT_DB_ALIAS] = connection
        return connection

    def give_back(self, connection: Any, kind: Kind = Kind.OWN) -> None:
        """`kind` is the one of `take`."""
        del connections[DEFAULT_DB_ALIAS]
        with self._mutex:
            self.free[self._group[connection]].append(connection)
            if kind is Kind.OWN:
                self._own_reads -= 1
            # Perhaps no waiter may take this slot; and the end of an own read may free a second slot.
            while (waiter := self._first_to_serve()) is not None:
                waiter.gate.release()

    @contextmanager
    def slot(self, kind: Kind, *, patience: float | None = None) -> Iterator[None]:
        """A slot for the duration of the `with`. Raises TooBusy."""
        connection = self.take(kind, patience=patience)
        try:
            yield
        finally:
            self.give_back(connection, kind)

    def _group_for(self, kind: Kind) -> int | None:
        """The group with a free slot for this kind; None if it must wait."""
        groups: Iterable[int]
        if kind is Kind.STAFF:
            groups = (FOR_STAFF,)
        elif kind is Kind.CHANGE:
            groups = (FOR_CHANGES, SHARED)
        elif kind is Kind.PUBLIC or self._own_reads >= self.shared:
            groups = (SHARED,)
        else:
            groups = (SHARED, FOR_CHANGES)
        return next((group for group in groups if self.free[group]), None)

    def _hand_out(self, group: int, kind: Kind) -> Any:
        if kind is Kind.OWN:
            self._own_reads += 1
        return self.free[group].pop()

    def _first_to_serve(self) -> Waiter | None:
        """Removes the first waiter that may have this slot from its queue, and gives it the connection."""
        firsts = [queue[0] for queue in self._queues.values() if queue]
        for waiter in sorted(firsts, key=attrgetter("number")):
            group = self._group_for(waiter.kind)
            if group is not None:
                self._queues[waiter.kind].popleft()
                waiter.connection = self._hand_out(group, waiter.kind)
                return waiter
        return None

    def _wait(self, waiter: Waiter, patience: float | None) -> Any:
        if patience is None:
            patience = max(PATIENCE_OF_STAFF, self.patience) if waiter.kind is Kind.STAFF else self.patience
        if not waiter.gate.acquire(timeout=patience):
            with self._mutex:
                if waiter.connection is None:  # otherwise it got one just after the timeout
                    self._queues[waiter.kind].remove(waiter)
                    raise TooBusy
        return waiter.connection
