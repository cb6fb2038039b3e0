"""Only the public catalogue is read from replicas, and only from good ones."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from django.db import InterfaceError, OperationalError, ProgrammingError, connections
from django.http import HttpResponse
from django.test import RequestFactory

from bookstore.accounts.models import User
from bookstore.database import deadlines, replicas
from bookstore.database.lag import Watch
from bookstore.database.replicas import CatalogueRouter, from_replicas, reading_from, reads_primary
from tests.support.client import Client
from tests.support.pair import execute, running_pair, until
from tests.support.proxy import SwallowingProxy
from tests.support.server import running_server

AWAY = OperationalError("connection refused")


def test_only_what_is_enclosed_is_read_from_a_replica():
    router = CatalogueRouter()
    replicas.reading.alias = "replica1"
    enclosed = router.db_for_read(User), router.db_for_write(User)
    del replicas.reading.alias

    assert enclosed == ("replica1", "default")
    assert router.db_for_read(User) is None


def test_nothing_is_migrated_on_a_replica():
    router = CatalogueRouter()

    assert router.allow_migrate("replica1", "catalog") is False
    assert router.allow_migrate("default", "catalog") is None
    assert router.allow_relation(User(), User()) is True


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, False),
        ({"HTTP_AUTHORIZATION": "Bearer x"}, True),
        ({"HTTP_COOKIE": "sessionid=x"}, True),
        ({"HTTP_COOKIE": "theme=dark"}, False),
    ],
)
def test_who_may_have_written_reads_the_primary(headers, expected):
    assert reads_primary(RequestFactory().get("/books", **headers)) is expected


@pytest.fixture
def one_replica(settings, monkeypatch):
    """`replica1`, which is well; a second description of the test's own database."""
    settings.REPLICAS = {"replica1": {}}
    watch = Watch(("replica1",), max_lag=5)
    watch.well = ("replica1",)
    monkeypatch.setattr(watch, "begin", lambda: None)
    monkeypatch.setattr(replicas, "watch", lambda: watch)
    monkeypatch.setitem(connections.settings, "replica1", connections.settings["default"])
    replicas.idle.clear()
    yield watch
    for connection in replicas.idle.pop("replica1", ()):
        connection.close()


@pytest.mark.parametrize(
    ("error", "well"),
    [
        (AWAY, ()),
        (InterfaceError("the connection is closed"), ()),
        (ProgrammingError('column "is_signed" does not exist'), ("replica1",)),
    ],
)
def test_what_a_replica_cannot_answer_the_primary_is_asked(one_replica, error, well):
    asked = []

    @from_replicas
    def view(self, request):
        asked.append(CatalogueRouter().db_for_read(User))
        if asked[-1]:
            raise error
        return "answer"

    assert view(None, RequestFactory().get("/books")) == "answer"
    assert asked == ["replica1", None]
    assert one_replica.well == well


def test_a_refusal_of_ours_is_not_asked_twice(one_replica):
    asked = []

    @from_replicas
    def view(self, request):
        asked.append(request.path)
        raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011  # it has no text
        view(None, RequestFactory().get("/books"))
    assert asked == ["/books"]


def test_without_a_replica_that_is_well_the_primary_answers(one_replica):
    one_replica.well = ()
    view = from_replicas(lambda self, request: CatalogueRouter().db_for_read(User))

    assert view(None, RequestFactory().get("/books")) is None


@pytest.fixture
def late_replica(one_replica):
    """`replica1`, which lags; the primary was seen at 100 s."""
    one_replica.well, one_replica.late = (), ("replica1",)
    one_replica.positions.append((100.0, 1000))
    one_replica.primary_answers = True
    return one_replica


def catalogue(*, primary=None, replica=None):
    """A view of the catalogue whose servers raise these errors; and the list of who was asked."""
    asked = []

    @from_replicas
    def view(self, request):
        asked.append(CatalogueRouter().db_for_read(User) or "default")
        if error := replica if asked[-1] == "replica1" else primary:
            raise error
        return HttpResponse(asked[-1])

    return lambda: view(None, RequestFactory().get("/books")), asked


