"""What stands in the way of a start is told in one line, by `make run`'s and `make serve`'s commands alike."""

import os
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tools.processes import free_port

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = [
    ["serve"],
    ["migrate", "--verbosity", "0"],
    ["load_demo"],
    ["clear_expired"],
    ["clean_up"],
    ["prune_carts", "--older-than", "90d"],
    ["import_books", "books.csv"],
]


def manage(*arguments, python=sys.executable, stdout=subprocess.PIPE, **environ):
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
    return subprocess.run(
        [python, "manage.py", *arguments],
        cwd=ROOT,
        # A demo shop of the developer's may be open on the usual port.
        env=kept | {"DEBUG": "1", "PORT": str(free_port())} | environ,
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
    )


def test_an_interrupted_command_ends_without_a_traceback(monkeypatch):
    def interrupted(arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("django.core.management.execute_from_command_line", interrupted)

    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(ROOT / "manage.py"), run_name="__main__")

    assert ended.value.code == 130


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS, ids=[command[0] for command in COMMANDS])
def test_a_database_that_is_away_is_one_line_without_the_password(command):
    port = free_port()

    ended = manage(*command, DATABASE_URL=f"postgresql://shop:sekret@127.0.0.1:{port}/shop")

    assert ended.returncode == 1
    assert ended.stdout == ""
    assert ended.stderr.startswith(
        f"CommandError: DATABASE_URL names postgresql 127.0.0.1:{port}/shop, which does not answer ("
    )
    assert ended.stderr.endswith("Connection refused): start it, or correct DATABASE_URL.\n")
    assert ended.stderr.count("\n") == 1
    assert "sekret" not in ended.stderr


@pytest.mark.slow
@pytest.mark.parametrize("command", [each for each in COMMANDS if each[0] != "migrate"], ids=lambda each: each[0])
def test_missing_migrations_are_one_line(tmp_path, command):
    ended = manage(*command, DATABASE_URL=f"sqlite:///{tmp_path}/empty.sqlite3")

    assert ended.returncode == 1
    assert ended.stderr.startswith(f"CommandError: The database {tmp_path}/empty.sqlite3 lacks ")
    assert ended.stderr.endswith("Run `manage.py migrate` first.\n")
    assert ended.stderr.count("\n") == 1


@pytest.mark.slow
def test_a_file_that_cannot_be_opened_is_one_line(tmp_path):
    ended = manage("migrate", DATABASE_URL=f"sqlite:///{tmp_path}/none/shop.sqlite3")

    assert ended.returncode == 1
    assert ended.stderr == (
        f"CommandError: DATABASE_URL names sqlite {tmp_path}/none/shop.sqlite3, which does not answer "
        "(unable to open database file): start it, or correct DATABASE_URL.\n"
    )


@pytest.mark.slow
def test_traceback_is_there_for_who_asks(tmp_path):
    ended = manage("migrate", "--traceback", DATABASE_URL=f"sqlite:///{tmp_path}/none/shop.sqlite3")

    assert "Traceback (most recent call last)" in ended.stderr


def test_a_bad_setting_is_one_line():
    ended = manage("migrate", LOG_LEVEL="LOUD")

    assert ended.stderr == (
        "bookstore cannot start: LOG_LEVEL is wrong: Must be one of: DEBUG, INFO, WARNING, ERROR.\n"
    )


@pytest.fixture
def closed_pipe():
    """The writing end of a pipe that nobody reads, as that of `| head` once it has ended."""
    reading, writing = os.pipe()
    os.close(reading)
    yield writing
    os.close(writing)


@pytest.mark.slow
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_commands_whose_reader_has_ended_end_quietly(tmp_path, closed_pipe, unbuffered):
    there = {"DATABASE_URL": f"sqlite:///{tmp_path}/shop.sqlite3", "PYTHONUNBUFFERED": unbuffered}
    manage("migrate", "--verbosity", "0", **there)
    (tmp_path / "books.csv").write_text("title,author,price\nEmma,Jane Austen,9.50\n")
    commands = [["help"], ["clean_up"], ["import_books", f"{tmp_path}/books.csv"]]

    ended = [manage(*command, **there, stdout=closed_pipe) for command in commands]

    assert [(each.returncode, each.stderr) for each in ended] == [(141, "")] * len(commands)


@pytest.mark.parametrize("name", ["python3.6", "python3.7", "python3.8", "python3.9", "python3.10"])
def test_an_old_python_is_one_line(name):
    python = shutil.which(name)
    if python is None or subprocess.run([python, "-c", ""], capture_output=True).returncode:
        pytest.skip(f"{name} is not installed")

    ended = manage("serve", python=python)

    version = name.removeprefix("python")
    assert ended.stderr == (
        f"This needs Python 3.11 or newer, and is run by Python {version}: `make run` looks for one.\n"
    )
