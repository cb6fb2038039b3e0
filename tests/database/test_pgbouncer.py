"""DB_TRANSACTION_POOLING: threads that share fewer connections, through a real PgBouncer.

`make test-pgbouncer` runs the whole suite that way; here is what would fail without the setting.
"""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from django.db import DatabaseError, connections, transaction

from bookstore.accounts.models import ThrottleWindow
from bookstore.database import from_url, is_unavailable
from tests.support.pair import until
from tools.pgbouncer import PgBouncerUnavailable, pooled
from tools.postgres import PostgresUnavailable, throwaway

THREADS, ROUNDS, ROWS = 8, 20, 250
MOMENT = datetime(1999, 1, 1, 2, 3, 4, tzinfo=UTC)

pytestmark = [pytest.mark.slow, pytest.mark.postgres]


@pytest.fixture(scope="module")
def pooler():
    """Its server keeps another time than UTC, so that Django has to set the zone of each connection."""
    try:
        with throwaway(settings={"timezone": "Asia/Tokyo"}) as cluster, pooled(cluster, pool_size=2) as (_, url):
            yield cluster.url, url
    except (PostgresUnavailable, PgBouncerUnavailable) as error:
        pytest.skip(str(error))


@pytest.fixture
def alias(pooler, monkeypatch, django_db_blocker):
    """A database of Django's that goes through the pooler, with a table of windows in it. Not the test's own."""
    direct, url = pooler
    names = {"direct": from_url.database(direct), "pooled": from_url.database(url, transaction_pooling=True)}
    for name, database in names.items():
        monkeypatch.setitem(connections.settings, name, {**connections.settings["default"], **database})
    with django_db_blocker.unblock():
        with connections["direct"].cursor() as cursor, connections["direct"].schema_editor() as editor:
            cursor.execute("DROP TABLE IF EXISTS throttle_windows")
            editor.create_model(ThrottleWindow)
        ThrottleWindow.objects.using("direct").bulk_create(
            ThrottleWindow(key=str(number), count=number, expires_at=MOMENT) for number in range(ROWS)
        )
        yield "pooled"
        for name in names:
            connections[name].close()
            del connections[name]


def test_threads_that_share_connections_read_and_write(alias):
    windows = ThrottleWindow.objects.using(alias)

    def work(number: int) -> list[object]:
        try:
            found: list[object] = []
            for turn in range(ROUNDS):
                found.append(windows.get(key=str(turn)).count == turn)
                found.append(sum(1 for _ in windows.iterator(chunk_size=10)) == ROWS)
                with transaction.atomic(using=alias):
                    windows.select_for_update().filter(key=str(number)).update(count=number)
                    found.append(windows.get(key=str(number)).expires_at == MOMENT)
                with connections[alias].cursor() as cursor:
                    cursor.execute("SHOW timezone")
                    found.append(cursor.fetchone() == ("UTC",))
            return found
        finally:
            connections[alias].close()

    with ThreadPoolExecutor(THREADS) as threads:
        found = [each for thread in threads.map(work, range(THREADS)) for each in thread]

    assert len(found) == THREADS * ROUNDS * 4
    assert all(found)


def test_nothing_of_a_client_stays_on_a_connection(alias, pooler):
    ThrottleWindow.objects.using(alias).count()
    connections[alias].close()

    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_prepared_statements")
        prepared = cursor.fetchone()
        cursor.execute("SELECT count(*) FROM pg_cursors WHERE is_holdable")
        cursors = cursor.fetchone()
        cursor.execute("SHOW lock_timeout")
        bound = cursor.fetchone()
    connections[alias].close()

    assert (prepared, cursors, bound) == ((0,), (0,), ("2s",))  # the role's


def test_a_database_lost_behind_the_pooler_is_found_again(monkeypatch, django_db_blocker):
    """PgBouncer has words of its own for it: query_wait_timeout, server_login_retry."""

    def ask() -> tuple[int]:
        try:
            with connections["pooled"].cursor() as cursor:
                cursor.execute("SELECT 1")
                return cursor.fetchone()
        finally:
            connections["pooled"].close()

    try:
        with throwaway() as cluster, pooled(cluster) as (_, url), django_db_blocker.unblock():
            database = from_url.database(url, transaction_pooling=True)
            monkeypatch.setitem(connections.settings, "pooled", {**connections.settings["default"], **database})
            before = ask()
            cluster.stop()
            errors = []
            for _ in range(2):
                with pytest.raises(DatabaseError) as caught:
                    ask()
                errors.append(caught.value)
            cluster.start()
            until(lambda: suppressed(ask) == (1,), "it is found again")
            del connections["pooled"]
    except (PostgresUnavailable, PgBouncerUnavailable) as error:
        pytest.skip(str(error))

    assert before == (1,)
    assert [is_unavailable(error) for error in errors] == [True, True]


def suppressed(ask):
    with suppress(DatabaseError):
        return ask()
    return None
