"""Starting and ending processes, and free ports: an interruption leaves nothing running."""

import contextlib
import signal
import socket
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from types import FrameType
from typing import Any

# The last hundred: the kernel picks at random, and may pick one again.
_GIVEN: deque[int] = deque(maxlen=100)


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nothing listens on, and that this process was not just given.

    Another process may take it first: callers try again.
    """
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port: int = probe.getsockname()[1]
            if port not in _GIVEN:
                _GIVEN.append(port)
                return port


@contextlib.contextmanager
def uninterrupted() -> Iterator[None]:
    """What is inside happens as a whole; Ctrl-C, SIGTERM and SIGHUP take effect after it.

    A process that was started and not yet written down would be left running, a clean-up cut short leaves its rest.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # Python delivers signals to the main thread only
        return
    before: dict[int, Any] = {}
    arrived: list[tuple[int, FrameType | None]] = []
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if callable(signal.getsignal(number)):  # SIG_IGN and SIG_DFL stay what they are
            before[number] = signal.signal(number, lambda number, frame: arrived.append((number, frame)))
    try:
        yield
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)
        if arrived:
            before[arrived[0][0]](*arrived[0])


def exit_on_signals() -> None:
    """Turn SIGTERM and SIGHUP into SystemExit, so that `with` and `finally` clean up as they do on Ctrl-C."""

    def leave(number: int, frame: FrameType | None) -> None:
        sys.exit(128 + number)

    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup keeps its promise
            signal.signal(number, leave)


def run_child(command: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run a command to its end and return its exit code; when we are told to stop, it ends before we do."""
    child: subprocess.Popen[bytes] | None = None
    try:
        with uninterrupted():
            child = subprocess.Popen(command, env=dict(environ))
        code = child.wait()
        return 128 - code if code < 0 else code
    except OSError as error:
        print(f"error: {command[0]}: {error.strerror}", file=sys.stderr)
        return 127
    except (KeyboardInterrupt, SystemExit) as stop:
        if child:
            with uninterrupted():
                if not isinstance(stop, KeyboardInterrupt):  # which at a terminal has reached the child too
                    ignored = signal.getsignal(signal.SIGINT) is signal.SIG_IGN  # by the child as well, then
                    child.send_signal(signal.SIGTERM if ignored else signal.SIGINT)
                for harder in (signal.SIGTERM, signal.SIGKILL):
                    with contextlib.suppress(subprocess.TimeoutExpired):
                        child.wait(10)
                        break
                    child.send_signal(harder)
                child.wait()
        raise
