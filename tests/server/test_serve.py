"""`manage.py serve`: one line for each problem, else the server with these arguments."""

import os
import socket
import subprocess
import sys
import time

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection, connections
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder

from bookstore.management.commands import serve
from bookstore.server import main, start
from tests.support.client import Client
from tests.support.server import ROOT, environment_for_tests
from tools import processes

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def environment_of_a_fresh_shell(monkeypatch):
    for variable in ("HOST", "PORT", "WORKERS", "THREADS", "DRAIN", "STOP_TIMEOUT", "TASK_WORKERS"):
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture
def started(monkeypatch):
    """The command lines that would have replaced this process."""
    command_lines: list[list[str]] = []
    monkeypatch.setattr("os.execv", lambda program, arguments: command_lines.append(arguments))
    monkeypatch.setattr(connections, "close_all", lambda: None)
    monkeypatch.setattr(os, "environ", os.environ.copy())
    return command_lines


@pytest.fixture
def free_port():
    return str(processes.free_port())


def test_serve_replaces_the_process_with_the_servers_own(started, free_port):
    call_command("serve", port=free_port)

    [arguments] = started
    assert arguments == [
        *(sys.executable, "-P", "-m", "bookstore.server.main", "--host", "127.0.0.1", "--port", free_port),
        *("--workers", "2", "--drain", "0", "--task-workers", "1"),
    ]


def test_the_main_process_serves_with_our_bounds():
    granian = main.server("127.0.0.1", 8000, 3)

    assert (granian.bind_addr, granian.bind_port, granian.workers) == ("127.0.0.1", 8000, 3)
    assert (granian.interface, granian.http, granian.websockets) == ("wsgi", "1", False)
    assert (granian.blocking_threads, granian.backpressure) == (257, 4096)
    assert granian.http1_settings.max_buffer_size == 32_768
    assert (granian.respawn_failed_workers, granian.workers_kill_timeout) == (True, 8)


@pytest.mark.parametrize(
    ("drain", "stop_timeout", "needed"), [("6", "15", 16), ("30", "15", 40), ("0", "9", 10), ("300", "309", 310)]
)
def test_serve_refuses_a_drain_that_its_supervisor_would_cut_short(started, free_port, drain, stop_timeout, needed):
    with pytest.raises(CommandError) as caught:
        call_command("serve", port=free_port, drain=drain, stop_timeout=stop_timeout)

    assert str(caught.value) == (
        f"DRAIN is {drain}, and the supervisor kills {stop_timeout} s after SIGTERM (STOP_TIMEOUT): requests under way "
        f"need 8 s more. Let it wait {needed} s (systemd's TimeoutStopSec, compose's stop_grace_period), and set "
        f"STOP_TIMEOUT={needed}."
    )
    assert started == []


def test_serve_takes_a_drain_that_fits(started, free_port, monkeypatch):
    monkeypatch.setenv("DRAIN", "5")

    call_command("serve", port=free_port)

    assert started[0][-4:-2] == ["--drain", "5"]


def test_the_files_of_deployment_wait_as_long_as_serve_is_told():
    default = serve.Command().create_parser("manage.py", "serve").parse_args([]).stop_timeout

    assert default == "15"
    assert f"TimeoutStopSec={default}\n" in (ROOT / "deploy" / "bookstore.service").read_text("utf-8")
    assert f"stop_grace_period: ${{STOP_TIMEOUT:-{default}}}s" in (ROOT / "compose.yaml").read_text("utf-8")


def test_serve_refuses_a_drain_that_is_no_number_of_seconds(free_port):
    with pytest.raises(CommandError, match="DRAIN is '-1': give --drain a whole number from 0 to 300"):
        call_command("serve", port=free_port, drain="-1")


def test_serve_options_win_over_the_environment(started, free_port, monkeypatch):
    monkeypatch.setenv("PORT", free_port)
    monkeypatch.setenv("WORKERS", "7")

    call_command("serve", "--workers", "3")

    [arguments] = started
    assert arguments[arguments.index("--port") + 1] == free_port
    assert arguments[arguments.index("--workers") + 1] == "3"


def test_serve_gives_granian_the_address_of_a_name(started, free_port):
    call_command("serve", host="localhost", port=free_port)

    [arguments] = started
    assert arguments[arguments.index("--host") + 1] in {"127.0.0.1", "::1"}


