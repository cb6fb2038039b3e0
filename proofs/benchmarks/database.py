"""The benchmark's own PostgreSQL."""

import secrets
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psycopg

from proofs.benchmarks import data
from tests.support.server import ROOT
from tools.postgres import Cluster
from tools.test import environment

# For a small server. fsync, synchronous_commit and full_page_writes stay on, so that measured commits are durable.
SETTINGS = {
    "shared_buffers": "1GB",
    "effective_cache_size": "3GB",
    "work_mem": "16MB",
    "maintenance_work_mem": "512MB",
    "random_page_cost": "1.1",
    "effective_io_concurrency": "200",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "30min",
}


class Databases:
    """The databases of one cluster, one for each variant, and the environment that serves each."""

    def __init__(self, cluster: Cluster, folder: Path) -> None:
        self.cluster = cluster
        self.folder = folder
        self.created: list[str] = []
        self.keys = {name: secrets.token_urlsafe(48) for name in ("SECRET_KEY", "JWT_SIGNING_KEY")}

    def url(self, name: str = "postgres") -> str:
        return self.cluster.url.removesuffix("postgres") + name

    def environ(self, name: str) -> dict[str, str]:
        """Production settings, with every line of the log written."""
        return {
            **environment(self.url(name or "postgres")),
            **self.keys,
            "ALLOWED_HOSTS": "127.0.0.1",
            "DEBUG": "0",
            "ACCESS_TOKEN_MINUTES": "1440",
            "LOG_LEVEL": "INFO",
            "LOG_FORMAT": "json",
        }

    def create(self, name: str) -> None:
        self.execute(f"CREATE DATABASE {name}")
        self.created.append(name)

    def execute(self, statement: str, database: str = "postgres") -> list[Any]:
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            cursor = connection.execute(statement)  # type: ignore[call-overload]  # our own texts, no literals
            return list(cursor.fetchall()) if cursor.description else []

    def python(self, name: str, *arguments: str, environ: Mapping[str, str] | None = None) -> None:
        """Runs a Python program with the settings of one database."""
        done = subprocess.run(
            [sys.executable, *arguments], cwd=ROOT, env={**self.environ(name), **(environ or {})}, check=False
        )
        if done.returncode:
            sys.exit(f"error: {' '.join(arguments)} failed ({done.returncode})")

    def tidy(self, name: str) -> None:
        """Deletes lines of interrupted pairs of add and delete, for which the next add would be a 409."""
        table = {"project": "cart_items", "plain": "plain_cartitem"}[name]
        self.execute(f"DELETE FROM {table} WHERE id > {sum(1 for _ in data.lines())}", name)  # noqa: S608  # our own table names

    def rest(self) -> None:
        """VACUUM and CHECKPOINT between rounds, so that no round pays for another's dead rows and dirty pages."""
        for name in self.created:
            self.tidy(name)
            self.execute("VACUUM", name)
        self.execute("CHECKPOINT")

    def log_statements(self, on: bool) -> None:
        """Every statement into the server's log, from all sessions, the open ones too."""
        self.execute("ALTER SYSTEM SET log_statement = 'all'" if on else "ALTER SYSTEM RESET log_statement")
        self.execute("SELECT pg_reload_conf()")
        time.sleep(0.5)

    @property
    def log(self) -> Path:
        if self.cluster.folder is None:
            raise RuntimeError("the cluster does not run")
        return self.cluster.folder / "server.log"
