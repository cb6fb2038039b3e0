"""SQLite to PostgreSQL by one command, as docs/running.md has it: every row, and ids that go on."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest

from tests.support.documented import block_of
from tests.support.installed import sql
from tests.support.server import ROOT

pytestmark = [pytest.mark.postgres, pytest.mark.own_session, pytest.mark.django_db, pytest.mark.slow]


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """The SQLite file of a demo shop, with an order, an audit event and texts of every kind."""
    file = tmp_path_factory.mktemp("sqlite") / "bookstore.sqlite3"
    environment = os.environ | {"DATABASE_URL": f"sqlite:///{file}", "DATABASE_DIRECT_URL": "", "DEBUG": "1"}
    # In one process: each start takes a second.
    made = (
        "from django.core.management import call_command;"
        "[call_command(command, verbosity=0) for command in ('migrate', 'load_demo', 'load_demo_carts')];"
        "from bookstore.accounts.models import User; from cart.models import Cart; from catalog.models import Book;"
        "from orders.checkout import CheckoutRequest, checkout;"
        "user = User.objects.create_user('bob@example.com', 'a good password');"
        "Cart.objects.for_user(user).add(Book.objects.filter(stock_quantity__gt=3).last());"
        "checkout(user, CheckoutRequest(note='Łódź 猫 \\t\\\\', contact={'a': None}))"
    )
    subprocess.run(
        [sys.executable, "manage.py", "shell", "-c", made], cwd=ROOT, env=environment, check=True, capture_output=True
    )
    return file


@pytest.fixture
def empty(shop):
    """The shop's database, migrated and empty, except for the one row that keeps the stamp of the catalogue."""
    there = "FROM pg_tables WHERE schemaname = 'public' AND tablename NOT IN ('django_migrations', 'catalogue_state')"
    names = sql(shop.url("owner"), f"SELECT string_agg(quote_ident(tablename), ',') {there}")
    sql(shop.url("owner"), f"TRUNCATE {names} RESTART IDENTITY")
    return shop


def counts_of(file) -> dict[str, int]:
    with closing(sqlite3.connect(file)) as connection, connection:
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        tables = [name for name in names if not name.startswith(("sqlite_", "django_migrations"))]
        return {table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables}  # noqa: S608


def test_every_row_arrives_and_new_ids_follow(empty, demo):
    done = empty.manage("copy_from_sqlite", str(demo))

    assert (done.returncode, done.stderr) == (0, "")
    expected = counts_of(demo)
    counted = {table: int(sql(empty.url("owner"), f"SELECT count(*) FROM {table}")) for table in expected}  # noqa: S608
    assert counted == expected | {"catalogue_state": 1}
    assert min(expected[table] for table in ("books", "users", "carts", "cart_items", "orders", "order_items")) > 0
    with closing(sqlite3.connect(demo)) as connection, connection:
        [(note,)] = connection.execute("SELECT note FROM orders").fetchall()
    assert sql(empty.url("app"), "SELECT note FROM orders") == note == "Łódź 猫 \t\\"
    made = sql(empty.url("app"), "INSERT INTO genres (name, name_folded) VALUES ('New', 'new') RETURNING id")
    highest = sql(empty.url("app"), "SELECT max(id) FROM genres WHERE name <> 'New'")
    assert int(made) == int(highest) + 1


def test_the_documented_lines_move_a_shop(empty, demo, tmp_path):
    (tmp_path / "bookstore.sqlite3").write_bytes(demo.read_bytes())
    lines = block_of(ROOT, "From SQLite to PostgreSQL", "sh")
    script = lines.replace(".venv/bin/python", sys.executable).replace("manage.py", str(ROOT / "manage.py"))
    kept = {"PATH": os.environ["PATH"]}

    done = subprocess.run(
        ["/bin/sh", "-ec", script], cwd=tmp_path, env=kept | empty.settings, capture_output=True, text=True
    )

    assert done.returncode == 0, done.stderr
    assert sql(empty.url("app"), "SELECT count(*) > 100 FROM books") == "t"


def test_a_database_with_rows_is_not_overwritten(empty, demo):
    empty.manage("copy_from_sqlite", str(demo))

    again = empty.manage("copy_from_sqlite", str(demo))

    assert again.returncode == 1
    assert again.stderr.startswith("CommandError: The PostgreSQL database has rows in ")
    assert again.stderr.count("\n") == 1


def test_a_file_of_another_release_is_refused(empty, demo, tmp_path):
    old = tmp_path / "old.sqlite3"
    old.write_bytes(demo.read_bytes())
    with closing(sqlite3.connect(old)) as connection, connection:
        connection.execute("DELETE FROM django_migrations WHERE app = 'orders'")

    refused = empty.manage("copy_from_sqlite", str(old))

    assert refused.returncode == 1
    assert refused.stderr.startswith("CommandError: The two databases have different migrations (orders.0001_orders")


def test_a_row_that_postgresql_refuses_leaves_nothing(empty, demo, tmp_path):
    wrong = tmp_path / "wrong.sqlite3"
    wrong.write_bytes(demo.read_bytes())
    with closing(sqlite3.connect(wrong)) as connection, connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute("UPDATE cart_items SET book_id = 999999 WHERE id = (SELECT min(id) FROM cart_items)")

    refused = empty.manage("copy_from_sqlite", str(wrong))

    assert refused.returncode == 1
    assert refused.stderr.startswith("CommandError: PostgreSQL refuses a row, and nothing was copied: ")
    assert refused.stderr.count("\n") == 1
    assert sql(empty.url("owner"), "SELECT count(*) FROM books") == "0"


@pytest.mark.parametrize(("content", "said"), [(None, "cannot be read"), (b"title,author\n", "is no SQLite database")])
def test_a_file_that_is_no_database_is_one_line(empty, tmp_path, content, said):
    file = tmp_path / "books.csv"
    if content is not None:
        file.write_bytes(content)

    refused = empty.manage("copy_from_sqlite", str(file))

    assert refused.returncode == 1
    assert said in refused.stderr
    assert refused.stderr.count("\n") == 1
