"""SQLite: one deadline for all statements of a request, and durable commits."""

import pytest
from django.db import OperationalError, connection, transaction

from bookstore.database import deadlines, from_url
from bookstore.database.sqlite.base import DatabaseWrapper

pytestmark = pytest.mark.skipif(
    connection.vendor != "sqlite", reason="PostgreSQL has its own bounds: test_deadlines.py"
)

ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"


def waits_for_a_lock():
    """Milliseconds that the next statement would wait."""
    with connection.cursor() as cursor:
        return cursor.execute("PRAGMA busy_timeout").fetchone()[0]


@pytest.mark.django_db
def test_a_statement_waits_for_a_lock_no_longer_than_its_request_may():
    with deadlines.within(1.0):
        of_a_short_request = waits_for_a_lock()
    with deadlines.within(600):
        of_a_long_request = waits_for_a_lock()
    without_one = waits_for_a_lock()

    assert 0 < of_a_short_request <= 1000
    assert of_a_long_request == without_one == 5000


@pytest.mark.django_db
@pytest.mark.parametrize("method", ["execute", "executemany"])
def test_a_request_without_time_sends_no_statement(method):
    with (
        deadlines.within(0),
        connection.cursor() as cursor,
        pytest.raises(OperationalError, match="the request has used up its time"),
    ):
        getattr(cursor, method)("SELECT 1", [])


@pytest.mark.django_db
def test_a_statement_that_computes_for_too_long_is_interrupted():
    with deadlines.within(0.2), connection.cursor() as cursor, pytest.raises(OperationalError, match="interrupted"):
        cursor.execute(ENDLESS)

    assert waits_for_a_lock() == 5000


@pytest.mark.django_db(transaction=True)
def test_a_transaction_timeout_leaves_the_connection_usable():
    def run_out_of_time():
        with transaction.atomic(), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(ENDLESS)

    with deadlines.within(0.2), pytest.raises(OperationalError):
        run_out_of_time()

    with transaction.atomic():
        assert waits_for_a_lock() == 5000


@pytest.mark.django_db
def test_what_was_committed_is_on_the_disk(tmp_path):
    """2 is FULL: the log is synced at each commit. 1, NORMAL, may lose the last commits when the power fails."""
    url = f"sqlite:///{tmp_path}/shop.sqlite3"
    file = DatabaseWrapper({**connection.settings_dict, **from_url.database(url)}, "default")

    with file.temporary_connection() as cursor:
        synchronous = cursor.execute("PRAGMA synchronous").fetchone()
        journal = cursor.execute("PRAGMA journal_mode").fetchone()
    file.close()

    assert (synchronous, journal) == ((2,), ("wal",))
