"""The setup of the proofs: a durable PostgreSQL, the real server on it, customers and books."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from proofs.stress.wire import Wire
from tools.postgres import Cluster, free_port

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 40


@dataclass
class Row:
    """One line of the table at the end."""

    proof: str
    figures: str
    passed: bool
    error: bool = False  # the harness's own: nothing is known


@dataclass
class Options:
    """How long, with what: the command line."""

    rounds: int = 1000
    crashes: int = 50
    operations: int = 2000
    seeds: int = 10
    clients: int = 16
    seconds: float = 30
    cases: int = 10_000
    rows: int = 100_000  # of each table that is migrated
    workers: int = 4  # each runs one request at a time: with two, few of those that should race do
    race: str = ""  # only those with this in their name
    sabotage: str = ""


@dataclass
class Stage:
    cluster: Cluster
    options: Options
    broken: dict[str, str] = field(default_factory=dict)  # the environment of a build that is broken on purpose
    rows: list[Row] = field(default_factory=list)
    made: int = 0

    def report(self, proof: str, figures: str, passed: bool) -> None:
        row = Row(proof, figures, passed)
        self.rows.append(row)
        print(f"{'ok    ' if passed else 'FAILED'} {proof}: {figures}", flush=True)

    # --- people and books, by the harness's own connection ---

    def customers(self, count: int, **facts: Any) -> list[tuple[Any, str]]:
        """New users with an access token each."""
        from bookstore.accounts import tokens
        from bookstore.accounts.models import LoginSession, User

        first, self.made = self.made, self.made + count
        users = User.objects.bulk_create(
            User(email=f"customer{first + number}@example.com", password="!", **facts)  # noqa: S106  # no password fits
            for number in range(count)
        )
        sessions = [
            LoginSession(
                user=user, refresh_jti=f"{first + number:032x}", expires_at=far_away(), credential=user.credential
            )
            for number, user in enumerate(users)
        ]
        LoginSession.objects.bulk_create(sessions)
        self.refresh_tokens = [tokens.issue(session)["refresh_token"] for session in sessions]
        return [(user, tokens.issue(session)["access_token"]) for user, session in zip(users, sessions, strict=True)]

    def staff(self) -> str:
        return self.customers(1, is_staff=True, is_superuser=True)[0][1]

    def books(self, count: int, stock: int = 5) -> list[Any]:
        from catalog.models import Book

        first, self.made = self.made, self.made + count
        return list(
            Book.objects.bulk_create(
                Book(title=f"Volume {first + number}", author="Jane Austen", price="9.50", stock_quantity=stock)
                for number in range(count)
            )
        )

    # --- the server, and what an operator runs beside it ---

    @property
    def environ(self) -> dict[str, str]:
        """Of every process of the build that is proved."""
        return {"PYTHONPATH": str(ROOT), **self.broken}

    def manage(self, *arguments: str, **environ: str) -> "subprocess.CompletedProcess[str]":
        """`manage.py` of the build that is proved. Its exit code is for the caller to look at."""
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=os.environ | {"DATABASE_URL": self.cluster.url, **self.environ, **environ},
            capture_output=True,
            text=True,
        )

    @contextmanager
    def server(self, **environ: str) -> Iterator["Server"]:
        running = self.new_server(self.cluster.url, **environ)
        try:
            running.wait_until_ready()
            yield running
        finally:
            running.stop()

    def new_server(self, url: str, **environ: str) -> "Server":
        """Started, and to be stopped by the caller."""
        return Server(url, int(environ.get("WORKERS", self.options.workers)), self.environ | environ)


def far_away() -> Any:
    from datetime import timedelta

    from django.utils import timezone

    return timezone.now() + timedelta(days=1)


class Server:
    """`manage.py serve` of the build that is proved."""

    def __init__(self, url: str, workers: int, environ: dict[str, str]) -> None:
        self.port = free_port()
        self.log = tempfile.TemporaryFile()  # noqa: SIM115  # closed by stop()
        environment = os.environ | {
            "DATABASE_URL": url,
            "DEBUG": "0",
            "ALLOWED_HOSTS": "127.0.0.1",
            "LOG_LEVEL": "WARNING",
            "AUTH_THROTTLE_RATE": "off",
            "TASK_WORKERS": "0",
            **environ,
        }
        command = [sys.executable, "manage.py", "serve", "--port", str(self.port), "--workers", str(workers)]
        self.process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=self.log, stderr=subprocess.STDOUT, start_new_session=True
        )

    def wait_until_ready(self) -> None:
        wire, deadline = Wire(self.port), time.monotonic() + START_SECONDS
        while wire("GET", "/ready").status != 200:
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the server did not become ready: {self.said()[-2000:]}")
            time.sleep(0.1)
        wire.close()

    def said(self) -> str:
        self.log.seek(0)
        return self.log.read().decode(errors="replace")

    def workers(self) -> list[int]:
        """Those that live. The main process has another child, for tasks in the background."""
        return children_of(self.process.pid, "bookstore.server.main")

    def stop(self) -> None:
        self.process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(10)
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)  # its own session: nothing of it stays
        self.process.wait()
        self.log.close()


def children_of(pid: int, command: str = "") -> list[int]:
    """Children whose command line has `command` in it. One that was killed and is not reaped yet (Z) is none."""
    listed = subprocess.run(
        ["ps", "-axo", "pid=,ppid=,stat=,args="],  # noqa: S607  # ps is in a different place on each system
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    rows = [line.split(None, 3) for line in listed.splitlines()]
    return [
        int(child)
        for child, parent, state, *arguments in rows
        if int(parent) == pid and not state.startswith("Z") and command in " ".join(arguments)
    ]
