"""A watchdog thread in each worker: ends slow bodies, idle connections in a crowd, and an orphaned worker.

The server has no timeout for bodies, and does not close idle connections at its limit: a few thousand silent sockets
would lock out all other clients.
"""

import logging
import os
import signal
import time
from threading import Thread, Timer

from bookstore.server import sockets
from bookstore.server.admission import Admission
from bookstore.server.bodies import RATE, Reader
from bookstore.server.limits import LAST_REQUESTS, MOST_CONNECTIONS, SERVER_PID, SERVER_PORT

logger = logging.getLogger("bookstore.server")

EVERY = 0.5  # seconds

# Above CROWDED connections idle ones are closed, the longest silent first, until ROOMY are left.
CROWDED = MOST_CONNECTIONS * 3 // 4
ROOMY = MOST_CONNECTIONS // 2
# Seconds after which an idle connection may be closed in a crowd.
IDLE = 2.0
# Seconds of observation before a connection counts as slow, so that a short stall does not.
SEEN_FOR = 2.0
# Seconds of tolerance between the kernel's and our time of a request's arrival.
MARGIN = 0.5


def start(admission: Admission) -> None:
    """Starts the thread in a worker of `manage.py serve`; under another server does nothing."""
    port, server = os.environ.get(SERVER_PORT), os.environ.get(SERVER_PID)
    if port and server:
        Thread(target=keep_watch, args=[admission, int(port), int(server)], name="watch", daemon=True).start()


def keep_watch(admission: Admission, port: int, server: int) -> None:
    watch = Watch(admission, port)
    while os.getppid() == server:
        time.sleep(EVERY)
        try:
            watch.look()
        except Exception:
            logger.exception("The watch of connections failed, and goes on")
    end_orphan()


class Watch:
    """The observations of the watchdog, and its decisions."""

    def __init__(self, admission: Admission, port: int) -> None:
        self.admission, self.port = admission, port
        self.late: list[Reader] = []
        # While bodies are late: when each connection was first seen, and the bytes received until then.
        self.first_seen: dict[tuple[int, tuple[str, int]], tuple[float, int]] = {}

    def look(self) -> None:
        new = self.admission.bodies.late()
        self.late = [reader for reader in self.late if self.admission.bodies.is_reading(reader)] + new
        crowded = sockets.number_open() > CROWDED
        if new:
            logger.warning("Requests given up, because their bodies come too slowly: %d", len(new))
        if not self.late:
            self.first_seen.clear()
            if not crowded:
                return
        clients, now = sockets.clients(self.port), time.monotonic()
        if self.late:
            slow = self.slow_ones(clients, now)
            ended = {client for reader in self.late for client in senders(slow, reader, self.admission, now)}
            for address in {client.peer[0] for client in ended}:
                self.admission.bodies.give_up_slow_ones_of(address)
            for client in ended:
                sockets.stop_reading(client)
        if crowded:
            idle = idle_longest_first(clients, self.admission, now)[: max(0, len(clients) - ROOMY)]
            closed = sum(map(sockets.stop_reading, idle))
            logger.warning("Idle connections closed: %d of %d", closed, len(clients))

    def slow_ones(self, clients: list[sockets.Client], now: float) -> list[sockets.Client]:
        """Connections that received less than RATE since they were first seen, at least SEEN_FOR seconds ago."""
        seen = {}
        slow = []
        for client in clients:
            key = (client.descriptor, client.peer)
            since, before = seen[key] = self.first_seen.get(key, (now, client.received))
            if now - since >= SEEN_FOR and client.received - before < RATE * (now - since):
                slow.append(client)
        self.first_seen = seen
        return slow


def senders(clients: list[sockets.Client], reader: Reader, admission: Admission, now: float) -> list[sockets.Client]:
    """The slow connections that may belong to a late body: of its client, and not written to since the body began.

    The server does not tell which one it is. The others are late or idle, too, unless a request of the same address has
    been running for as long: then only connections that still send are chosen, because that request's does not.
    """
    age = now - reader.began - MARGIN
    found = [client for client in clients if client.peer[0] == reader.address and client.unanswered >= age]
    waiting = any(
        here.address == reader.address and not here.reads and now - here.since >= age for here in list(admission.here)
    )
    return [client for client in found if client.silent < age] if waiting else found


def idle_longest_first(clients: list[sockets.Client], admission: Admission, now: float) -> list[sockets.Client]:
    """Idle connections, longest first: those silent since before the oldest running request began."""
    oldest = min((here.since for here in list(admission.here)), default=now)
    idle = max(IDLE, now - oldest + MARGIN)
    return sorted((client for client in clients if client.silent > idle), key=lambda client: -client.silent)


def end_orphan() -> None:
    """Ends this worker if its main process was killed: otherwise it would hold the port for ever."""
    logger.error("The server's main process is gone: this worker ends")
    last = Timer(LAST_REQUESTS, os._exit, [1])
    last.daemon = True
    last.start()
    while True:  # a worker that has just started ignores the first: its handler is not there yet
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(EVERY)
