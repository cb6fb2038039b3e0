"""Back to a moment: a base backup and the archived log bring back a table that was emptied by mistake.

The commands are those of docs/running.md.
"""

import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

from proofs.stress.backup import contents
from proofs.stress.stage import Server, Stage
from proofs.stress.wire import Wire
from tools.postgres import Cluster, Installation, PostgresUnavailable, base_backup, throwaway

CUSTOMERS, BOOKS = 20, 5
ARCHIVING = {
    "archive_mode": "on",
    # PostgreSQL runs it in its data folder. It must not overwrite, and must fail until the file is safe.
    "archive_command": "test ! -f ../archive/%f && cp %p ../archive/%f",
}
PUT_BOOKS = """
    INSERT INTO books (title, author, price, stock_quantity, title_folded, author_folded)
    SELECT 'Volume ' || n, 'Jane Austen', 9.50, 5, 'volume ' || n, 'jane austen' FROM generate_series(1, %s::int) n"""


class Restored(Cluster):
    """A server on a copy of the backup, which replays the archive up to a moment and then takes writes."""

    def __init__(self, installation: Installation, backup: Path, archive: Path, moment: str, password: str) -> None:
        until_then = {
            "archive_mode": "off",  # nothing of this line of time into the shop's archive
            "restore_command": f"cp {archive}/%f %p",
            "recovery_target_time": moment,
            "recovery_target_action": "promote",
        }
        super().__init__(installation, durable=True, settings=until_then)
        self.backup, self.password = backup, password

    def fill(self, folder: Path) -> None:
        data = folder / "data"
        shutil.copytree(self.backup, data, symlinks=True)
        (data / "recovery.signal").touch()
        self.give(data, *data.rglob("*"))
        data.chmod(0o700)


def recovery(stage: Stage) -> None:
    """Carts, a base backup, more carts; a moment; the table is emptied, and the shop goes on. Then back."""
    with throwaway(durable=True, settings=ARCHIVING) as cluster:
        try:
            programs = {name: cluster.program(name) for name in ("pg_basebackup", "pg_dump", "psql")}
        except PostgresUnavailable as error:
            stage.report("recovery", f"{error}: install PostgreSQL's client", False)
            return
        assert cluster.folder
        archive, backup = cluster.folder / "archive", cluster.folder / "backup"
        archive.mkdir()
        cluster.give(archive)
        stage.manage("migrate", "-v0", DATABASE_URL=cluster.url).check_returncode()
        execute(cluster, PUT_BOOKS, BOOKS)
        server = Server(stage.root, cluster.url, stage.options.workers, {})
        try:
            server.wait_until_ready()
            wire = Wire(server.port)
            fill_carts(wire, "before")
            base_backup(cluster, backup, programs["pg_basebackup"])
            fill_carts(wire, "since")
            expected = contents(cluster.url)
            ((moment,),) = execute(cluster, "SELECT clock_timestamp()::text")
            time.sleep(1)
            execute(cluster, "DELETE FROM cart_items")
            fill_carts(wire, "after")
        finally:
            server.stop()
        wait_for_archive(cluster)
        began = time.monotonic()
        with Restored(cluster.installation, backup, archive, moment, cluster.password) as restored:
            wait_until_writable(restored)
            seconds = time.monotonic() - began
            found = contents(restored.url)
            different = sorted(
                table for table in expected.keys() | found.keys() if expected.get(table) != found.get(table)
            )
            stage.report(
                "recovery: base backup and archive, to a moment before a table was emptied",
                f"{sum(count for count, _ in expected.values())} rows of {len(expected)} tables, "
                f"{expected['cart_items'][0]} lines of carts back, {len(different)} tables differ"
                f"{f' {different}' if different else ''}, {seconds:.1f} s",
                not different and expected["cart_items"][0] == 2 * CUSTOMERS * BOOKS,
            )
            put_back(restored, cluster, programs)
        ((lines,),) = execute(cluster, "SELECT count(*) FROM cart_items")
        stage.report(
            "recovery: the table put back into the shop that went on",
            f"{lines} lines of carts, {CUSTOMERS * BOOKS} of them made since",
            lines == 3 * CUSTOMERS * BOOKS,
        )


def fill_carts(wire: Wire, when: str) -> None:
    for number in range(CUSTOMERS):
        body = {"email": f"{when}{number}@example.com", "password": "correct horse battery"}
        token = wire("POST", "/auth/register", body).body["access_token"]
        for book_id in range(1, BOOKS + 1):
            assert wire("POST", "/cart/items", {"book_id": book_id}, token).status == 201


def put_back(restored: Cluster, cluster: Cluster, programs: dict[str, Path]) -> None:
    """The lines that were deleted, into the table that has others by now. None has the id of another."""
    dumped = subprocess.run(
        [programs["pg_dump"], "--data-only", "--table=public.cart_items", f"--dbname={restored.url}"],
        check=True,
        capture_output=True,
    )
    subprocess.run(
        [programs["psql"], "--quiet", "--set=ON_ERROR_STOP=1", "--single-transaction", f"--dbname={cluster.url}"],
        input=dumped.stdout,
        check=True,
        stdout=subprocess.DEVNULL,
    )


def wait_for_archive(cluster: Cluster) -> None:
    """Until what was written up to now is in the archive: else a backup is as old as the last full file of the log."""
    ((wanted,),) = execute(cluster, "SELECT pg_walfile_name(pg_switch_wal())")
    deadline = time.monotonic() + 30
    while execute(cluster, "SELECT coalesce(last_archived_wal, '') >= %s FROM pg_stat_archiver", wanted) != [(True,)]:
        if time.monotonic() > deadline:
            raise RuntimeError("the log was not archived within 30 s")
        time.sleep(0.1)


def wait_until_writable(cluster: Cluster) -> None:
    deadline = time.monotonic() + 60
    while execute(cluster, "SELECT pg_is_in_recovery()") != [(False,)]:
        if time.monotonic() > deadline:
            raise RuntimeError("the recovery did not end within 60 s")
        time.sleep(0.1)


def execute(cluster: Cluster, sql: str, *values: str | int) -> list[tuple[Any, ...]]:
    import psycopg

    with psycopg.connect(cluster.url, autocommit=True) as connection:
        cursor = connection.execute(sql.encode(), values or None)
        return cursor.fetchall() if cursor.description else []
