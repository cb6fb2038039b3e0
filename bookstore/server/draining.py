"""The pause between SIGTERM and the server's end, in which a balancer learns to look elsewhere (DRAIN).

On SIGTERM `/ready` becomes 503 at once, while every request is still served; DRAIN seconds later the server ends as it
does on SIGTERM without it: it takes no more connections, and requests under way finish. Ctrl-C, or a second SIGTERM,
does not wait.
"""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import Any

# The main process tells its workers by this signal, and those that it starts from then on by the variable.
TOLD_BY = signal.SIGUSR1
VARIABLE = "BOOKSTORE_DRAINING"

_begun = threading.Event()


def begun() -> bool:
    """Whether this server is about to end."""
    return _begun.is_set()


def listen() -> None:
    """In a worker's main thread: from here on it can be told."""
    if VARIABLE in os.environ:
        _begun.set()
    signal.signal(TOLD_BY, lambda *_: _begun.set())


def begin_on_sigterm(seconds: float) -> None:
    """In the main process's main thread, once the server has its own handlers: a pause comes before what they do."""
    signal.signal(TOLD_BY, signal.SIG_IGN)  # a worker inherits it, and is not ended by what it cannot hear yet
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
