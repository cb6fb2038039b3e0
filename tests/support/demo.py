"""A demo shop for one test: what `make run` serves, on a database that is created for it and dropped afterwards.

On the tests' PostgreSQL if there is one, else in a SQLite file.
"""

import fcntl
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.db import connection

from tests.support.server import ROOT, running_server, settings_for, url_of_test_database
from tools.processes import free_port


@dataclass
class DemoShop:
    url: str
    environment: dict[str, str]

    def manage(self, *arguments: str, stdin: str = "") -> str:
        """Runs `manage.py` and returns its output; raises with the output when it fails."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment,
            input=stdin,
            text=True,
            capture_output=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@contextmanager
def fresh_database(folder: Path) -> Iterator[str]:
    """The DATABASE_URL of an empty database. The test needs access to the database."""
    if connection.vendor == "sqlite":
        yield f"sqlite:///{folder / 'demo.sqlite3'}"
        return
    of_tests = connection.settings_dict["NAME"]
    name = connection.ops.quote_name(f"{of_tests}_demo")
    with connection._nodb_cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        cursor.execute(f"CREATE DATABASE {name}")
    try:
        yield f"{url_of_test_database()}_demo"
    finally:
        with connection._nodb_cursor() as cursor:
            cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")


def commands_of_make_run() -> list[list[str]]:
    """The commands of manage.py that `make run` runs before it serves."""
    recipe = (ROOT / "Makefile").read_text("utf-8").partition("\nrun: ")[2].partition("\n\n")[0]
    commands = [command.split() for command in re.findall(r"manage\.py (.+)", recipe)]
    assert [command[0] for command in commands][:: len(commands) - 1] == ["migrate", "serve"], recipe
    return commands[:-1]


def environment_of(url: str) -> dict[str, str]:
    return os.environ | settings_for(url) | {"DEBUG": "1"}


def load(shop: DemoShop) -> None:
    for command in commands_of_make_run():
        shop.manage(*command)


def rows_of_demo(folder: Path) -> Path:
    """The SQLite file of a demo shop, made once for all workers of a run: it takes six seconds."""
    of_run = folder.parents["PYTEST_XDIST_WORKER" in os.environ]
    made, part = of_run / "demo.sqlite3", of_run / "demo.part.sqlite3"
    with (of_run / "demo.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            part.unlink(missing_ok=True)
            load(DemoShop("", environment_of(f"sqlite:///{part}")))
            part.rename(made)
    return made


@contextmanager
def demo_shop(folder: Path) -> Iterator[DemoShop]:
    with fresh_database(folder) as url:
        port = free_port()
        shop = DemoShop(f"http://127.0.0.1:{port}", environment_of(url) | {"PORT": str(port)})
        if connection.vendor == "sqlite":
            shutil.copy(rows_of_demo(folder), folder / "demo.sqlite3")
            shop.manage("load_demo")  # points the covers to this port
        else:
            load(shop)
        # Tests sign in more often in a minute than one address may.
        with running_server(workers=1, port=port, DATABASE_URL=url, AUTH_THROTTLE_RATE="1000/min"):
            yield shop
