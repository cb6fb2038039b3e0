"""Numbers that a scrape reads from the database, such as those of waiting tasks: each host has them at /metrics.

The worker that answers the scrape reads them, at most once in EVERY seconds, in a thread with its own connection. The
answer waits for them WAIT seconds at most: without the database it has the last ones.
"""

import logging
import time
from collections.abc import Callable
from threading import Lock, Thread

from django.db import DatabaseError, InterfaceError, connections

from bookstore.database import first_line

logger = logging.getLogger("bookstore.server")

EVERY = 5.0  # seconds between two readings of a worker
WAIT = 1.0  # seconds


class Reading(Thread):
    """One reading. Its connection is closed with it, and not among those that `bookstore_database_connections_opened`
    counts."""

    def __init__(self, readers: list[Callable[[], None]]) -> None:
        super().__init__(name="scrape", daemon=True)
        self.readers = readers

    def run(self) -> None:
        try:
            for read in self.readers:
                read()
        except (DatabaseError, InterfaceError, OSError) as error:
            logger.warning("A scrape of /metrics could not read the database's numbers: %s", first_line(error))
        finally:
            connections.close_all()


class AtScrape:
    def __init__(self) -> None:
        self.readers: list[Callable[[], None]] = []
        self.reading: Reading | None = None
        self.read_at = float("-inf")
        self.mutex = Lock()

    def add(self, read: Callable[[], None]) -> None:
        """Registers a function that reads numbers and sets gauges, for an app's `metrics.py`. The gauges have the mode
        `livemostrecent`: of several workers the last one to read is right."""
        if read not in self.readers:
            self.readers.append(read)

    def read(self) -> None:
        """Reads the numbers, unless they are fresh or being read."""
        with self.mutex:
            running = self.reading is not None and self.reading.is_alive()
            if not self.readers or running or time.monotonic() - self.read_at < EVERY:
                return
            self.read_at = time.monotonic()
            self.reading = Reading(self.readers)
            self.reading.start()
        self.reading.join(WAIT)


at_scrape = AtScrape()
