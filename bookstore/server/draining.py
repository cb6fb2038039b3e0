"""Draining: a pause after SIGTERM, in which the load balancer stops sending requests (DRAIN).

On SIGTERM `/ready` becomes 503 at once, while all requests are still served; DRAIN seconds later the server shuts down:
it accepts no more connections, and running requests finish. Ctrl-C, or a second SIGTERM, does not wait.
"""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import Any

# The main process notifies its workers by this signal, and workers started later by the variable.
TOLD_BY = signal.SIGUSR1
VARIABLE = "BOOKSTORE_DRAINING"

_begun = threading.Event()


def begun() -> bool:
    """Whether this server is draining."""
    return _begun.is_set()


def listen() -> None:
    """Installs the signal handler. Call it in a worker's main thread."""
    if VARIABLE in os.environ:
        _begun.set()
    signal.signal(TOLD_BY, lambda *_: _begun.set())


def begin_on_sigterm(seconds: float) -> None:
    """Delays the server's own SIGTERM handler. Call it after that was installed, in the main thread of the main
    process."""
    signal.signal(TOLD_BY, signal.SIG_IGN)  # inherited by workers: the signal must not kill one before `listen`
    end = signal.getsignal(signal.SIGTERM)
    assert callable(end), "the server installs its handlers before this"  # noqa: S101  # a promise of the server's
    signal.signal(signal.SIGTERM, Draining(seconds, end))


class Draining:
    """The handler of SIGTERM."""

    def __init__(self, seconds: float, end: Callable[[int, FrameType | None], Any]) -> None:
        self.seconds, self.end, self.begun = seconds, end, False

    def __call__(self, number: int, frame: FrameType | None) -> None:
        if self.begun:
            self.end(number, frame)
            return
        self.begun = True
        os.environ[VARIABLE] = "1"
        for worker in multiprocessing.active_children():
            with suppress(ProcessLookupError):
                os.kill(worker.pid or 0, TOLD_BY)
        later = threading.Timer(self.seconds, self.end, [number, None])
        later.daemon = True
        later.start()
