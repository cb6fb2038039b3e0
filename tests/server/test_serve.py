"""`manage.py serve`: one line for what is wrong, else granian with these arguments."""

import socket
import sys

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection, connections
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder

from bookstore.management.commands import serve
from bookstore.server import server_log

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def environment_of_a_fresh_shell(monkeypatch):
    for variable in ("HOST", "PORT", "WORKERS", "THREADS", "DRAIN"):
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture
def started(monkeypatch):
    """The command lines that would have replaced this process."""
    command_lines: list[list[str]] = []
    monkeypatch.setattr("os.execv", lambda program, arguments: command_lines.append(arguments))
    monkeypatch.setattr(connections, "close_all", lambda: None)
    return command_lines


@pytest.fixture
def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def test_serve_replaces_the_process_with_granian(started, free_port):
    call_command("serve", port=free_port)

    [arguments] = started
    assert arguments == [
        *(sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", free_port),
        *("--workers", "2", "--blocking-threads", "257", "--http", "1", "--no-ws", "--no-access-log"),
        *("--log-config", str(server_log.CONFIGURATION)),
        *("--respawn-failed-workers", "--workers-kill-timeout", "8", "--backpressure", "4096"),
        "bookstore.wsgi:application",
    ]


def test_serve_with_a_drain_starts_granian_with_a_pause_before_its_end(started, free_port, monkeypatch):
    monkeypatch.setenv("DRAIN", "4")

    call_command("serve", port=free_port)

    [arguments] = started
    assert arguments[:6] == [sys.executable, "-m", "bookstore.server.draining", "--seconds", "4", "--interface"]
    assert arguments[-1] == "bookstore.wsgi:application"


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


def test_serve_refuses_an_address_of_another_machine(started, free_port):
    with pytest.raises(CommandError, match=r"HOST is '192\.0\.2\.1', which is no address of this machine"):
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

    assert "lacks 1 migration(s): contenttypes.0002_remove_content_type_name." in str(caught.value)
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
