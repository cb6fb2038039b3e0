"""A database that accepts data and never answers: client-side timeouts."""

import math

import pytest
from django.db import OperationalError, connection
from django.http import HttpResponse

from bookstore.accounts.models import User
from bookstore.accounts.tests.factories import UserFactory
from bookstore.api.errors import ServiceUnavailable
from bookstore.database import deadlines, is_unavailable
from bookstore.database.deadlines import answer_timeout, request_timeout
from bookstore.fastpath import libpq as quick
from bookstore.server.admission import Admission
from bookstore.server.slots import Slots
from bookstore.wsgi import application as served
from tests.support.client import Client
from tests.support.proxy import SwallowingProxy
from tests.support.server import running_server, url_of

# Its connections set timeouts of their own, which a pooler of transactions would hand on to the next client.
pytestmark = pytest.mark.own_session


def admit(application, slots, refuse=lambda *request: []):
    return Admission(application, slots, largest_body=100, largest_upload=100, refuse=refuse, longest=5.5)


@pytest.fixture
def proxy(transactional_db):
    settings = connection.settings_dict
    with SwallowingProxy(settings["HOST"], int(settings["PORT"])) as between:
        yield between


@pytest.fixture
def another(proxy):
    """A connection of the service's kind, by way of the proxy, that waits for an answer for half a second."""
    other = connection.copy()
    options = {**other.settings_dict["OPTIONS"], "answer_timeout": 0.5}
    other.settings_dict = {**other.settings_dict, "HOST": "127.0.0.1", "PORT": proxy.port, "OPTIONS": options}
    yield other
    other.close()


def ask(of) -> int:
    with of.cursor() as cursor:
        cursor.execute("SELECT 42")
        return cursor.fetchone()[0]


def ask_for_two_seconds(of) -> None:
    """In many statements, each of which is quick."""
    with of.cursor() as cursor:
        for _ in range(20):
            cursor.execute("SELECT pg_sleep(0.1)")


@pytest.mark.postgres
def test_a_statement_that_is_never_answered_ends_and_is_unavailable(another, proxy):
    assert ask(another) == 42
    proxy.swallows.set()

    with pytest.raises(OperationalError) as caught:
        ask(another)

    assert str(caught.value) == "no answer within 0.5 s: the connection is given up"
    assert is_unavailable(caught.value)


@pytest.mark.postgres
def test_a_statement_sent_by_libpq_itself_ends_too(another, proxy):
    assert quick.rows(another, "SELECT %s::int", [42]) == [(42,)]
    proxy.swallows.set()

    with pytest.raises(OperationalError) as caught:
        quick.rows(another, "SELECT %s::int", [42])

    assert str(caught.value) == "no answer within 0.5 s: the connection is given up"
    assert another.connection.closed


@pytest.mark.postgres
def test_libpq_sends_nothing_after_the_requests_deadline(another):
    quick.rows(another, "SELECT %s::int", [42])

    with deadlines.within(-1), pytest.raises(OperationalError) as caught:
        quick.rows(another, "SELECT %s::int", [42])

    assert str(caught.value) == "the request has used up its time: its connection is given up"
    assert another.connection.closed


@pytest.mark.postgres
def test_a_connection_that_was_given_up_is_replaced(another, proxy):
    another.ensure_connection()
    proxy.swallows.set()
    with pytest.raises(OperationalError):
        ask(another)
    proxy.swallows.clear()

    another.close_if_unusable_or_obsolete()  # as at the beginning of a request

    assert ask(another) == 42


@pytest.mark.postgres
def test_a_commit_that_is_never_answered_ends_too(another, proxy):
    alice = UserFactory()

    another.set_autocommit(False)
    with another.cursor() as cursor:
        cursor.execute("UPDATE users SET is_staff = true WHERE id = %s", [alice.pk])
    proxy.swallows.set()

    with pytest.raises(OperationalError, match="no answer"):
        another.commit()

    assert User.objects.get(pk=alice.pk).is_staff is False


@pytest.mark.postgres
def test_an_answer_that_comes_in_time_is_waited_for(another):
    with another.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(0.02), 42")

        assert cursor.fetchone()[1] == 42


@pytest.mark.postgres
def test_the_servers_own_word_comes_first(another):
    another.ensure_connection()
    another.connection.answer_timeout = 5
    with another.cursor() as cursor:
        cursor.execute("SET statement_timeout = 20")

        with pytest.raises(OperationalError, match="statement timeout"):
            cursor.execute("SELECT pg_sleep(5)")

    assert ask(another) == 42


