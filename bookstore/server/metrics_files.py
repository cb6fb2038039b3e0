"""The files in which the workers count for each other, and the room that they need.

prometheus_client maps each into memory, with holes: on a full disk a write into a hole kills the worker (SIGBUS), at
whichever request comes to count first. So their room is taken when a worker starts, and where there is none the worker
counts nothing. The client decides when it is imported whether it counts in files: this module comes first.
"""

import errno
import logging
import os
from pathlib import Path

logger = logging.getLogger("bookstore.server")

VARIABLE = "PROMETHEUS_MULTIPROC_DIR"  # prometheus_client's, set by `manage.py serve`

# Bytes for each of a worker's files, by the beginning of its name. One that needs more grows, with a hole in it:
# `keep_room` fills that.
ROOM = {
    "counter": 1_048_576,
    "histogram": 4_194_304,
    "gauge_livesum": 65_536,
    "gauge_livemax": 65_536,
    "gauge_max": 65_536,
}


class Files:
    """One worker's files."""

    def __init__(self) -> None:
        self.given_up = False
        self.folder = os.environ.get(VARIABLE)
        if self.folder is None:
            return
        self.paths = [Path(self.folder, f"{kind}_{os.getpid()}.db") for kind in ROOM]
        self.taken = dict.fromkeys(self.paths, 0)
        self.keep_room()
        if self.given_up:
            for path in self.paths:
                path.unlink(missing_ok=True)
            del os.environ[VARIABLE]  # counters then stay in memory, and are never read

    def keep_room(self) -> None:
        """Reserves disk space for new and grown files; stops counting when there is none."""
        if self.folder is None or self.given_up:
            return
        try:
            for path, size in zip(self.paths, ROOM.values(), strict=True):
                wanted = max(size, path.stat().st_size if path.exists() else 0)
                if wanted > self.taken[path]:
                    take_room(path, wanted)
                    self.taken[path] = wanted
        except OSError as error:
            self.given_up = True
            logger.error(
                "METRICS_ENABLED is set, and the workers' folder %s has no room (%s): this worker counts nothing any "
                "more, and answers 503 at /metrics",
                self.folder,
                error.strerror,
            )


def take_room(path: Path, size: int) -> None:
    """Allocates this many bytes of disk for a file, filled with zeros. Raises OSError."""
    with path.open("ab") as file:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(file.fileno(), 0, size)
        elif (missing := size - file.tell()) > 0:
            file.write(bytes(missing))


def forget_dead_workers(folder: str) -> None:
    """Drops the `in progress` gauges of dead workers; their counters stay."""
    from prometheus_client.multiprocess import mark_process_dead

    for name in os.listdir(folder):
        kind, _, process = name.removesuffix(".db").rpartition("_")
        if kind.startswith("gauge_live") and process.isdigit() and not lives(int(process)):
            mark_process_dead(int(process), path=folder)


def lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except OSError as error:
        return error.errno == errno.EPERM
    return True


files = Files()
