"""The server's main process: granian with our limits. `manage.py serve` becomes this process.

python -m bookstore.server.main --host 127.0.0.1 --port 8000 --workers 2 --drain 0
"""

import json
import os
import signal
from argparse import ArgumentParser
from collections.abc import Callable
from functools import partial
from threading import Event, Thread
from types import FrameType
from typing import Any

from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings

from bookstore.server import draining, server_log
from bookstore.server.limits import BUFFER, LARGEST_QUEUE, LAST_REQUESTS, MOST_CONNECTIONS, SERVER_PID
from bookstore.server.task_process import TaskProcess

EVERY = 0.5  # seconds


def load(target: str) -> Any:
    """The WSGI application, in a worker."""
    end_by_sigterm_alone()
    loaded = Event()
    if main_process := os.environ.get(SERVER_PID):
        Thread(target=end_with, args=[int(main_process), loaded], name="watch of the start", daemon=True).start()
    try:
        from bookstore.wsgi import application

        draining.listen()
    finally:
        loaded.set()
    return application


def end_by_sigterm_alone() -> None:
    """In a worker that loads: Ctrl-C reaches all processes of the terminal, and a worker that got SIGINT and then the
    main process's SIGTERM did not end. SIGTERM ends it at once: it has no request before the server's own handler."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def end_with(main_process: int, loaded: Event) -> None:
    """Ends this worker if its main process is killed until `loaded`: it would hold the port, and ignores SIGTERM so
    early. From then on bookstore/server/watch.py does this, which lets requests finish."""
    while os.getppid() == main_process:
        if loaded.wait(EVERY):
            return
    os._exit(1)


def server(host: str, port: int, workers: int) -> Any:  # its type in granian depends on the Python version
    return Granian(
        "bookstore.wsgi:application",
        address=host,
        port=port,
        workers=workers,
        interface=Interfaces.WSGI,
        # For queued requests, and one for the 503 of a full queue: bookstore/server/slots.py.
        blocking_threads=LARGEST_QUEUE + 1,
        # Browsers use HTTP/2 only over TLS; the proxy that terminates TLS can offer it.
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(max_buffer_size=BUFFER),
        websockets=False,
        # The application logs each request with its id and user.
        log_access=False,
        log_dictconfig=json.loads(server_log.CONFIGURATION.read_text("utf-8")),
        # A worker that dies is replaced; one that dies again within seconds ends the server, so that the supervisor
        # notices.
        respawn_failed_workers=True,
        # The time for running requests on SIGTERM.
        workers_kill_timeout=LAST_REQUESTS,
        # Open connections, also idle ones. The next is not accepted; bookstore/server/watch.py closes idle ones
        # before that.
        backpressure=MOST_CONNECTIONS,
    )


def before_the_end(call: Callable[[], None]) -> None:
    """Calls `call` on SIGTERM and SIGINT, in the main thread, before the server's own handler."""
    main_process = os.getpid()
    for number in (signal.SIGTERM, signal.SIGINT):
        end = signal.getsignal(number)
        assert callable(end), "the server installs its handlers before this"  # noqa: S101  # a promise of the server's

        def handler(number: int, frame: FrameType | None, end: Callable[..., Any] = end) -> None:
            if os.getpid() == main_process:  # not a worker that was just forked and has no handlers of its own yet
                call()
            end(number, frame)

        signal.signal(number, handler)


def main() -> None:
    """Runs the server; returns when it has ended."""
    parser = ArgumentParser(prog="bookstore.server.main")
    parser.add_argument("--host", required=True)
    for option in ("--port", "--workers", "--drain", "--task-workers"):
        parser.add_argument(option, type=int, required=True)
    options = parser.parse_args()
    serving = server(options.host, options.port, options.workers)
    for _ in range(options.task_workers):
        tasks = TaskProcess()
        serving.on_startup(tasks.start)
        serving.on_startup(partial(before_the_end, tasks.stop))
        serving.on_shutdown(tasks.wait)
    if options.drain:  # installed last, so that its pause comes first
        serving.on_startup(partial(draining.begin_on_sigterm, options.drain))
    # `manage.py serve` blocked it, so that a Ctrl-C of the start waits for the server's handler. The tasks' process
    # keeps it blocked, because their thread has begun.
    serving.on_startup(partial(signal.pthread_sigmask, signal.SIG_UNBLOCK, {signal.SIGINT}))
    serving.serve(target_loader=load)


if __name__ == "__main__":
    main()
