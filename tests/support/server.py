"""The real server for tests: granian with its workers, on the database of the test that asks for it."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

from django.db import connection

from tools.postgres import free_port

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 20


def url_of_test_database() -> str:
    """The DATABASE_URL of the test database, for other processes."""
    return url_of(connection.settings_dict)


def url_of(database: dict[str, Any]) -> str:
    """The DATABASE_URL of an entry of DATABASES."""
    if connection.vendor == "sqlite":
        # Otherwise the server would create an empty file of that name.
        assert "mode=memory" not in str(database["NAME"]), "mark the test `postgres`: no process shares this SQLite"
        return f"sqlite:///{database['NAME']}"
    user, password = quote(database["USER"]), quote(database["PASSWORD"])
    host, port = quote(database["HOST"], safe=""), database["PORT"]
    return f"postgresql://{user}{':' if password else ''}{password}@{host}:{port}/{database['NAME']}"


def settings_for(url: str) -> dict[str, str]:
    """The environment variables for another process on this database. DATABASE_DIRECT_URL names the same database, and
    SQLite has no pooler."""
    if url.startswith("sqlite:"):
        return {"DATABASE_URL": url, "DATABASE_DIRECT_URL": "", "DB_TRANSACTION_POOLING": "0"}
    direct = os.environ.get("DATABASE_DIRECT_URL", "")
    if direct:
        direct = urlunsplit(urlsplit(direct)._replace(path=urlsplit(url).path))
    return {"DATABASE_URL": url, "DATABASE_DIRECT_URL": direct}


def environment_of_server(**environ: str) -> dict[str, str]:
    """The environment of `manage.py serve` and of what runs beside it, on the test's database if none is given."""
    own = {"LOG_LEVEL": "WARNING", "DEBUG": "1", "TASK_WORKERS": "0"}
    url = environ["DATABASE_URL"] if "DATABASE_URL" in environ else url_of_test_database()
    return os.environ | settings_for(url) | own | environ


def shell_environment() -> dict[str, str]:
    """The environment of a shell in which `python3` is this Python."""
    return os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"}


class Client:
    """A client with one open connection, as a storefront has. Not thread-safe."""

    def __init__(self, port: int, token: str = "") -> None:
        self.connection = HTTPConnection("127.0.0.1", port, timeout=30)
        self.headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *error: object) -> None:
        self.connection.close()

    def __call__(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """The status and the parsed body (None without a body)."""
        self.connection.request(method, path, None if body is None else json.dumps(body), self.headers)
        response = self.connection.getresponse()
        content = response.read()
        return response.status, json.loads(content) if content else None


@contextmanager
def running_server(*, workers: int = 2, port: int = 0, **environ: str) -> Iterator[int]:
    """Starts the server as `make serve` does, waits until it is ready, and gives its port."""
    port = port or free_port()
    command = [sys.executable, "manage.py", "serve", "--port", str(port), "--workers", str(workers)]
    server = subprocess.Popen(command, cwd=ROOT, env=environment_of_server(**environ))  # our own command
    try:
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                with Client(port) as client:
                    if client("GET", "/ready")[0] == 200:
                        break
            except OSError:
                pass
            if server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the server did not become ready (exit code {server.poll()})")
            time.sleep(0.1)
        yield port
    finally:
        server.terminate()
        server.wait(10)