@pytest.mark.parametrize("value", ["", "http", "-1", "0", "65536", "80.5", "٨٠٠٠"])
def test_serve_refuses_what_is_no_port(started, value):
    with pytest.raises(CommandError) as caught:
        call_command("serve", port=value)

    assert str(caught.value) == f"PORT is {value!r}: give --port a whole number from 1 to 65535."
    assert started == []


def test_serve_refuses_workers_that_are_no_number(started, free_port):
    with pytest.raises(CommandError, match="WORKERS is 'many': give --workers a whole number from 1 to 1024"):
        call_command("serve", port=free_port, workers="many")

    assert started == []


def test_serve_refuses_a_port_that_is_taken(started):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(CommandError) as caught:
            call_command("serve", port=str(port))

    assert str(caught.value).startswith(f"PORT is {port}, which another program serves on 127.0.0.1: stop that one")
    assert started == []


@pytest.mark.skipif(sys.platform != "linux", reason="a claim is a name in Linux's abstract namespace")
def test_serve_refuses_a_port_that_another_start_has_claimed(started, free_port):
    """Nobody listens there yet: both would find it free."""
    with start.claim("127.0.0.1", "127.0.0.1", int(free_port)), pytest.raises(CommandError) as caught:
        call_command("serve", port=free_port)

    assert str(caught.value).startswith(f"PORT is {free_port}, which another program serves on 127.0.0.1")
    assert started == []


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_serve_works_from_any_folder_and_of_two_starts_one_serves(request, tmp_path, free_port):
    (tmp_path / "bookstore").mkdir()
    (tmp_path / "bookstore" / "__init__.py").write_text("raise ImportError('another package of this name')")
    environment = environment_for_tests(LOG_LEVEL="ERROR")
    command = [sys.executable, str(ROOT / "manage.py"), "serve", "--port", free_port, "--workers", "1"]
    starts = [
        subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True) for _ in range(2)
    ]
    for each in starts:
        request.addfinalizer(each.wait)
        request.addfinalizer(each.kill)

    deadline = time.monotonic() + 60
    while all(each.poll() is None for each in starts) and time.monotonic() < deadline:
        time.sleep(0.05)
    [refused] = [each for each in starts if each.poll() is not None]
    [serving] = [each for each in starts if each is not refused]
    answered = None
    while answered is None and time.monotonic() < deadline:
        try:
            with Client(int(free_port)) as client:
                answered = client("GET", "/ready").status
        except OSError:
            time.sleep(0.1)
    serving.terminate()
    serving.communicate(timeout=60)

    assert answered == 200
    assert refused.communicate()[1].startswith(f"CommandError: PORT is {free_port}, which another program serves")
    assert (refused.returncode, serving.returncode) == (1, 0)


def test_serve_refuses_an_address_of_another_machine(started, free_port):
    with pytest.raises(CommandError, match=r"HOST is '192\.0\.2\.1', which is not an address of this machine"):
        call_command("serve", host="192.0.2.1", port=free_port)

    assert started == []


def test_serve_refuses_while_the_database_does_not_answer(started, free_port, monkeypatch):
    def refuse():
        raise OperationalError("connection refused\nIs the server running on that host?")

    monkeypatch.setattr(connection, "ensure_connection", refuse)

    with pytest.raises(
        CommandError, match=r"does not answer \(connection refused\): start it, or correct DATABASE_URL"
    ):
        call_command("serve", port=free_port)

    assert started == []


def test_serve_refuses_while_a_migration_is_not_applied(started, free_port):
    app, name = MigrationExecutor(connection).loader.graph.leaf_nodes("contenttypes")[0]
    MigrationRecorder(connection).record_unapplied(app, name)

    with pytest.raises(CommandError) as caught:
        call_command("serve", port=free_port)

    assert "lacks migrations: contenttypes.0002_remove_content_type_name." in str(caught.value)
    assert str(caught.value).endswith("Run `manage.py migrate` first.")
    assert started == []


def test_serve_never_prints_the_password_of_the_database(started, free_port, monkeypatch):
    monkeypatch.setitem(connection.settings_dict, "PASSWORD", "hunter2")
    monkeypatch.setattr(connection, "ensure_connection", lambda: (_ for _ in ()).throw(OperationalError("no route")))

    with pytest.raises(CommandError) as caught:
        call_command("serve", port=free_port)

    assert "hunter2" not in str(caught.value)


def test_serve_reads_its_defaults_when_it_is_called(monkeypatch):
    monkeypatch.setenv("PORT", "9000")

    parser = serve.Command().create_parser("manage.py", "serve")

    assert parser.parse_args([]).port == "9000"
