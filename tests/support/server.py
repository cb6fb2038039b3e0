"""The real server for tests and proofs: a process of its own, on a free port, gone with all that it started."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

from django.db import connection

from tests.support.client import Answer, Client
from tests.support.processes import children_of
from tools.processes import free_port

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 40
STOP_SECONDS = 10
CONNECT_SECONDS = 20  # for PostgreSQL on a busy machine, which a start asks only once; a request has its own deadline


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


def shell_environment() -> dict[str, str]:
    """The environment of a shell in which `python3` is this Python."""
    return os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"}


class Server:
    """A process that serves HTTP, and is to be stopped by the caller. `{port}` in its command becomes a free port."""

    def __init__(
        self, command: Sequence[str], environ: Mapping[str, str], *, port: int = 0, keep_output: bool = False
    ) -> None:
        self.port = port or free_port()
        # Where it is not kept, it goes where the caller's goes: pytest shows it beside a failure.
        self.output = tempfile.TemporaryFile() if keep_output else None  # noqa: SIM115  # closed by stop()
        self.begun = time.perf_counter()
        self.process = subprocess.Popen(
            [part.format(port=self.port) for part in command],
            cwd=ROOT,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            stdout=self.output,
            stderr=subprocess.STDOUT if self.output else None,
            start_new_session=True,
        )

    def wait_until_ready(self, path: str = "/ready", token: str = "", *, seconds: float = START_SECONDS) -> Answer:
        """Its first answer of 200. Raises RuntimeError, with what the server said, when it ends or takes too long."""
        while True:
            answer = None
            with suppress(OSError, HTTPException), Client(self.port, token, timeout=seconds) as client:
                answer = client("GET", path)
            if answer and answer.status == 200:
                return answer
            if self.process.poll() is not None or time.perf_counter() - self.begun > seconds:
                told = answer.content[:300] if answer else f"exit code {self.process.poll()}"
                raise RuntimeError(f"the server did not become ready ({told!r}): {self.said()[-2000:]}")
            time.sleep(0.02)

    def said(self) -> str:
        """All that it has written, where that is kept."""
        if self.output is None:
            return ""
        self.output.seek(0)
        return self.output.read().decode(errors="replace")

    def workers(self) -> list[int]:
        """Those of `manage.py serve` that live. The main process has another child, for tasks in the background."""
        return children_of(self.process.pid, "bookstore.server.main")

    def stop(self) -> None:
        """By SIGTERM, then all that is left of its session by SIGKILL."""
        self.process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(STOP_SECONDS)
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        if self.output:
            self.output.close()


def serve(*options: str, workers: int = 2) -> list[str]:
    """The command of `make serve`, for Server. SERVE_PYTHON names the Python of another environment."""
    python = os.environ.get("SERVE_PYTHON", sys.executable)
    return [python, "manage.py", "serve", "--port", "{port}", "--workers", str(workers), *options]


def environment_for_tests(**environ: str) -> dict[str, str]:
    """Ours, on the database of the test that asks, unless another DATABASE_URL is given."""
    url = environ["DATABASE_URL"] if "DATABASE_URL" in environ else url_of_test_database()
    ours = {"LOG_LEVEL": "WARNING", "DEBUG": "1", "TASK_WORKERS": "0", "DB_CONNECT_TIMEOUT": str(CONNECT_SECONDS)}
    return os.environ | settings_for(url) | ours | environ


@contextmanager
def running_server(*, workers: int = 2, port: int = 0, **environ: str) -> Iterator[int]:
    """Starts the server as `make serve` does, waits until it is ready, and gives its port."""
    server = Server(serve(workers=workers), environment_for_tests(**environ), port=port)
    try:
        server.wait_until_ready()
        yield server.port
    finally:
        server.stop()
