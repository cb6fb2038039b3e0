"""The variants: their start, their requests, and their memory."""

import contextlib
import os
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from proofs.benchmarks import data
from tests.support.client import Answer, Client
from tests.support.processes import workers_below
from tests.support.server import Server

GRANIAN_WSGI = [
    *(sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--blocking-threads", "1"),
    *("--http", "1", "--no-ws", "--no-access-log"),
]


@dataclass(frozen=True)
class Variant:
    """One way to serve the catalogue and the carts. `database` names the one that it runs on; "" needs none."""

    name: str
    title: str
    database: str
    command: tuple[str, ...]  # {port} and {workers} are filled in
    environ: Mapping[str, str] = field(default_factory=dict)
    loads: tuple[str, ...] = (*data.CATALOGUE, "get5", "get50", "add_delete", "put")
    pool: str = "project"  # whose tokens it takes


VARIANTS = (
    Variant(
        "project",
        "this project",
        "project",
        (sys.executable, "manage.py", "serve", "--host", "127.0.0.1", "--port", "{port}", "--workers", "{workers}"),
    ),
    Variant(
        "project_off",
        "this project, FAST_PATH=0",
        "project",
        (sys.executable, "manage.py", "serve", "--host", "127.0.0.1", "--port", "{port}", "--workers", "{workers}"),
        {"FAST_PATH": "0"},
    ),
    Variant(
        "plain",
        "plain Django + DRF, well deployed",
        "plain",
        (*GRANIAN_WSGI, "--port", "{port}", "--workers", "{workers}", "proofs.benchmarks.plain.wsgi:application"),
        pool="plain",
    ),
    Variant(
        "plain_as_it_comes",
        "plain Django + DRF, as it comes",
        "plain",
        (
            *(sys.executable, "-m", "gunicorn", "--bind", "127.0.0.1:{port}", "--workers", "{workers}"),
            "proofs.benchmarks.plain.wsgi:application",
        ),
        {"CONN_MAX_AGE": "0"},
        pool="plain",
    ),
    Variant(
        "bolt",
        "django-bolt: Rust, msgspec, plain ORM",
        "plain",
        (
            *(sys.executable, "-m", "django", "runbolt", "--host", "127.0.0.1", "--port", "{port}"),
            *("--processes", "{workers}", "--no-admin"),
        ),
        {"DJANGO_SETTINGS_MODULE": "proofs.benchmarks.bolt.settings", "DJANGO_BOLT_WORKERS": "1"},
        loads=("book", "page", "get5", "get50"),
        pool="plain",
    ),
    Variant(
        "bare",
        "bare ASGI + asyncpg + orjson",
        "project",
        (
            *(sys.executable, "-m", "uvicorn", "--host", "127.0.0.1", "--port", "{port}", "--workers", "{workers}"),
            *("--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning"),
            "proofs.benchmarks.bare.app:app",
        ),
        loads=("get5", "get50"),
    ),
    Variant(
        "constant",
        "granian, a constant JSON",
        "",
        (*GRANIAN_WSGI, "--port", "{port}", "--workers", "{workers}", "proofs.benchmarks.constant:application"),
        loads=("get5",),
    ),
)


@dataclass
class Running:
    """A variant that runs."""

    variant: Variant
    server: Server
    seconds_to_serve: float

    @property
    def port(self) -> int:
        return self.server.port

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/cart"

    def ask(self, method: str, path: str, token: str = "", body: Any = None) -> Answer:
        with Client(self.port, token) as client:
            return client(method, path, body)

    def megabytes_per_worker(self) -> float | None:
        """Resident memory of the largest worker; None where there is no /proc."""
        sizes = []
        for pid in workers_below(self.server.process.pid) if Path("/proc/self/status").exists() else []:
            with contextlib.suppress(OSError, StopIteration):
                lines = Path(f"/proc/{pid}/status").read_text().splitlines()
                sizes.append(int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) / 1024)
        return max(sizes, default=None)


@contextlib.contextmanager
def running(
    variant: Variant, environ: Mapping[str, str], *, token: str, workers: int, ready: str = "/cart"
) -> Iterator[Running]:
    """The variant, up to its first served cart (or what `ready` names); ended with its workers."""
    command = [part.format(port="{port}", workers=workers) for part in variant.command]
    server = Server(command, {**os.environ, **environ, **variant.environ}, keep_output=True)
    try:
        try:
            server.wait_until_ready(ready, token)
        except RuntimeError as error:
            raise SystemExit(f"error: {variant.title}: {error}") from error
        yield Running(variant, server, time.perf_counter() - server.begun)
    finally:
        server.stop()
