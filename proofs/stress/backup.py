"""Checks that pg_dump and pg_restore give the same rows, by count and hash."""

import tempfile
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from proofs.stress.stage import Stage
from tests.support import documented
from tests.support.server import ROOT

SECTION = "Backup and restore"
Facts = dict[str, tuple[int, str]]


def contents(url: str) -> Facts:
    """Rows of each table, and a hash over all of them."""
    import psycopg

    found: Facts = {}
    with psycopg.connect(url) as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        for (table,) in tables:
            rows = sorted(str(row[0]) for row in connection.execute(f'SELECT t::text FROM public."{table}" AS t'))  # noqa: S608  # a name from pg_tables
            text = "\n".join(rows)
            found[table] = (len(rows), connection.execute("SELECT md5(%s)", [text]).fetchone()[0])  # type: ignore[index]  # a SELECT of md5 has one row
    return found


def backup(stage: Stage) -> None:
    """As an operator does: the two commands of docs/running.md, into a file and into an empty database."""
    import psycopg

    with stage.server() as server:
        from tests.support.client import PatientClient

        books = stage.books(5)
        wire = PatientClient(server.port)
        for _, token in stage.customers(50):
            for book in books:
                assert wire("POST", "/cart/items", {"book_id": book.pk}, token).status == 201
    source = stage.cluster.url
    target = urlunsplit(urlsplit(source)._replace(path="/restored"))
    commands = [
        *documented.commands_of(ROOT, SECTION, "pg_dump"),
        *documented.commands_of(ROOT, SECTION, "pg_restore"),
    ]
    with psycopg.connect(source, autocommit=True) as connection:
        connection.execute("CREATE DATABASE restored TEMPLATE template0")
    try:
        with tempfile.TemporaryDirectory(prefix="bookstore-backup-") as name:
            for command in commands:
                documented.run(command, stage.cluster, Path(name), DATABASE_DIRECT_URL=source, NEW_DATABASE_URL=target)
        before, after = contents(source), contents(target)
        checked = stage.manage("migrate", "--check", DATABASE_URL=target)
    finally:
        with psycopg.connect(source, autocommit=True) as connection:
            connection.execute("DROP DATABASE restored")
    different = sorted(table for table in before.keys() | after.keys() if before.get(table) != after.get(table))
    rows = sum(count for count, _ in before.values())
    stage.report(
        "backup: the two commands of docs/running.md",
        f"{len(before)} tables, {rows} rows, {len(different)} tables differ{f' {different}' if different else ''}; "
        f"`migrate --check` {'finds nothing to do' if not checked.returncode else 'finds something missing'}",
        len(commands) == 2 and not different and not checked.returncode and before["cart_items"][0] >= 250,
    )
