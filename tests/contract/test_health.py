"""GET /health and GET /ready"""

from types import SimpleNamespace

import pytest
from django.db import OperationalError, connection
from django.db.migrations.executor import MigrationExecutor

from bookstore import __version__
from bookstore.server import health
from bookstore.server.health import ReadyView

OK = {"status": "ok", "version": __version__}


@pytest.fixture(autouse=True)
def nothing_seen_yet(monkeypatch):
    monkeypatch.setattr(ReadyView, "migrated", False)


def test_get_health_is_200_without_a_database(client):
    response = client.get("/health")

    assert (response.status_code, response.json()) == (200, OK)


@pytest.mark.django_db
def test_get_ready_is_200_when_migrated(client):
    response = client.get("/ready")

    assert (response.status_code, response.json()) == (200, OK)


@pytest.mark.django_db
def test_get_ready_is_503_when_a_migration_is_missing(client, monkeypatch):
    monkeypatch.setattr(MigrationExecutor, "migration_plan", lambda self, targets: [("0042_missing", False)])

    response = client.get("/ready")

    assert response.status_code == 503
    assert response.headers["Retry-After"] == "1"
    assert response.json() == {
        "detail": "The database lacks migrations: run `manage.py migrate`.",
        "code": "SERVICE_UNAVAILABLE",
    }


@pytest.mark.django_db
def test_get_ready_is_503_when_the_database_is_away(client, monkeypatch):
    def away(*args):
        raise OperationalError("connection refused")

    monkeypatch.setattr(connection, "cursor", away)

    response = client.get("/ready")

    assert response.status_code == 503
    assert response.json() == {"detail": "The database does not answer.", "code": "SERVICE_UNAVAILABLE"}


@pytest.mark.django_db
def test_get_ready_reads_the_migrations_once(client, django_assert_num_queries):
    client.get("/ready")

    with django_assert_num_queries(1):
        client.get("/ready")


@pytest.mark.parametrize(
    ("free", "may_write", "grows"), [(6_000_000, True, True), (4_000_000, True, False), (6_000_000, False, False)]
)
def test_a_file_of_sqlite_can_grow_where_there_is_room(tmp_path, monkeypatch, free, may_write, grows):
    monkeypatch.setattr("shutil.disk_usage", lambda folder: SimpleNamespace(free=free))
    monkeypatch.setattr("os.access", lambda path, mode: may_write)

    assert health.file_can_grow(tmp_path / "shop.sqlite3") is grows
    assert health.file_can_grow("file:memorydb_default?mode=memory&cache=shared")


@pytest.mark.django_db
def test_get_ready_is_503_when_the_file_of_sqlite_cannot_grow(client, monkeypatch):
    monkeypatch.setattr(connection, "vendor", "sqlite")
    monkeypatch.setitem(health.WRITABLE, "sqlite", "SELECT 0")
    monkeypatch.setattr(health, "file_can_grow", lambda name: False)

    response = client.get("/ready")

    assert response.status_code == 503
    assert response.json() == {
        "detail": "The disk of the database is full or read-only.",
        "code": "SERVICE_UNAVAILABLE",
    }
