"""Statements sent by libpq directly: the same rows and errors as with a cursor."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.db import DataError, IntegrityError, OperationalError, connection, transaction
from django.test.utils import CaptureQueriesContext

from bookstore.accounts.models import User
from bookstore.accounts.tests.factories import UserFactory
from bookstore.database.constraints import violated
from bookstore.fastpath import libpq as quick

# Behind a pooler nothing is prepared, and these take the ordinary way.
pytestmark = [
    pytest.mark.fast_path,
    pytest.mark.postgres,
    pytest.mark.own_session,
    pytest.mark.django_db(transaction=True),
]

EVERY_TYPE = """SELECT %s::int, 12.50::numeric(10,2), NULL, true, 'Brontë' || '%%',
    timestamptz '2026-01-02 03:04:05.678901+02', %s::text"""


def by_cursor(sql, parameters):
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchall()


def prepared():
    return [name for (name,) in by_cursor("SELECT name FROM pg_prepared_statements WHERE name LIKE 'quick%%'", [])]


@pytest.fixture(autouse=True)
def a_connection_of_its_own():
    connection.close()
    yield
    connection.close()


def test_rows_are_those_of_a_cursor():
    rows = quick.rows(connection, EVERY_TYPE, [7, "O'Hara"])

    assert rows == by_cursor(EVERY_TYPE, [7, "O'Hara"])
    moment = datetime(2026, 1, 2, 1, 4, 5, 678901, tzinfo=UTC)
    assert rows == [(7, Decimal("12.50"), None, True, "Brontë%", moment, "O'Hara")]


@pytest.mark.own_session
def test_a_statement_is_prepared_once_for_each_connection():
    for number in range(3):
        quick.rows(connection, EVERY_TYPE, [number, ""])
        quick.rows(connection, "SELECT %s::int", [number])

    assert sorted(prepared()) == ["quick_0", "quick_1"]


def test_a_statement_that_a_rollback_undid_is_prepared_again():
    """psycopg sends DEALLOCATE ALL after a rollback, once it has prepared anything of its own."""
    quick.rows(connection, "SELECT %s::int", [1])
    for number in range(5):
        by_cursor("SELECT %s::int + 1", [number])
    with transaction.atomic():
        by_cursor("SELECT 1", [])
        transaction.set_rollback(True)
    forgotten = prepared()

    rows = quick.rows(connection, "SELECT %s::int", [2])

    assert forgotten == []
    assert rows == [(2,)]
    assert prepared() == ["quick_0"]


def test_no_row_is_an_empty_list():
    assert quick.rows(connection, "SELECT 1 WHERE %s::int = 2", [1]) == []


def test_a_broken_constraint_is_djangos_error_with_its_name():
    UserFactory(email="alice@example.com")
    insert = """INSERT INTO users (email, password, is_superuser, is_staff, is_active)
        VALUES (%s, '!', false, false, true) RETURNING id"""

    with pytest.raises(IntegrityError) as caught:
        quick.rows(connection, insert, ["alice@example.com"])

    assert violated(caught.value, "uq_users_email")
    assert "alice" not in str(caught.value)
    assert len(quick.rows(connection, insert, ["bob@example.com"])) == 1


def test_statement_that_cannot_be_prepared_keeps_the_connection():
    with pytest.raises(DataError):
        quick.rows(connection, "SELECT 1 / %s::int", [0])

    assert quick.rows(connection, "SELECT %s::int", [3]) == [(3,)]


def test_in_a_transaction_django_runs_the_sql_and_rolls_it_back():
    alice = UserFactory(email="alice@example.com")
    with transaction.atomic():
        quick.rows(connection, "UPDATE users SET is_active = false WHERE id = %s RETURNING id", [alice.pk])
        transaction.set_rollback(True)

    assert User.objects.get().is_active
    assert prepared() == []


def test_who_watches_statements_sees_them():
    with CaptureQueriesContext(connection) as seen:
        quick.rows(connection, "SELECT %s::int", [1])

    assert len(seen) == 1


def test_who_wraps_statements_sees_them_too():
    seen = []

    def watch(execute, sql, params, many, context):
        seen.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(watch):
        rows = quick.rows(connection, "SELECT %s::int", [1])

    assert rows == [(1,)]
    assert seen == [("SELECT %s::int", [1])]


def test_a_connection_that_may_not_prepare_takes_the_ordinary_way():
    connection.ensure_connection()
    connection.connection.prepare_threshold = None

    assert quick.rows(connection, "SELECT %s::int", [1]) == [(1,)]
    assert prepared() == []


def test_server_lost_midway_is_an_error_and_then_reconnected():
    [(process,)] = quick.rows(connection, "SELECT pg_backend_pid() WHERE %s::bool", [True])

    with pytest.raises(OperationalError):
        quick.rows(connection, "SELECT pg_terminate_backend(%s::int)::text, pg_sleep(1)::text", [process])

    connection.close_if_unusable_or_obsolete()
    assert quick.rows(connection, "SELECT pg_backend_pid() <> %s::int", [process]) == [(True,)]


@pytest.mark.own_session
def test_a_wait_that_is_broken_off_gives_the_connection_up(monkeypatch):
    quick.rows(connection, "SELECT %s::int", [1])
    driver = connection.connection

    def interrupted(statement, seconds, deadline):
        raise KeyboardInterrupt

    monkeypatch.setattr(quick.Statement, "result", interrupted)

    with pytest.raises(KeyboardInterrupt):
        quick.rows(connection, "SELECT %s::int", [2])

    assert driver.closed


@pytest.mark.own_session
def test_statements_beyond_the_bound_take_the_ordinary_way(monkeypatch):
    monkeypatch.setattr(quick, "MOST_STATEMENTS", 2)

    rows = [quick.rows(connection, f"SELECT %s::int + {number}", [1]) for number in range(4)]
    again = quick.rows(connection, "SELECT %s::int + 0", [5])

    assert rows == [[(1,)], [(2,)], [(3,)], [(4,)]]
    assert again == [(5,)]
    assert sorted(prepared()) == ["quick_0", "quick_1"]


@pytest.mark.own_session
def test_statements_of_a_caller_with_many_leave_places_for_others(monkeypatch):
    monkeypatch.setattr(quick, "MOST_STATEMENTS", 3)

    rows = [quick.rows(connection, f"SELECT %s::int + {number}", [1], spare=2) for number in range(4)]
    other = quick.rows(connection, "SELECT %s::int + 9", [1])

    assert rows == [[(1,)], [(2,)], [(3,)], [(4,)]]
    assert other == [(10,)]
    assert sorted(prepared()) == ["quick_0", "quick_1"]
