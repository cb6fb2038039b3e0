"""Runs deploy/nginx.conf on this machine: on another port, in front of another address, without a container."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tools.processes import free_port

OURS = Path(__file__).resolve().parents[1] / "deploy" / "nginx.conf"
CACHE = "/var/cache/bookstore-nginx"
START_SECONDS = 5


def find_nginx() -> str | None:
    """Some distributions install it outside the PATH of ordinary users."""
    return shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


@contextmanager
def nginx(program: str, upstream: int, replace: Mapping[str, str] | None = None) -> Iterator[int]:
    """Runs before the server on this port of 127.0.0.1; gives nginx's own port.

    `replace`: what an operator would edit in the file. Raises RuntimeError with what nginx said when it does not start.
    """
    port = free_port()
    text = OURS.read_text().replace("server app:8000;", f"server 127.0.0.1:{upstream};")
    text = text.replace("listen 80;\n    server_name", f"listen 127.0.0.1:{port};\n    server_name")
    for old, new in (replace or {}).items():
        if old not in text:
            raise ValueError(f"deploy/nginx.conf does not have {old!r}")
        text = text.replace(old, new)
    with tempfile.TemporaryDirectory(prefix="bookstore-nginx-") as name:
        folder = Path(name)
        (folder / "bookstore.conf").write_text(text.replace(CACHE, f"{folder}/cache"))
        kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        paths = "".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds)
        (folder / "nginx.conf").write_text(
            f"{'user root;' if os.geteuid() == 0 else ''} daemon off; pid {folder}/pid; events {{}}"
            f" http {{ access_log off; {paths} include {folder}/bookstore.conf; }}"
        )
        process = subprocess.Popen(
            [program, "-p", name, "-c", str(folder / "nginx.conf"), "-e", str(folder / "errors")],
            stderr=subprocess.DEVNULL,
        )
        try:
            deadline = time.monotonic() + START_SECONDS
            while not answers(port):
                if process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"nginx did not start: {(folder / 'errors').read_text()}")
                time.sleep(0.05)
            yield port
        finally:
            process.terminate()
            process.wait(10)


def answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True
