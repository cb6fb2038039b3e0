"""A throw-away PgBouncer in transaction mode, in front of a throw-away PostgreSQL.

    with throwaway() as cluster, pooled(cluster) as (version, url):
        ...connect to url...

Uses `pgbouncer` from PATH, or from where Debian installs it.
"""

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from tools.postgres import STOP_SECONDS, SUPERUSER, Cluster
from tools.processes import free_port, uninterrupted

START_SECONDS = 20
FEW = 4  # connections to PostgreSQL, so that clients soon get another one


# As in docs/running.md. PgBouncer's defaults are 120, 15, 15 and 0 (none): with the database down each request would
# wait for two minutes, and up to 15 s after the database is back.
BOUNDS = """\
query_wait_timeout = 2
server_connect_timeout = 2
server_login_retry = 1
query_timeout = 6
"""


class PgBouncerUnavailable(Exception):
    """There is no PgBouncer on this machine, or it did not start. The message says why."""


def found() -> str:
    """The path of the program. Raises PgBouncerUnavailable."""
    path = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', os.defpath)}{os.pathsep}/usr/sbin")
    if not path:
        raise PgBouncerUnavailable("PgBouncer is not on PATH: install it (Debian, Ubuntu: apt install pgbouncer).")
    return path


def configuration(cluster: Cluster, folder: Path, port: int, pool_size: int) -> str:
    return f"""[databases]
* = host=127.0.0.1 port={cluster.port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {folder}/users
pool_mode = transaction
default_pool_size = {pool_size}
max_client_conn = 500
{BOUNDS}"""


@contextlib.contextmanager
def pooled(cluster: Cluster, *, pool_size: int = FEW) -> Iterator[tuple[str, str]]:
    """A description for the summary, and the cluster's URL through the pooler. Raises PgBouncerUnavailable."""
    import psycopg

    program = found()
    with psycopg.connect(cluster.url, autocommit=True) as connection:
        # Timeouts that a connection through the pooler cannot set, as in docs/running.md.
        for bound in ("lock_timeout = '2s'", "statement_timeout = '5s'"):
            connection.execute(f"ALTER ROLE {SUPERUSER} SET {bound}")
    version = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout.split("\n")[0]
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="pgbouncer-", dir=cluster.folder) as name:
        folder = Path(name)
        (folder / "users").write_text(f'"{SUPERUSER}" "{cluster.password}"\n')
        (folder / "pgbouncer.ini").write_text(configuration(cluster, folder, port, pool_size))
        cluster.give(folder, *folder.iterdir())
        log = folder / "log"
        with log.open("wb") as sink, uninterrupted():
            process = subprocess.Popen(
                [program, folder / "pgbouncer.ini"],
                **cluster.as_user(),
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            wait_for(port, process, log)
            parts = urlsplit(cluster.url)
            yield version, urlunsplit(parts._replace(netloc=parts.netloc.rpartition(":")[0] + f":{port}"))
        finally:
            with uninterrupted():
                process.terminate()  # at once; SIGINT would wait for clients
                try:
                    process.wait(STOP_SECONDS)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()


def wait_for(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    said = " | ".join(log.read_text(errors="replace").strip().splitlines()[-3:])
    raise PgBouncerUnavailable(f"PgBouncer did not start: {said or 'it said nothing'}")
