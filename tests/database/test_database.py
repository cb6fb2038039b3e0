"""A slow, busy or lost database: timeouts, the health check, short errors, retries."""

import logging
import threading
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from django.db import (
    DEFAULT_DB_ALIAS,
    DatabaseError,
    IntegrityError,
    InternalError,
    OperationalError,
    connection,
    connections,
    transaction,
)
from django.db.utils import load_backend

from bookstore.accounts.models import User
from bookstore.accounts.tests.factories import UserFactory
from bookstore.database import ATTEMPTS, is_unavailable, retrying


def caused_by(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


DEADLOCK = psycopg.errors.DeadlockDetected("deadlock detected")
SERIALIZATION = psycopg.errors.SerializationFailure("could not serialize access")
READ_ONLY = psycopg.errors.ReadOnlySqlTransaction("cannot execute INSERT in a read-only transaction")


@pytest.fixture
def another(transactional_db):
    """A second connection to the test's database, made as a request's would be."""
    other = connection.copy()
    yield other
    other.close()


def setting(of, name: str) -> str:
    with of.cursor() as cursor:
        cursor.execute("SELECT current_setting(%s)", [name])
        return cursor.fetchone()[0]


@pytest.mark.postgres
def test_a_new_connection_bounds_locks_and_statements(another):
    assert (setting(another, "lock_timeout"), setting(another, "statement_timeout")) == ("2s", "5s")


@pytest.mark.postgres
@pytest.mark.own_session
def test_timeouts_of_zero_are_left_to_the_server(another):
    another.settings_dict = {
        **another.settings_dict,
        "OPTIONS": {**another.settings_dict["OPTIONS"], "lock_timeout": 0, "statement_timeout": 0},
    }

    another.ensure_connection()

    assert another.set_timeouts(another.connection) is False
    assert setting(another, "lock_timeout") == "0"


@pytest.mark.postgres
def test_timeouts_are_no_startup_parameters(another):
    parameters = another.get_connection_params()

    assert not {"lock_timeout", "statement_timeout"} & parameters.keys()
    assert not parameters.get("options")


@pytest.mark.postgres
@pytest.mark.own_session
def test_a_lock_that_is_held_ends_in_time_and_is_unavailable(another):
    alice = UserFactory()
    with another.cursor() as cursor:
        cursor.execute("SET lock_timeout = 50")
    with transaction.atomic():
        list(User.objects.select_for_update().filter(pk=alice.pk))

        with pytest.raises(OperationalError) as caught, another.cursor() as cursor:
            cursor.execute("UPDATE users SET is_staff = true WHERE id = %s", [alice.pk])

    assert is_unavailable(caught.value)


@pytest.mark.postgres
def test_a_migration_may_take_its_time_but_not_the_lock(transactional_db):
    with connection.schema_editor(atomic=True):
        during = (setting(connection, "lock_timeout"), setting(connection, "statement_timeout"))

    assert during == ("2s", "0")
    assert setting(connection, "statement_timeout") == "5s"


@pytest.mark.postgres
@pytest.mark.own_session
def test_a_migration_without_a_transaction_waits_as_long_as_it_must(another):
    with another.schema_editor(atomic=False):
        during = (setting(another, "lock_timeout"), setting(another, "statement_timeout"))

    assert during == ("0", "0")
    assert (setting(another, "lock_timeout"), setting(another, "statement_timeout")) == ("2s", "5s")


@pytest.mark.postgres
def test_the_health_check_sends_no_statement(another):
    another.ensure_connection()
    with another.execute_wrapper(lambda *args: pytest.fail("a statement was sent")):
        assert another.is_usable()


@pytest.mark.postgres
@pytest.mark.own_session
def test_a_connection_that_the_server_ended_is_seen_and_replaced(another):
    other_process = another.connection or another.ensure_connection() or another.connection
    first = other_process.info.backend_pid
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [first])

    another.close_if_unusable_or_obsolete()  # as at the beginning of a request

    assert setting(another, "lock_timeout") == "2s"
    assert another.connection.info.backend_pid != first


@pytest.mark.postgres
@pytest.mark.own_session
def test_a_notice_on_the_socket_is_no_fault(another):
    another.ensure_connection()
    with another.cursor() as cursor:
        cursor.execute("LISTEN shop")
    with connection.cursor() as cursor:
        cursor.execute("NOTIFY shop")

    assert another.is_usable()


@pytest.mark.postgres
@pytest.mark.django_db
def test_an_error_does_not_repeat_the_row_but_names_the_constraint():
    UserFactory(email="canary@example.com")

    with pytest.raises(IntegrityError) as caught, transaction.atomic():
        UserFactory(email="canary@example.com")

    assert "canary" not in str(caught.value)
    assert "canary" not in str(caught.value.__cause__)
    assert caught.value.__cause__.diag.constraint_name in {"uq_users_email", "uq_users_email_lower"}


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (OperationalError("server closed the connection"), True),
        (OperationalError("database is locked"), True),
        (caused_by(OperationalError(), DEADLOCK), True),
        (caused_by(InternalError(), READ_ONLY), True),
        (InternalError("current transaction is aborted"), False),
        (DatabaseError("malformed"), False),
        (IntegrityError("unique"), False),
        (ValueError(), False),
    ],
)
def test_unavailable_is_what_asking_again_can_mend(error, expected):
    assert is_unavailable(error) is expected


