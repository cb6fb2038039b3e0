"""The variants: their start, their requests, and their memory."""

import contextlib
import http.client
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from proofs.benchmarks import data
from tools.postgres import free_port

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 30
STOP_SECONDS = 10
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
class Server:
    """A variant that runs."""

    variant: Variant
    port: int
    process: subprocess.Popen[bytes]
    seconds_to_serve: float = 0.0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/cart"

    def workers(self) -> list[int]:
        """The processes that serve: the descendants that have no children of their own (Linux)."""
        children: dict[int, list[int]] = {}
        for status in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                # "pid (name) state ppid": a name may have blanks and brackets in it.
                pid, _, rest = status.read_text().partition(" ")
                children.setdefault(int(rest.rpartition(")")[2].split()[1]), []).append(int(pid))
        leaves, waiting = [], [self.process.pid]
        while waiting:
            pid = waiting.pop()
            waiting += children.get(pid, [])
            command = Path(f"/proc/{pid}/cmdline").read_bytes() if pid != self.process.pid else b""
            if pid not in children and pid != self.process.pid and b"resource_tracker" not in command:
                leaves.append(pid)
        return leaves

    def megabytes_per_worker(self) -> float | None:
        """Resident memory of the largest worker; None where there is no /proc."""
        sizes = []
        for pid in self.workers() if Path("/proc/self/status").exists() else []:
            with contextlib.suppress(OSError, StopIteration):
                lines = Path(f"/proc/{pid}/status").read_text().splitlines()
                sizes.append(int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) / 1024)
        return max(sizes, default=None)


def ask(port: int, method: str, path: str, token: str, body: bytes | None = None) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


@contextlib.contextmanager
def running(
    variant: Variant, environ: Mapping[str, str], *, token: str, log: Path, workers: int, ready: str = "/cart"
) -> Iterator[Server]:
    """The variant, up to its first served cart (or what `ready` names); ended with its workers."""
    port = free_port()
    command = [part.format(port=port, workers=workers) for part in variant.command]
    with log.open("wb") as sink:
        begun = time.perf_counter()
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, **environ, **variant.environ},
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    server = Server(variant, port, process)
    try:
        while True:
            with contextlib.suppress(OSError, http.client.HTTPException):
                status, body = ask(port, "GET", ready, token)
                if status == 200:
                    break
                raise SystemExit(f"error: {variant.title} answers GET {ready} with {status}: {body[:300]!r}; see {log}")
            if process.poll() is not None or time.perf_counter() - begun > START_SECONDS:
                tail = log.read_text(errors="replace").strip().splitlines()[-5:]
                raise SystemExit(f"error: {variant.title} does not serve ({' | '.join(tail) or 'it said nothing'})")
            time.sleep(0.005)
        server.seconds_to_serve = time.perf_counter() - begun
        yield server
    finally:
        end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    """The server first, then whatever of its session is left."""
    process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(STOP_SECONDS)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
