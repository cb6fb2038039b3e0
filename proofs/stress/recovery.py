"""Point-in-time recovery: a base backup and the archived log restore a table that was emptied by mistake.

The commands are those of docs/running.md.
"""

import shutil
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from proofs.stress.backup import contents
from proofs.stress.stage import Stage
from tests.support import documented
from tests.support.client import PatientClient
from tests.support.server import ROOT
from tools.installations import Installation
from tools.postgres import Cluster, PostgresUnavailable, base_backup, throwaway

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
            for name in ("pg_basebackup", "psql"):
                cluster.program(name)
        except PostgresUnavailable as error:
            stage.report("recovery", f"{error}: install PostgreSQL's client", False)
            return
        assert cluster.folder
        archive, backup = cluster.folder / "archive", cluster.folder / "backup"
        archive.mkdir()
        cluster.give(archive)
        stage.manage("migrate", "-v0", DATABASE_URL=cluster.url).check_returncode()
        execute(cluster, PUT_BOOKS, BOOKS)
        server = stage.new_server(cluster.url)
        try:
            server.wait_until_ready()
            wire = PatientClient(server.port)
            fill_carts(wire, "before")
            base_backup(cluster, backup, cluster.program("pg_basebackup"))
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
            put_back(stage, restored, cluster)
        ((lines,),) = execute(cluster, "SELECT count(*) FROM cart_items")
        statuses = add_again(stage, cluster)
        stage.report(
            "recovery: the table put back into the shop that went on",
            f"{lines} lines of carts, {CUSTOMERS * BOOKS} of them made since; adds after it: {dict(statuses)}",
            lines == 3 * CUSTOMERS * BOOKS and set(statuses) == {201},
        )


def fill_carts(wire: PatientClient, when: str) -> None:
    for number in range(CUSTOMERS):
        body = {"email": f"{when}{number}@example.com", "password": "correct horse battery"}
        token = wire("POST", "/auth/register", body).body["access_token"]
        for book_id in range(1, BOOKS + 1):
            assert wire("POST", "/cart/items", {"book_id": book_id}, token).status == 201


def put_back(stage: Stage, restored: Cluster, cluster: Cluster) -> None:
    """The lines that were deleted, into the table that has others by now, by the commands of docs/running.md."""
    commands = documented.block_of(ROOT, "Put a table back", "sh")
    with tempfile.TemporaryDirectory(prefix="bookstore-recovery-") as folder:
        urls = {"RESTORED_URL": restored.url, "DATABASE_URL": cluster.url}
        documented.run(commands, cluster, Path(folder), **urls)


def add_again(stage: Stage, cluster: Cluster) -> Counter[int]:
    """The statuses of adds by new customers: no id is given out twice."""
    server = stage.new_server(cluster.url)
    try:
        server.wait_until_ready()
        wire, statuses = PatientClient(server.port), Counter[int]()
        for number in range(CUSTOMERS):
            body = {"email": f"again{number}@example.com", "password": "correct horse battery"}
            token = wire("POST", "/auth/register", body).body["access_token"]
            statuses.update(
                wire("POST", "/cart/items", {"book_id": book_id}, token).status for book_id in range(1, BOOKS + 1)
            )
        return statuses
    finally:
        server.stop()


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
