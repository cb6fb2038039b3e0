"""What stands in the way of a start is told in one line, by `make run`'s and `make serve`'s commands alike."""

import json
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


# Importing what a command needs takes a second. Here it is done once, and each command is a fork that runs manage.py.
PROGRAM = """
import gc, json, os, runpy, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "bookstore.settings"
import django
django.setup()
from django.db.migrations.loader import MigrationLoader
import bookstore.urls  # and what the admin shows
MigrationLoader(None)
gc.freeze()  # else each fork looks through all of it, and copies it
commands, folder, keep_stdout = json.loads(sys.argv[1])
codes = []
for number, command in enumerate(commands):
    if os.fork() == 0:
        for descriptor in (2,) if keep_stdout else (1, 2):
            os.dup2(os.open(f"{folder}/{number}.{descriptor}", os.O_WRONLY | os.O_CREAT), descriptor)
        sys.argv = ["manage.py", *command]
        runpy.run_path("manage.py", run_name="__main__")
        sys.exit()
    codes.append(os.waitstatus_to_exitcode(os.wait()[1]))
print(json.dumps(codes), file=sys.stderr)
"""


def started(*arguments, python=sys.executable, stdout=subprocess.PIPE, **environ):
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
    return subprocess.run(
        [python, *arguments],
        cwd=ROOT,
        # A demo shop of the developer's may be open on the usual port.
        env=kept | {"DEBUG": "1", "PORT": str(free_port())} | environ,
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
    )


def manage(*arguments, **options):
    return started("manage.py", *arguments, **options)


def manage_each(folder, commands, stdout=None, **environ):
    """As `manage` for each command. What they print is kept in `folder`, or goes to `stdout`."""
    argument = json.dumps([commands, str(folder), stdout is not None])
    done = started("-c", PROGRAM, argument, stdout=subprocess.PIPE if stdout is None else stdout, **environ)
    assert done.returncode == 0, done.stderr
    return [
        subprocess.CompletedProcess(
            command,
            code,
            (folder / f"{number}.1").read_text() if stdout is None else None,
            (folder / f"{number}.2").read_text(),
        )
        for number, (command, code) in enumerate(zip(commands, json.loads(done.stderr), strict=True))
    ]


def by_name(ended):
    return {each.args[0]: each for each in ended}


def test_an_interrupted_command_ends_without_a_traceback(monkeypatch):
    def interrupted(arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("django.core.management.execute_from_command_line", interrupted)

    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(ROOT / "manage.py"), run_name="__main__")

    assert ended.value.code == 130


@pytest.fixture(scope="module")
def without_a_database(tmp_path_factory):
    """The port where no PostgreSQL is, and what each command ended with."""
    port = free_port()
    url = f"postgresql://shop:sekret@127.0.0.1:{port}/shop"
    return port, by_name(manage_each(tmp_path_factory.mktemp("away"), COMMANDS, DATABASE_URL=url))


@pytest.mark.slow
@pytest.mark.parametrize("name", [command[0] for command in COMMANDS])
def test_a_database_that_is_away_is_one_line_without_the_password(without_a_database, name):
    port, commands = without_a_database

    ended = commands[name]

    assert ended.returncode == 1
    assert ended.stdout == ""
    assert ended.stderr.startswith(
        f"CommandError: DATABASE_URL names postgresql 127.0.0.1:{port}/shop, which does not answer ("
    )
    assert ended.stderr.endswith("Connection refused): start it, or correct DATABASE_URL.\n")
    assert ended.stderr.count("\n") == 1
    assert "sekret" not in ended.stderr


NEED_MIGRATIONS = [command for command in COMMANDS if command[0] != "migrate"]


@pytest.fixture(scope="module")
def without_migrations(tmp_path_factory):
    """An empty database's file, and what each command ended with."""
    folder = tmp_path_factory.mktemp("empty")
    file = folder / "empty.sqlite3"
    return file, by_name(manage_each(folder, NEED_MIGRATIONS, DATABASE_URL=f"sqlite:///{file}"))


@pytest.mark.slow
@pytest.mark.parametrize("name", [command[0] for command in NEED_MIGRATIONS])
def test_missing_migrations_are_one_line(without_migrations, name):
    file, commands = without_migrations

    ended = commands[name]

    assert ended.returncode == 1
    assert ended.stderr.startswith(f"CommandError: The database {file} lacks ")
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
    (tmp_path / "books.csv").write_text("title,author,price\nEmma,Jane Austen,9.50\n")
    commands = [["help"], ["clean_up"], ["import_books", f"{tmp_path}/books.csv"]]

    [migrated, *ended] = manage_each(
        tmp_path, [["migrate", "--verbosity", "0"], *commands], stdout=closed_pipe, **there
    )
    ended.append(manage("clean_up", stdout=closed_pipe, **there))  # as it is started by hand

    assert (migrated.returncode, migrated.stderr) == (0, "")
    assert [(each.returncode, each.stderr) for each in ended] == [(141, "")] * len(ended)


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
