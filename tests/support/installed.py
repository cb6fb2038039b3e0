"""A database as docs/running.md sets it up: its SQL, its two roles, migrated by the owner."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

from tests.support.documented import block_of
from tests.support.server import ROOT

PASSWORD = "installed"  # of roles that live as long as a test
KEYS = {
    "SECRET_KEY": "0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJKLMNOP",
    "JWT_SIGNING_KEY": "another-key-0123456789-abcdefghijklmnop",
    "ALLOWED_HOSTS": "books.example.com",
}


@dataclass(frozen=True)
class Installed:
    """The database `name`, with the roles `name`_owner and `name`_app, on the server that `superuser` names."""

    superuser: str
    name: str

    def url(self, role: str, database: str = "") -> str:
        """A URL as `owner` or `app`."""
        parts = urlsplit(self.superuser)
        host = parts.netloc.rpartition("@")[2]
        return urlunsplit(
            parts._replace(netloc=f"{self.name}_{role}:{PASSWORD}@{host}", path=f"/{database or self.name}")
        )

    def as_written(self, text: str) -> str:
        """The page's text with the names and the password of this database."""
        return re.sub(r"\bbookstore(?=_owner|_app|_check|;| OWNER)", self.name, text).replace("…", PASSWORD)

    @property
    def settings(self) -> dict[str, str]:
        """Of a production start: no DEBUG."""
        return {**KEYS, "DATABASE_URL": self.url("app"), "DATABASE_DIRECT_URL": self.url("owner"), "DEBUG": "0"}

    def libpq(self, role: str) -> dict[str, str]:
        """The same as libpq's own variables."""
        parts = urlsplit(self.url(role))
        return {
            "PGHOST": str(parts.hostname),
            "PGPORT": str(parts.port),
            "PGDATABASE": self.name,
            "PGUSER": str(parts.username),
            "PGPASSWORD": PASSWORD,
        }

    def manage(self, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
        kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=kept | self.settings | environ,
            capture_output=True,
            text=True,
        )


def sql(url: str, text: str) -> str:
    """What psql prints, unaligned. Raises CalledProcessError."""
    command = ["psql", "--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1", url]
    done = subprocess.run(command, input=text, capture_output=True, text=True)
    if done.returncode:
        raise AssertionError(done.stderr)
    return done.stdout.strip()


@contextmanager
def installed(superuser: str, name: str) -> Iterator[Installed]:
    """Sets it up by the chapter "PostgreSQL" of the page, migrates as the owner, and drops all of it afterwards."""
    shop = Installed(superuser, name)
    by_postgres, _, by_owner = block_of(ROOT, "PostgreSQL", "sql").partition("-- and then, connected to it")
    drop(shop)
    try:
        for statement in by_postgres.strip().splitlines():
            sql(superuser, shop.as_written(statement))
        sql(shop.url("owner"), shop.as_written(by_owner.partition("\n")[2]))
        migrated = shop.manage("migrate", "--verbosity", "0")
        assert migrated.returncode == 0, migrated.stderr
        yield shop
    finally:
        drop(shop)


def drop(shop: Installed) -> None:
    for database in (shop.name, f"{shop.name}_check", f"{shop.name}_new"):
        sql(shop.superuser, f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")
    for role in ("app", "owner"):
        sql(shop.superuser, f"DROP ROLE IF EXISTS {shop.name}_{role}")