def test_a_replica_that_lags_is_not_asked_while_the_primary_answers(late_replica):
    read, asked = catalogue()

    response = read()

    assert response.content == b"default"
    assert "Cache-Control" not in response.headers
    assert asked == ["default"]


@pytest.mark.parametrize("error", [AWAY, InterfaceError("the connection is closed")])
def test_a_late_replica_answers_no_store_for_a_lost_primary(late_replica, error):
    read, asked = catalogue(primary=error)

    response = read()

    assert response.content == b"replica1"
    assert response.headers["Cache-Control"] == "no-store"
    assert asked == ["default", "replica1"]


def test_the_next_request_does_not_wait_for_a_lost_primary(late_replica):
    read, asked = catalogue(primary=AWAY)
    read()
    asked.clear()

    response = read()

    assert response.content == b"replica1"
    assert response.headers["Cache-Control"] == "no-store"
    assert asked == ["replica1"]


def test_a_primary_that_the_last_look_missed_is_not_waited_for(late_replica):
    late_replica.primary_answers = False
    read, asked = catalogue(primary=AWAY)

    assert read().content == b"replica1"
    assert asked == ["replica1"]


def test_the_primary_is_asked_when_no_late_replica_can_answer(late_replica):
    late_replica.primary_answers = False
    read, asked = catalogue(replica=AWAY)

    assert read().content == b"default"
    assert asked == ["replica1", "default"]
    assert late_replica.late == ()


def test_the_error_is_the_primarys_when_a_late_replica_fails_too(late_replica):
    read, asked = catalogue(primary=AWAY, replica=ProgrammingError('column "is_signed" does not exist'))

    with pytest.raises(OperationalError) as caught:
        read()

    assert caught.value is AWAY
    assert asked == ["default", "replica1"]


def test_a_bug_on_the_primary_is_not_hidden_by_a_late_replica(late_replica):
    read, asked = catalogue(primary=ProgrammingError("syntax error"))

    with pytest.raises(ProgrammingError, match="syntax error"):
        read()

    assert asked == ["default"]


def test_a_late_replica_answers_when_all_other_servers_are_away(late_replica, monkeypatch):
    late_replica.well = ("replica2",)
    monkeypatch.setitem(connections.settings, "replica2", connections.settings["default"])
    asked = []

    @from_replicas
    def view(self, request):
        asked.append(CatalogueRouter().db_for_read(User))
        if asked[-1] != "replica1":
            raise AWAY
        return HttpResponse("answer")

    response = view(None, RequestFactory().get("/books"))

    assert response.content == b"answer"
    assert asked == ["replica2", None, "replica1"]


@pytest.mark.parametrize(
    ("is_connected", "left", "expected"),
    [
        (True, 5.5, 1.0),
        (True, 3.7, 1.0),  # it stood in line as long as it could
        (True, 2.5, 0.5),
        (False, 5.5, 3.0),
    ],
)
@pytest.mark.usefixtures("late_replica")
def test_the_primary_leaves_a_late_replica_time_to_answer(monkeypatch, is_connected, left, expected):
    seen = []
    monkeypatch.setattr(deadlines, "monotonic", lambda: 1000.0)
    monkeypatch.setattr(connections["default"], "connection", object() if is_connected else None)

    @from_replicas
    def view(self, request):
        seen.append(deadlines.left())
        if len(seen) == 1:
            raise AWAY
        return HttpResponse()

    with deadlines.within(left):
        view(None, RequestFactory().get("/books"))

    assert seen == pytest.approx([expected, left])


def test_threads_one_after_another_share_one_connection(one_replica):
    seen = []

    def request():
        with reading_from("replica1"):
            seen.append(connections["replica1"])

    for _ in range(20):
        thread = threading.Thread(target=request)
        thread.start()
        thread.join()

    assert len(seen) == 20
    assert len(set(map(id, seen))) == 1


