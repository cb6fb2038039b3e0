"""`manage.py serve`: the checks that save a puzzled look at a traceback, and then granian in place of this process."""

import errno
import logging
import os
import resource
import socket
import stat
import sys
import tempfile
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections
from django.db.migrations.executor import MigrationExecutor

from bookstore.database import name_of
from bookstore.server import server_log
from bookstore.server.overload import LARGEST_LINE

logger = logging.getLogger("bookstore.serve")

# Connections of one worker that are open at once.
LARGEST_CROWD = 4096


class Command(BaseCommand):
    help = (
        "Serve the API and the admin over HTTP, until Ctrl-C or SIGTERM. It looks first: when the port is taken, the "
        "database away, or a migration missing, it ends at once with one line that says what to do. In production a "
        "proxy stands before it and ends TLS: docs/running.md. Its other settings are environment variables: "
        ".env.example lists them."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        # Texts and no `type=`: argparse would answer a bad value with its usage and exit code 2.
        for option, default, text in (
            ("host", "127.0.0.1", "address or name to listen on"),
            ("port", "8000", "port to listen on"),
            ("workers", "2", "processes, each with the whole application; about one for each CPU"),
            # Each has a connection to the database of its own. More than one help only where requests wait for
            # something else than this process's interpreter lock.
            ("threads", "1", "requests that each worker runs at once, and changes beside them; others wait in line"),
            ("drain", "0", "seconds after SIGTERM in which /ready is 503 and requests are still served"),
        ):
            variable = option.upper()
            value = os.environ.get(variable) or default
            parser.add_argument(f"--{option}", default=value, help=f"{text} (${variable}, else {default})")

    def handle(self, *args: Any, **options: Any) -> None:
        port = number("port", options["port"], largest=65535)
        workers = number("workers", options["workers"], largest=1024)
        threads = number("threads", options["threads"], largest=1024)
        drain = number("drain", options["drain"], smallest=0, largest=300)
        address = free_address(options["host"], port)
        check_database()
        connections.close_all()
        shown = f"[{address}]" if ":" in address else address
        self.say(f"Serving on http://{shown}:{port} with {workers} worker(s). Ctrl-C ends it.")
        if settings.METRICS_ENABLED:
            os.environ["PROMETHEUS_MULTIPROC_DIR"] = metrics_folder(port)  # before a worker imports the client
        allow_connections()
        os.environ["THREADS"] = str(threads)  # for the settings of the workers
        os.environ[server_log.FORMAT] = settings.LOG_FORMAT
        os.execv(sys.executable, granian(address, port, workers, drain))  # noqa: S606  no shell is the point

    def say(self, text: str) -> None:
        """To a person, or into a log of which every line is JSON."""
        if settings.LOG_FORMAT == "json":
            logger.info(text)
        else:
            self.stderr.write(text)
        self.stderr.flush()


def granian(address: str, port: int, workers: int, drain: int) -> list[str]:
    """The command line that serves. What it leaves open can be set in granian's own variables (GRANIAN_…)."""
    return [
        *(sys.executable, "-m"),
        # The balancer must learn that this host goes before its port closes: see there.
        *(("bookstore.server.draining", "--seconds", str(drain)) if drain else ("granian",)),
        *("--interface", "wsgi"),
        *("--host", address, "--port", str(port), "--workers", str(workers)),
        # For those who stand in line, and one to say that the line is full: bookstore/server/overload.py.
        *("--blocking-threads", str(LARGEST_LINE + 1)),
        # HTTP/2 is the business of the proxy that ends TLS; without TLS no browser speaks it.
        *("--http", "1", "--no-ws"),
        # The application logs each request, with its id and its user.
        *("--no-access-log", "--log-config", str(server_log.CONFIGURATION)),
        # A worker that dies is replaced; one that dies again within seconds ends the server, for the supervisor to see.
        "--respawn-failed-workers",
        # On SIGTERM requests under way may finish, and no longer: Docker kills after 10 seconds.
        *("--workers-kill-timeout", "8"),
        # Granian counts open connections here, idle ones too, and leaves the next client unanswered: so let in
        # whom the process has descriptors for, and let the line say 503.
        *("--backpressure", str(LARGEST_CROWD)),
        "bookstore.wsgi:application",
    ]


def metrics_folder(port: int) -> str:
    """A folder of nobody else's, empty, in which the workers count for each other. One for each port.

    What an earlier run left there would be counted again: it is deleted.
    """
    folder = Path(tempfile.gettempdir(), f"bookstore-metrics-{os.getuid()}-{port}")
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        owner = folder.lstat()
        if not stat.S_ISDIR(owner.st_mode) or owner.st_uid != os.getuid():
            raise PermissionError(errno.EPERM, "it is somebody else's")
        for left in folder.glob("*.db"):
            left.unlink()
    except OSError as error:
        raise CommandError(
            f"METRICS_ENABLED is set, and the workers' folder {folder} cannot be used ({error.strerror}): "
            "set TMPDIR to a folder for temporary files that can be written to."
        ) from error
    return str(folder)


def allow_connections() -> None:
    """Raises the soft limit of open files, often 1,024, as far as a crowd needs and the hard limit lets us."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = LARGEST_CROWD + 512
    if soft != resource.RLIM_INFINITY and soft < needed:
        limit = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))


def number(option: str, value: str, *, smallest: int = 1, largest: int) -> int:
    """A whole number from `smallest` to `largest`, or CommandError."""
    if not (value.isascii() and value.isdigit() and smallest <= int(value) <= largest):
        raise CommandError(
            f"{option.upper()} is {value!r}: give --{option} a whole number from {smallest} to {largest}."
        )
    return int(value)


def free_address(host: str, port: int) -> str:
    """The numeric address of `host`, which granian wants, once it is certain that `port` can be had there.

    Granian opens its port with SO_REUSEPORT: a second server would start without a word and take half of the requests.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (OSError, UnicodeError) as error:
        raise CommandError(
            f"HOST is {host!r}, which no address is known for: give --host one of this machine's."
        ) from error
    with socket.socket(family, kind, protocol) as probe:
        # As a server would: connections that wait for their end (TIME_WAIT) are no obstacle, a listener is.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
            probe.listen()
        except PermissionError as error:
            raise CommandError(f"PORT is {port}, which only root may open: choose another, such as 8000.") from error
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise CommandError(
                    f"PORT is {port}, which another program serves on {host}: stop that one, or choose another port "
                    f"(PORT={port + 1 if port < 65535 else 8000})."
                ) from error
            raise CommandError(f"HOST is {host!r}, which is no address of this machine: try 127.0.0.1.") from error
    return str(address[0])


def check_database() -> None:
    """CommandError when the database does not answer, or is behind the code."""
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
            f"The database {name_of_database()} lacks {len(plan)} migration(s): {names}{more}. "
            "Run `manage.py migrate` first."
        )


def away(error: DatabaseError, variable: str = "DATABASE_URL", connection: Any = None) -> CommandError:
    connection = connection or connections[DEFAULT_DB_ALIAS]
    reason = (str(error).strip() or type(error).__name__).splitlines()[0]
    return CommandError(
        f"{variable} names {connection.vendor} {name_of(connection)}, which does not answer "
        f"({reason}): start it, or correct {variable}."
    )


def name_of_database() -> str:
    return name_of(connections[DEFAULT_DB_ALIAS])
