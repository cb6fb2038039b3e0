"""GET /health and GET /ready"""

import pytest
from django.db import OperationalError, connection
from django.db.migrations.executor import MigrationExecutor

from bookstore import __version__
from bookstore.api.health import ReadyView

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
