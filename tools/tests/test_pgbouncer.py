"""What `make test-pgbouncer` says where there is no PgBouncer, and what it starts where there is one."""

import contextlib

import pytest

from tools import pgbouncer, test
from tools.installations import Installation
from tools.pgbouncer import BOUNDS, PgBouncerUnavailable, configuration, found
from tools.postgres import Cluster

MISSING = "PgBouncer is not on PATH: install it (Debian, Ubuntu: apt install pgbouncer)."


@pytest.fixture
def no_pgbouncer(monkeypatch):
    monkeypatch.setattr(pgbouncer.shutil, "which", lambda name, path: None)


def test_missing_pgbouncer_is_named_with_its_package(no_pgbouncer):
    with pytest.raises(PgBouncerUnavailable) as caught:
        found()

    assert str(caught.value) == MISSING


def test_the_run_without_pgbouncer_is_left_out_and_no_failure(no_pgbouncer, monkeypatch, capsys):
    monkeypatch.setattr(test, "throwaway", contextlib.nullcontext)
    monkeypatch.setattr(test, "exit_on_signals", lambda: None)

    code = test.main(["--only", "pgbouncer"])

    assert code == 0
    assert capsys.readouterr().out == f"NOT RUN {MISSING}\n"


def test_connections_are_shared_between_transactions(tmp_path):
    cluster = Cluster(Installation(tmp_path, (15,), "here"))
    cluster.port = 5432

    written = configuration(cluster, tmp_path, 6432, 4)

    assert "pool_mode = transaction\n" in written
    assert "* = host=127.0.0.1 port=5432\n" in written
    assert written.endswith(BOUNDS)
    assert cluster.password not in written
