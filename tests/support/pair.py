"""A primary and its standby with the shop's tables, which tests stop and promote. Not the test database."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from django.conf import settings

from tests.support.server import ROOT
from tools.postgres import Cluster, PostgresUnavailable, Standby, throwaway

WAIT = 60  # seconds, for steps that take a fraction of one


@contextmanager
def running_pair(**standby_settings: str) -> Iterator[tuple[Cluster, Standby]]:
    """Skips the test without a PostgreSQL that has pg_basebackup."""
    if settings.DB_TRANSACTION_POOLING:
        pytest.skip("no pooler is before this pair: make test-pg")
    try:
        with throwaway() as primary:
            environ = os.environ | {"DATABASE_URL": primary.url, "DEBUG": "1"}
            migrate = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
            subprocess.run(migrate, cwd=ROOT, env=environ, check=True)
            with Standby(primary, settings=standby_settings) as standby:
                yield primary, standby
    except PostgresUnavailable as error:
        pytest.skip(str(error))


def execute(cluster: Cluster, sql: str, *values: Any) -> list[Any]:
    """Runs one statement and returns its rows."""
    with psycopg.connect(cluster.url, autocommit=True) as connection:
        cursor = connection.execute(sql, values)
        return cursor.fetchall() if cursor.description else []


def until(condition: Callable[[], Any], what: str) -> None:
    deadline = time.monotonic() + WAIT
    while not condition():
        assert time.monotonic() < deadline, f"after {WAIT} s still not: {what}"
        time.sleep(0.05)
