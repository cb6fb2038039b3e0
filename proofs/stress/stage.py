"""The setup of the proofs: a durable PostgreSQL, the real server on it, customers and books."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.support.server import ROOT, Server, serve
from tools.postgres import Cluster

PRODUCTION = {
    "DEBUG": "0",
    "ALLOWED_HOSTS": "127.0.0.1",
    "LOG_LEVEL": "WARNING",
    "AUTH_THROTTLE_RATE": "off",
    "TASK_WORKERS": "0",
}


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

    rounds: int = 100
    crashes: int = 10
    operations: int = 500
    seeds: int = 2
    clients: int = 16
    seconds: float = 10
    requests: int = 0  # of a soak: it ends after so many, and not after `seconds`
    cases: int = 1000
    rows: int = 100_000  # of each table that is migrated
    workers: int = 4  # each runs one request at a time: with two, few of those that should race do
    race: str = ""  # only those with this in their name
    sabotage: str = ""


# `--long`: the sizes whose figures docs/decisions/0015-proofs.md has.
LONG: dict[str, float] = {
    "rounds": 1000,
    "crashes": 50,
    "operations": 2000,
    "seeds": 10,
    "seconds": 30,
    "cases": 10_000,
}


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
    def server(self, **environ: str) -> Iterator[Server]:
        running = self.new_server(self.cluster.url, **environ)
        try:
            running.wait_until_ready()
            yield running
        finally:
            running.stop()

    def new_server(self, url: str, **environ: str) -> Server:
        """`manage.py serve` of the build that is proved: started, and to be stopped by the caller."""
        command = serve(workers=int(environ.get("WORKERS", self.options.workers)))
        settings = os.environ | {"DATABASE_URL": url} | PRODUCTION | self.environ | environ
        return Server(command, settings, keep_output=True)


def far_away() -> Any:
    from datetime import timedelta

    from django.utils import timezone

    return timezone.now() + timedelta(days=1)
