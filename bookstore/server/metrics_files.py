"""Reserves disk space for the files in which workers share their counters.

prometheus_client maps sparse files into memory: on a full disk a write into a hole kills the worker with SIGBUS. So a
worker allocates their blocks when it starts, and without space it counts nothing. The client decides at its import
whether it uses files, so this module is imported first.
"""

import errno
import logging
import os
from pathlib import Path

logger = logging.getLogger("bookstore.server")

VARIABLE = "PROMETHEUS_MULTIPROC_DIR"  # of prometheus_client, set by `manage.py serve`

# Bytes of a worker's files, by the beginning of the name. A file that needs more grows by a hole, which `keep_room`
# fills.
ROOM = {
    "counter": 1_048_576,
    "histogram": 4_194_304,
    "gauge_liveall": 65_536,
    "gauge_livemax": 65_536,
    "gauge_livemin": 65_536,
    "gauge_livemostrecent": 65_536,
    "gauge_livesum": 65_536,
    "gauge_max": 65_536,
}


class Files:
    """The files of one worker."""

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
            del os.environ[VARIABLE]  # counters then stay in memory and are never read

    def keep_room(self) -> None:
        """Reserves disk space for new and grown files; stops counting when there is none, or when one was deleted."""
        if self.folder is None or self.given_up:
            return
        try:
            for path, size in zip(self.paths, ROOM.values(), strict=True):
                if self.taken[path] and not path.exists():  # by a program that tidies TMPDIR, say
                    raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
                wanted = max(size, path.stat().st_size if path.exists() else 0)
                if wanted > self.taken[path]:
                    take_room(path, wanted)
                    self.taken[path] = wanted
        except OSError as error:
            self.given_up = True
            logger.error(
                "METRICS_ENABLED is set, and the workers' folder %s has no space or was deleted (%s): this worker "
                "stops counting, and answers 503 at /metrics until the server is restarted",
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