def test_who_measures_the_statements_of_a_request_measures_those_too(one_replica):
    measure = object()

    with connections["default"].execute_wrapper(measure), reading_from("replica1"):
        measured = connections["replica1"].execute_wrappers[:]

    assert measured[-1] is measure
    assert replicas.idle["replica1"][-1].execute_wrappers == []


# --- On a real pair --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pair():
    with running_pair(log_statement="all") as (primary, standby):
        execute(primary, "INSERT INTO books (title, author, price, stock_quantity, title_folded, author_folded)"
                " VALUES ('Emma', 'Jane Austen', 9.50, 5, 'emma', 'jane austen')")  # fmt: skip
        execute(primary, "INSERT INTO genres (name, name_folded) VALUES ('Novels', 'novels')")
        yield primary, standby


def served(pair, **environ):
    primary, standby = pair
    environ = {"DATABASE_URL": primary.url, "DATABASE_REPLICA_URLS": standby.url, "AUTH_THROTTLE_RATE": "off"} | environ
    return running_server(workers=1, **environ)


def catalogue_reads(standby) -> int:
    log = (standby.folder / "server.log").read_text(errors="replace")
    return log.count('FROM "books"') + log.count("JOIN books ON")  # the ORM's, and catalog/reading.py's


def until_it_reads_the_replica(client, standby) -> None:
    def answered_there():
        before = catalogue_reads(standby)
        assert client("GET", "/books").status == 200
        return catalogue_reads(standby) > before

    until(answered_there, "the replica answers")


def registered(client, email: str) -> str:
    answer = client("POST", "/auth/register", {"email": email, "password": "correct horse battery"})
    assert answer.status == 201
    return answer.body["access_token"]


def price_of(client) -> str:
    return client("GET", "/books/1").body["price"]


@pytest.mark.slow
@pytest.mark.postgres
def test_catalogue_reads_replicas_carts_and_staff_the_primary(pair):
    primary, standby = pair
    with served(pair, REPLICA_MAX_LAG="3600") as port, Client(port) as anybody:
        alice = Client(port, registered(anybody, "alice@example.com"))
        staff_token = registered(anybody, "staff@example.com")
        execute(primary, "UPDATE users SET is_staff = true, is_superuser = true WHERE email = 'staff@example.com'")
        staff = Client(port, staff_token)
        until_it_reads_the_replica(anybody, standby)
        execute(standby, "SELECT pg_wal_replay_pause()")
        until(lambda: execute(standby, "SELECT pg_get_wal_replay_pause_state()") == [("paused",)], "it stands still")
        try:
            assert staff("PUT", "/books/1", {"price": "12.00"}).body["price"] == "12.00"
            execute(primary, "INSERT INTO genres (name, name_folded) VALUES ('Poems', 'poems')")

            of_the_replica = price_of(anybody), anybody("GET", "/books").body["items"][0]["price"]
            genres = [genre["name"] for genre in anybody("GET", "/genres").body]
            of_the_primary = price_of(staff), price_of(alice)
            line = alice("POST", "/cart/items", {"book_id": 1}).body
            fresh = 0
            for quantity in range(1, 301):
                assert alice("PUT", f"/cart/items/{line['id']}", {"quantity": quantity}).status == 200
                fresh += alice("GET", "/cart").body["total_items"] == quantity
        finally:
            execute(standby, "SELECT pg_wal_replay_resume()")
            alice.connection.close()
            staff.connection.close()

    assert of_the_replica == ("9.50", "9.50")
    assert genres == ["Novels"]
    assert of_the_primary == ("12.00", "12.00")
    assert line["book"]["price"] == "12.00"
    assert fresh == 300