def test_a_server_that_only_reads_is_503_and_its_connection_dropped(client, monkeypatch, caplog, db):
    from bookstore.server.health import HealthView

    closed = []

    def read_only(self, request):
        raise caused_by(InternalError(str(READ_ONLY)), READ_ONLY)

    monkeypatch.setattr(HealthView, "get", read_only)
    monkeypatch.setattr(type(connections[DEFAULT_DB_ALIAS]), "close", lambda self: closed.append(self.alias))
    monkeypatch.setattr(connections[DEFAULT_DB_ALIAS], "in_atomic_block", False)

    with caplog.at_level(logging.WARNING, "bookstore.database"):
        response = client.get("/health")
    monkeypatch.undo()

    assert (response.status_code, response.headers["Retry-After"]) == (503, "1")
    assert closed == ["default"]
    assert "25006" in caplog.text


class Verb:
    """Fails so often, and then answers."""

    def __init__(self, failures: list[Exception]) -> None:
        self.failures, self.calls = failures, 0

    def run(self) -> str:
        @retrying
        def verb() -> str:
            self.calls += 1
            if self.failures:
                raise self.failures.pop(0)
            return "done"

        return verb()


def test_a_verb_is_retried_after_deadlock_or_serialization_error(transactional_db):
    verb = Verb([caused_by(OperationalError(), DEADLOCK), caused_by(OperationalError(), SERIALIZATION)])

    assert verb.run() == "done"
    assert verb.calls == 3


def test_a_verb_is_run_four_times_at_most(transactional_db):
    verb = Verb([caused_by(OperationalError(), DEADLOCK) for _ in range(9)])

    with pytest.raises(OperationalError):
        verb.run()

    assert verb.calls == ATTEMPTS


@pytest.mark.parametrize("error", [OperationalError("connection lost"), IntegrityError("unique")])
def test_a_verb_is_not_run_again_after_anything_else(error, transactional_db):
    verb = Verb([error])

    with pytest.raises(type(error)):
        verb.run()

    assert verb.calls == 1


def test_a_verb_within_a_transaction_is_left_to_its_owner(transactional_db):
    verb = Verb([caused_by(OperationalError(), DEADLOCK)])

    with pytest.raises(OperationalError), transaction.atomic():
        verb.run()

    assert verb.calls == 1


@pytest.mark.postgres
def test_two_verbs_that_deadlock_both_succeed(transactional_db):
    """Really: each locks one user and then the other's, in opposite order."""
    alice, bob = UserFactory(), UserFactory()
    both_hold_one = threading.Barrier(2)
    calls: list[int] = []

    def lock_both(first: User, second: User) -> None:
        @retrying
        def verb() -> None:
            calls.append(first.pk)
            with transaction.atomic(), connection.cursor() as cursor:
                # On a busy machine one begins to wait so much later that the other's lock timeout comes first.
                cursor.execute("SET LOCAL lock_timeout = '15s'")
                User.objects.filter(pk=first.pk).update(is_staff=True)
                if len(calls) <= 2:
                    both_hold_one.wait(5)
                User.objects.filter(pk=second.pk).update(is_staff=True)

        try:
            verb()
        finally:
            connection.close()

    threads = [threading.Thread(target=lock_both, args=pair) for pair in ((alice, bob), (bob, alice))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    assert len(calls) == 3
    assert set(User.objects.values_list("is_staff", flat=True)) == {True}


def test_the_engine_is_what_the_settings_name():
    assert load_backend("bookstore.database").DatabaseWrapper.vendor == "postgresql"


@pytest.mark.postgres
@pytest.mark.parametrize("binding", [True, False])
def test_times_are_read_in_utc_by_every_kind_of_cursor(another, binding):
    another.settings_dict["OPTIONS"] = another.settings_dict["OPTIONS"] | {"server_side_binding": binding}
    moment = datetime(1999, 1, 1, 2, 3, 4, 5678, tzinfo=UTC)
    question = "SELECT '1999-01-01 04:03:04.005678+02'::timestamptz"

    with another.cursor() as cursor:
        cursor.execute("SHOW timezone")
        zone = cursor.fetchone()[0]
        cursor.execute(question)
        plain = cursor.fetchone()[0]
    with another.chunked_cursor() as cursor:
        cursor.execute(question)
        chunked = cursor.fetchone()[0]

    assert zone in {"UTC", "Etc/UTC"}
    assert (plain, chunked) == (moment, moment)
    assert (plain.utcoffset(), chunked.utcoffset()) == (timedelta(0), timedelta(0))
