"""`manage.py serve`: checks the environment, then replaces this process by the server."""

import logging
import os
import signal
import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections
from django.db.migrations.executor import MigrationExecutor

from bookstore.database import first_line, name_of
from bookstore.server import server_log, start
from bookstore.server.limits import LAST_REQUESTS, SERVER_PID, SERVER_PORT

logger = logging.getLogger("bookstore.serve")

# Seconds of STOP_TIMEOUT for the workers to end.
TO_SPARE = 2


class Command(BaseCommand):
    help = (
        "Serve the API and the admin over HTTP, until Ctrl-C or SIGTERM. It looks first: when the port is taken, the "
        "database away, or a migration missing, it ends at once with one line that says what to do. In production a "
        "proxy stands before it and ends TLS: docs/running.md. Its other settings are environment variables: "
        ".env.example lists them."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        # Texts without `type=`: for a bad value argparse would print its usage and exit with 2.
        for option, default, text in (
            ("host", "127.0.0.1", "address or name to listen on"),
            ("port", "8000", "port to listen on"),
            ("workers", "2", "processes, each with the whole application; about one for each CPU"),
            # Each thread has its own database connection. More than one only help if requests wait for something
            # else than the interpreter lock.
            ("threads", "1", "requests that each worker runs at once, and changes beside them; others are queued"),
            ("drain", "0", "seconds after SIGTERM in which /ready is 503 and requests are still served"),
            ("task-workers", "1", "processes beside them that run background tasks"),
            ("stop-timeout", "15", "seconds after SIGTERM at which the supervisor kills, as it is told"),
        ):
            variable = variable_of(option)
            value = os.environ.get(variable) or default
            parser.add_argument(f"--{option}", default=value, help=f"{text} (${variable}, else {default})")

    def handle(self, *args: Any, **options: Any) -> None:
        port = number("port", options["port"], largest=65535)
        workers = number("workers", options["workers"], largest=1024)
        threads = number("threads", options["threads"], largest=1024)
        drain = number("drain", options["drain"], smallest=0, largest=300)
        task_workers = number("task-workers", options["task_workers"], smallest=0, largest=64)
        check_end(drain, number("stop-timeout", options["stop_timeout"], largest=3600))
        address = start.free_address(options["host"], port)
        claim = start.claim(options["host"], address, port)
        try:
            check_database()
            connections.close_all()
            shown = f"[{address}]" if ":" in address else address
            self.say(f"Serving on http://{shown}:{port} (workers: {workers}). Ctrl-C ends it.")
            if settings.METRICS_ENABLED:
                os.environ["PROMETHEUS_MULTIPROC_DIR"] = start.metrics_folder(
                    port
                )  # before a worker imports prometheus_client
            start.allow_connections()
            os.environ |= {
                "THREADS": str(threads),  # for the settings of the workers
                server_log.FORMAT: settings.LOG_FORMAT,
                SERVER_PID: str(os.getpid()),  # exec keeps the process id
                SERVER_PORT: str(port),
                # glibc gives each thread an arena of its own, which keeps what was freed in it: 157 MB a worker after
                # an afternoon of the admin, and 114 MB with two. One thread at a time has the GIL: none waits for them.
                "MALLOC_ARENA_MAX": os.environ.get("MALLOC_ARENA_MAX", "2"),
                "MALLOC_TRIM_THRESHOLD_": os.environ.get("MALLOC_TRIM_THRESHOLD_", "131072"),
                # Granian's allocator, jemalloc, does the same, with a cache for each thread besides: 3 MB a worker.
                "_RJEM_MALLOC_CONF": os.environ.get("_RJEM_MALLOC_CONF", "narenas:1,tcache:false"),
                # Works from any folder. Nothing is imported from the current one (-P), which may have a package of our
                # name.
                "PYTHONPATH": os.pathsep.join(filter(None, [str(settings.BASE_DIR), os.environ.get("PYTHONPATH")])),
            }
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # until the server handles it: main() of it
            os.execv(sys.executable, command_line(address, port, workers, drain, task_workers))  # noqa: S606  # deliberately without a shell
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
            if claim:
                claim.close()

    def say(self, text: str) -> None:
        """Prints a line as text, or as JSON by LOG_FORMAT."""
        if settings.LOG_FORMAT == "json":
            logger.info(text)
        else:
            self.stderr.write(text)
        self.stderr.flush()


def command_line(address: str, port: int, workers: int, drain: int, task_workers: int) -> list[str]:
    """The command line of the server's main process."""
    return [
        *(sys.executable, "-P", "-m", "bookstore.server.main"),
        *("--host", address, "--port", str(port), "--workers", str(workers), "--drain", str(drain)),
        *("--task-workers", str(task_workers)),
    ]


def variable_of(option: str) -> str:
    return option.upper().replace("-", "_")


def number(option: str, value: str, *, smallest: int = 1, largest: int) -> int:
    """A whole number from `smallest` to `largest`. Raises CommandError."""
    if not (value.isascii() and value.isdigit() and smallest <= int(value) <= largest):
        raise CommandError(
            f"{variable_of(option)} is {value!r}: give --{option} a whole number from {smallest} to {largest}."
        )
    return int(value)


def check_end(drain: int, stop_timeout: int) -> None:
    """Raises CommandError if the supervisor would kill the server before it has drained and finished its requests."""
    needed = drain + LAST_REQUESTS + TO_SPARE
    if needed > stop_timeout:
        raise CommandError(
            f"DRAIN is {drain}, and the supervisor kills {stop_timeout} s after SIGTERM (STOP_TIMEOUT): requests under "
            f"way need {LAST_REQUESTS} s more. Let it wait {needed} s (systemd's TimeoutStopSec, compose's "
            f"stop_grace_period), and set STOP_TIMEOUT={needed}."
        )


def check_database() -> None:
    """Raises CommandError if the database does not answer, or misses migrations."""
    check_answers()
    check_migrations()


def check_answers() -> None:
    connection = connections[DEFAULT_DB_ALIAS]
    try:
        connection.ensure_connection()
    except DatabaseError as error:
        raise away(error) from error


def check_migrations() -> None:
    connection = connections[DEFAULT_DB_ALIAS]
    try:
        executor = MigrationExecutor(connection)
        plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError as error:
        raise away(error) from error
    if plan:
        names = ", ".join(f"{migration.app_label}.{migration.name}" for migration, _ in plan[:3])
        more = f" and {len(plan) - 3} more" if len(plan) > 3 else ""
        raise CommandError(
            f"The database {name_of_database()} lacks migrations: {names}{more}. Run `manage.py migrate` first."
        )


def away(error: DatabaseError, variable: str = "DATABASE_URL", connection: Any = None) -> CommandError:
    connection = connection or connections[DEFAULT_DB_ALIAS]
    return CommandError(
        f"{variable} names {connection.vendor} {name_of(connection)}, which does not answer "
        f"({first_line(error)}): start it, or correct {variable}."
    )


def name_of_database() -> str:
    return name_of(connections[DEFAULT_DB_ALIAS])