@pytest.mark.slow
@pytest.mark.postgres
def test_a_late_or_lost_replica_is_passed_over_and_read_again(pair):
    primary, standby = pair
    with served(pair, REPLICA_MAX_LAG="1") as port, Client(port) as anybody:
        until_it_reads_the_replica(anybody, standby)

        execute(standby, "SELECT pg_wal_replay_pause()")
        execute(primary, "UPDATE books SET price = 13.00")
        until(lambda: price_of(anybody) == "13.00", "a lagging replica is skipped")
        execute(standby, "SELECT pg_wal_replay_resume()")
        until_it_reads_the_replica(anybody, standby)

        statuses = []
        stop = threading.Event()

        def read():
            with Client(port) as reader:
                while not stop.is_set():
                    statuses.append(reader("GET", "/books").status)

        reader = threading.Thread(target=read)
        reader.start()
        until(lambda: len(statuses) > 20, "somebody reads")
        standby.stop(crash=True)
        seen = len(statuses)
        until(lambda: len(statuses) > seen + 100, "the primary answers")
        stop.set()
        reader.join()
        assert set(statuses) == {200}

        standby.start()
        until_it_reads_the_replica(anybody, standby)


@pytest.mark.slow
@pytest.mark.postgres
def test_connections_to_a_replica_are_as_many_as_requests_run_at_once(pair):
    _, standby = pair
    with served(pair, THREADS="2") as port, Client(port) as anybody:
        until_it_reads_the_replica(anybody, standby)

        def visit():
            with Client(port) as reader:
                for _ in range(10):
                    assert reader("GET", "/books").status == 200

        visitors = [threading.Thread(target=visit) for _ in range(30)]
        for visitor in visitors:
            visitor.start()
        for visitor in visitors:
            visitor.join()
        ((connected,),) = execute(
            standby,
            "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()",
        )

    assert connected <= 2 + 1  # THREADS, and the watch


@contextmanager
def standing_still(standby):
    execute(standby, "SELECT pg_wal_replay_pause()")
    until(lambda: execute(standby, "SELECT pg_get_wal_replay_pause_state()") == [("paused",)], "it stands still")
    try:
        yield
    finally:
        execute(standby, "SELECT pg_wal_replay_resume()")


def prices_of_visitors(port) -> list[tuple[int, str]]:
    """What eight visitors at once get, five times each."""

    def visit(_):
        with Client(port) as anybody:
            answers = [anybody("GET", "/books/1") for _ in range(5)]
            return [(answer.status, answer.body.get("price")) for answer in answers]

    with ThreadPoolExecutor(8) as pool:
        return [answer for answers in pool.map(visit, range(8)) for answer in answers]


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.parametrize("how", ["hangs", "is killed"])
def test_a_replica_that_lags_answers_while_the_primary(pair, how):
    primary, standby = pair
    execute(primary, "UPDATE books SET price = 9.50")
    with SwallowingProxy("127.0.0.1", primary.port) as way:
        url = primary.url.replace(f":{primary.port}/", f":{way.port}/")
        with served(pair, DATABASE_URL=url, REPLICA_MAX_LAG="1") as port, Client(port) as anybody:
            token = registered(anybody, f"{how.split()[-1]}@example.com")
            until_it_reads_the_replica(anybody, standby)
            until(lambda: price_of(anybody) == "9.50", "it has the first price")
            with standing_still(standby):
                execute(primary, "UPDATE books SET price = 14.00")
                until(lambda: prices_of_visitors(port) == [(200, "14.00")] * 40, "a lagging replica is skipped")
                if how == "hangs":
                    way.swallows.set()
                else:
                    primary.stop(crash=True)
                try:
                    of_visitors = prices_of_visitors(port)
                    lists = [anybody("GET", path).status for path in ("/books", "/genres")]
                    with Client(port, token) as alice:
                        of_alice = alice("GET", "/cart").status, alice("GET", "/books").status
                finally:
                    way.swallows.clear()
                    if how == "is killed":
                        primary.start()
                until(lambda: price_of(anybody) == "14.00", "the primary answers again")

    assert of_visitors == [(200, "9.50")] * 40
    assert lists == [200, 200]
    assert of_alice == (503, 503)
