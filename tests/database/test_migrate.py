"""`manage.py migrate` goes past the pooler, or says why it cannot."""

import pytest
from django.core.management import CommandError, call_command
from django.db import DEFAULT_DB_ALIAS, connection, connections

from bookstore.database import from_url
from tests.support.server import url_of_test_database
from tools.postgres import free_port


@pytest.fixture
def way_past(settings, transactional_db):
    """A DATABASE_DIRECT_URL to the test's own database, with options that tell it apart."""
    settings.DATABASE_DIRECT_URL = from_url.postgresql(f"{url_of_test_database()}?application_name=direct")
    return settings.DATABASE_DIRECT_URL


def application_of(of) -> str:
    return of.connection.info.parameter_status("application_name")


@pytest.mark.django_db
def test_migrate_through_a_pooler_is_refused(settings):
    settings.DB_TRANSACTION_POOLING, settings.DATABASE_DIRECT_URL = True, ""

    with pytest.raises(CommandError) as caught:
        call_command("migrate", verbosity=0)

    assert str(caught.value) == (
        "DB_TRANSACTION_POOLING is 1, so DATABASE_URL goes through a pooler, and a migration must not: "
        "set DATABASE_DIRECT_URL to PostgreSQL's own address."
    )


@pytest.mark.django_db
def test_migrate_without_a_pooler_needs_no_second_way(settings):
    settings.DB_TRANSACTION_POOLING, settings.DATABASE_DIRECT_URL = False, ""

    call_command("migrate", verbosity=0, plan=True)


@pytest.mark.postgres
def test_migrate_bypasses_the_pooler_and_restores_the_connection(way_past, monkeypatch):
    from bookstore.management.commands import migrate

    seen = []
    monkeypatch.setattr(
        migrate.migrate.Command, "handle", lambda *_, **__: seen.append(application_of(connections[DEFAULT_DB_ALIAS]))
    )
    connection.ensure_connection()
    before = connections[DEFAULT_DB_ALIAS]

    call_command("migrate", verbosity=0)

    assert seen == ["direct"]
    assert connections[DEFAULT_DB_ALIAS] is before
    assert application_of(before) != "direct"


@pytest.mark.postgres
def test_migrate_says_that_the_direct_way_does_not_answer(way_past):
    port = free_port()
    way_past |= {"HOST": "127.0.0.1", "PORT": str(port)}

    with pytest.raises(CommandError) as caught:
        call_command("migrate", verbosity=0)

    assert str(caught.value).startswith(f"DATABASE_DIRECT_URL names postgresql 127.0.0.1:{port}/")
    assert str(caught.value).endswith(": start it, or correct DATABASE_DIRECT_URL.")
