"""A database of release 1.0.0 becomes one of today, and goes back as far as docs/running.md promises.

release_1_0_0.sql is a dump of a database that the migrations of that release made, with two users, three books, a cart
of two lines, a session and a member of a group.
"""

from pathlib import Path

import pytest

from tests.support.documented import block_of
from tests.support.installed import sql
from tests.support.server import ROOT

pytestmark = [pytest.mark.postgres, pytest.mark.own_session, pytest.mark.django_db, pytest.mark.slow]

DUMP = Path(__file__).with_name("release_1_0_0.sql")
COLUMNS = (
    "SELECT table_name || '.' || column_name, data_type, is_nullable FROM information_schema.columns "
    "WHERE table_schema = 'public' AND table_name NOT LIKE 'django_tasks%' ORDER BY 1"
)
CONSTRAINTS = (
    "SELECT conrelid::regclass, conname, pg_get_constraintdef(oid) FROM pg_constraint "
    "WHERE connamespace = 'public'::regnamespace AND conrelid::regclass::text NOT LIKE 'django_tasks%' ORDER BY 1, 2"
)
INDEXES = (
    "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename NOT LIKE 'django_tasks%' "
    "ORDER BY 1"
)
ROWS = (
    "SELECT id, email, password, is_active, is_staff FROM users ORDER BY id",
    "SELECT id, title, author, price, stock_quantity, genre_id, isbn, is_active FROM books ORDER BY id",
    "SELECT id, name FROM genres ORDER BY id",
    "SELECT id, user_id, updated_at FROM carts ORDER BY id",
    "SELECT id, cart_id, book_id, quantity, price_at_add, added_at FROM cart_items ORDER BY id",
    "SELECT id, user_id, expires_at FROM login_sessions ORDER BY id",
    "SELECT user_id, group_id FROM users_groups ORDER BY 1, 2",
)
SERVES = """
from rest_framework.test import APIClient
client = APIClient()
answer = client.post("/auth/login", {"email": "alice@example.com", "password": "correct horse battery"}, format="json")
client.credentials(HTTP_AUTHORIZATION="Bearer " + answer.json()["access_token"])
print("said:", answer.status_code, [line["book"]["title"] for line in client.get("/cart").json()["items"]],
      [book["title"] for word in ("zazolc", "emma") for book in client.get("/books?q=" + word).json()["items"]])
"""


@pytest.fixture
def old(shop):
    """A database of the owner's as release 1.0.0 left it."""
    sql(shop.superuser, f"DROP DATABASE IF EXISTS {shop.name}_new WITH (FORCE)")
    sql(shop.superuser, f"CREATE DATABASE {shop.name}_new OWNER {shop.name}_owner")
    url = shop.url("owner", f"{shop.name}_new")
    sql(url, DUMP.read_text("utf-8"))
    return url


def facts(url: str) -> list[str]:
    return [sql(url, statement) for statement in (COLUMNS, CONSTRAINTS, INDEXES, *ROWS)]


def rows(url: str) -> list[str]:
    return [sql(url, statement) for statement in ROWS]


def test_a_database_of_release_1_0_0_becomes_todays_with_its_rows(shop, old):
    before = rows(old)

    migrated = shop.manage("migrate", DATABASE_URL=old, DATABASE_DIRECT_URL=old)

    assert migrated.returncode == 0, migrated.stderr
    assert rows(old) == before
    assert shop.manage("migrate", "--check", DATABASE_URL=old, DATABASE_DIRECT_URL=old).returncode == 0
    served = shop.manage("shell", "-c", SERVES, DATABASE_URL=old, DATABASE_DIRECT_URL=old, ALLOWED_HOSTS="testserver")
    assert [line for line in served.stdout.splitlines() if line.startswith("said:")] == [
        "said: 200 ['Emma', 'Dracula’s Guest\\tII'] ['Emma']"
    ], served.stderr


def test_todays_database_goes_back_to_release_1_0_0_with_its_rows(shop, old):
    before = facts(old)
    assert shop.manage("migrate", DATABASE_URL=old, DATABASE_DIRECT_URL=old).returncode == 0

    for line in block_of(ROOT, "Upgrades", "sh").splitlines():
        if "manage.py migrate " in line:
            arguments = line.partition("#")[0].partition("manage.py ")[2].split()
            back = shop.manage(*arguments, DATABASE_URL=old, DATABASE_DIRECT_URL=old)
            assert back.returncode == 0, back.stderr

    assert facts(old) == before


def test_a_migration_that_cannot_be_taken_back_is_one_line(shop, old):
    shop.manage("migrate", DATABASE_URL=old, DATABASE_DIRECT_URL=old)

    refused = shop.manage("migrate", "django_tasks_database", "zero", DATABASE_URL=old, DATABASE_DIRECT_URL=old)

    assert refused.returncode == 1
    assert refused.stderr.splitlines()[-1].startswith("CommandError: This cannot be taken back: ")
    assert "Traceback" not in refused.stderr
