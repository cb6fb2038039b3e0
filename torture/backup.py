"""pg_dump and pg_restore by two commands: the same rows, by count and by hash."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from torture.stage import Stage

Facts = dict[str, tuple[int, str]]


def contents(url: str) -> Facts:
    """Rows of each table, and a hash over all of them."""
    import psycopg

    found: Facts = {}
    with psycopg.connect(url) as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        for (table,) in tables:
            rows = sorted(str(row[0]) for row in connection.execute(f'SELECT t::text FROM public."{table}" AS t'))  # noqa: S608
            text = "\n".join(rows)
            found[table] = (len(rows), connection.execute("SELECT md5(%s)", [text]).fetchone()[0])  # type: ignore[index]
    return found


def backup(stage: Stage) -> None:
    """As an operator does: `pg_dump --format=custom` into a file, `pg_restore` into an empty database."""
    import psycopg

    with stage.server() as server:
        from torture.wire import Wire

        books = stage.books(5)
        wire = Wire(server.port)
        for _, token in stage.customers(50):
            for book in books:
                assert wire("POST", "/cart/items", {"book_id": book.pk}, token).status == 201
    source = stage.cluster.url
    target = urlunsplit(urlsplit(source)._replace(path="/restored"))
    with psycopg.connect(source, autocommit=True) as connection:
        connection.execute("CREATE DATABASE restored TEMPLATE template0")
    programs = Path(stage.cluster.installation.bin)
    with tempfile.TemporaryDirectory(prefix="bookstore-backup-") as name:
        dump = Path(name) / "bookstore.dump"
        commands = [
            ["pg_dump", "--format=custom", f"--file={dump}", f"--dbname={source}"],
            ["pg_restore", "--exit-on-error", "--no-owner", f"--dbname={target}", str(dump)],
        ]
        for program, *arguments in commands:
            found = programs / program if (programs / program).exists() else shutil.which(program)
            if not found:
                stage.report(
                    "backup", f"{program} is neither in {programs} nor on PATH: install PostgreSQL's client", False
                )
                return
            subprocess.run([found, *arguments], check=True, env=os.environ)
    before, after = contents(source), contents(target)
    with psycopg.connect(source, autocommit=True) as connection:
        connection.execute("DROP DATABASE restored")
    different = sorted(table for table in before.keys() | after.keys() if before.get(table) != after.get(table))
    rows = sum(count for count, _ in before.values())
    stage.report(
        "backup: pg_dump and pg_restore",
        f"{len(before)} tables, {rows} rows, {len(different)} tables differ {different or ''}",
        not different and before["cart_items"][0] >= 250,
    )