@pytest.mark.postgres
def test_a_request_has_one_bound_for_all_its_statements(another):
    another.ensure_connection()
    another.connection.answer_timeout = 60

    with pytest.raises(OperationalError, match="given up"), deadlines.within(0.5):
        ask_for_two_seconds(another)

    assert deadlines.left() == math.inf


@pytest.mark.postgres
def test_a_part_of_a_request_may_have_a_part_of_its_time(another):
    another.ensure_connection()
    another.connection.answer_timeout = 60

    with deadlines.within(60):
        with pytest.raises(OperationalError, match="given up"), deadlines.at_most(0.5):
            ask_for_two_seconds(another)
        another.close()

        assert ask(another) == 42


def test_a_part_of_a_request_has_no_more_time_than_the_request(monkeypatch):
    monkeypatch.setattr(deadlines, "monotonic", lambda: 1000.0)

    with deadlines.within(5.5):
        with deadlines.at_most(60):
            in_the_part = deadlines.left()
        after_it = deadlines.left()

    assert (in_the_part, after_it) == (5.5, 5.5)


@pytest.mark.postgres
def test_nothing_is_sent_after_the_requests_time(another):
    alice = UserFactory()
    another.ensure_connection()

    with (
        deadlines.within(0),
        pytest.raises(OperationalError, match="used up its time"),
        another.cursor() as cursor,
    ):
        cursor.execute("UPDATE users SET is_staff = true WHERE id = %s", [alice.pk])

    assert User.objects.get(pk=alice.pk).is_staff is False
    assert another.is_usable() is False


@pytest.mark.postgres
def test_a_connection_is_not_begun_when_too_little_time_is_left(another):
    with deadlines.within(1.9), pytest.raises(OperationalError, match="too little time left to connect"):
        another.ensure_connection()

    with deadlines.within(10):
        assert ask(another) == 42


@pytest.mark.postgres
def test_a_migration_has_no_bound_on_this_side_either(another):
    with another.schema_editor(atomic=True) as editor:
        during = another.connection.answer_timeout
        editor.execute("SELECT pg_sleep(0.7)")

    assert during == math.inf
    assert another.connection.answer_timeout == 0.5


@pytest.mark.postgres
def test_unanswered_query_is_503_and_the_next_request_is_served(proxy):
    """The whole service, with the shortest bound that it takes: a second for a statement, and a half."""
    database = {**connection.settings_dict, "HOST": "127.0.0.1", "PORT": proxy.port}
    with running_server(workers=1, DATABASE_URL=url_of(database), DB_STATEMENT_TIMEOUT="1") as port:
        proxy.swallows.set()
        with Client(port) as client:
            away = client("GET", "/genres")
        proxy.swallows.clear()
        with Client(port) as client:
            back = client("GET", "/genres")

    assert (away.status, away.body) == (503, ServiceUnavailable().envelope())
    assert (back.status, back.body) == (200, [])


@pytest.mark.parametrize(
    ("statement_timeout", "of_a_statement", "of_a_request"),
    [(5, 5.5, 5.5), (30, 30.5, 30.5), (1, 1.5, 5.5), (0, 5.5, 5.5)],
)
def test_the_bounds_are_a_little_more_than_the_servers(statement_timeout, of_a_statement, of_a_request):
    assert answer_timeout(statement_timeout) == of_a_statement
    assert request_timeout(statement_timeout) == of_a_request


@pytest.mark.parametrize(
    ("path", "expected"), [("/cart", 5.5), ("/books", 5.5), ("/admin/", math.inf), ("/admin/cart/cart/", math.inf)]
)
def test_api_deadline_begins_in_the_queue_and_staff_have_none(path, expected, monkeypatch):
    monkeypatch.setattr(deadlines, "monotonic", lambda: 1000.0)
    seen = []

    def application(environ, start_response):
        seen.append(deadlines.left())
        return HttpResponse()

    admission = admit(application, Slots(1, for_staff=1))

    admission({"PATH_INFO": path}, lambda status, headers: None)

    assert seen == [expected]
    assert deadlines.left() == math.inf


def test_a_thread_whose_request_found_no_slot_has_all_the_time_again():
    admission = admit(lambda *request: HttpResponse(), Slots(0, patience=0), refuse=lambda *request: [b"busy"])

    answer = admission({"PATH_INFO": "/cart"}, lambda status, headers: None)

    assert answer == [b"busy"]
    assert deadlines.left() == math.inf


def test_the_served_application_has_the_bound_of_the_settings(settings):
    assert served.longest == settings.REQUEST_TIMEOUT == 5.5
