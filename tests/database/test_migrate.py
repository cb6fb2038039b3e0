"""`manage.py migrate` goes past the pooler, runs one at a time, and says in one line why it cannot."""

import threading
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import DEFAULT_DB_ALIAS, connection, connections

from bookstore.database import from_url
from bookstore.management.commands.migrate import LOCK
from tests.support.server import url_of_test_database
from tools.processes import free_port


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


@pytest.fixture
def another_session(transactional_db):
    """A second connection to the test's database."""
    other = connection.copy()
    yield other
    other.close()


def run_migrate(*arguments: str) -> str:
    """What `migrate` says on stderr."""
    said = StringIO()
    try:
        call_command("migrate", *arguments, verbosity=0, stderr=said)
    finally:
        connection.close()
    return said.getvalue()


@pytest.mark.postgres
@pytest.mark.own_session
def test_a_second_migrate_waits_until_the_first_has_ended(another_session, monkeypatch):
    monkeypatch.setattr("bookstore.management.commands.migrate.LOOK_EVERY", 0.01)
    first = another_session.cursor()
    first.execute("SELECT pg_advisory_lock(%s)", [LOCK])
    said = []
    second = threading.Thread(target=lambda: said.append(run_migrate()))

    second.start()
    second.join(0.5)
    waited = second.is_alive()
    first.execute("SELECT pg_advisory_unlock(%s)", [LOCK])
    second.join(20)

    assert waited
    assert said == ["Another `migrate` is running on this database: waiting for its end.\n"]


@pytest.mark.postgres
@pytest.mark.own_session
def test_a_migrate_that_waited_too_long_says_so(another_session, monkeypatch):
    monkeypatch.setattr("bookstore.management.commands.migrate.PATIENCE", -1)
    another_session.cursor().execute("SELECT pg_advisory_lock(%s)", [LOCK])

    with pytest.raises(CommandError) as caught:
        run_migrate()

    assert str(caught.value) == "Another `migrate` has been running on this database for -1 s: nothing was done here."


@pytest.mark.postgres
@pytest.mark.own_session
def test_a_plan_does_not_wait_for_the_migrate_that_runs(another_session):
    another_session.cursor().execute("SELECT pg_advisory_lock(%s)", [LOCK])

    assert run_migrate("--plan") == ""


@pytest.mark.postgres
@pytest.mark.own_session
def test_a_lock_that_is_not_had_is_one_line_and_the_next_run_succeeds(another_session, settings):
    run_migrate("orders", "zero")
    settings.DATABASE_DIRECT_URL = from_url.postgresql(url_of_test_database(), lock_timeout=1)
    other = another_session.cursor()
    other.execute("BEGIN")
    other.execute("LOCK TABLE users IN ACCESS EXCLUSIVE MODE")

    with pytest.raises(CommandError) as caught:
        run_migrate()
    other.execute("ROLLBACK")
    run_migrate()

    assert str(caught.value) == (
        f"Another session kept a lock for more than DB_LOCK_TIMEOUT={settings.DB_LOCK_TIMEOUT} s (canceling statement "
        "due to lock timeout). Migrations before this one are done: run `manage.py migrate` again at a quieter moment."
    )
    assert run_migrate("--check") == ""


@pytest.mark.postgres
@pytest.mark.own_session
def test_a_role_that_owns_no_table_is_told_so_in_one_line(transactional_db, settings):
    run_migrate("orders", "zero")
    name = f"{connection.settings_dict['NAME']}_serves"
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'serves'")
        cursor.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {name}")
    try:
        settings.DATABASE_DIRECT_URL = from_url.postgresql(url_of_test_database()) | {
            "USER": name,
            "PASSWORD": "serves",
        }
        with pytest.raises(CommandError) as caught:
            run_migrate()
    finally:
        settings.DATABASE_DIRECT_URL = ""
        run_migrate()
        with connection.cursor() as cursor:
            cursor.execute(f"DROP OWNED BY {name}")
            cursor.execute(f"DROP ROLE {name}")

    assert str(caught.value).startswith(f"The role '{name}' may not migrate (permission denied for schema public)")
    assert "\n" not in str(caught.value)
