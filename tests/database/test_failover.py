"""A primary that is demoted, promoted or read-only: impossible calls are 503, and nothing hangs."""

import threading

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.db import InternalError, OperationalError
from django.http import HttpResponse

from bookstore.admin.sessions import AdminSessions
from tests.database.test_database import READ_ONLY, caused_by
from tests.support.client import Client
from tests.support.pair import execute, running_pair, until
from tests.support.server import running_server

BOOK = (
    "INSERT INTO books (title, author, price, stock_quantity, title_folded, author_folded)"
    " SELECT 'Emma', 'Jane Austen', 9.50, 5, 'emma', 'jane austen' FROM generate_series(1, 3)"
)


@pytest.fixture(scope="module")
def pair():
    with running_pair() as (primary, standby):
        execute(primary, BOOK)
        yield primary, standby


def registered(client, email):
    answer = client("POST", "/auth/register", {"email": email, "password": "correct horse battery"})
    assert answer.status == 201
    return answer.body


def connected(cluster) -> set[int]:
    sql = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
    return {pid for (pid,) in execute(cluster, sql)}


def close_to_writers(primary, value: str) -> None:
    execute(primary, f"ALTER SYSTEM SET default_transaction_read_only = {value}")
    execute(primary, "SELECT pg_reload_conf()")
    until(lambda: execute(primary, "SHOW default_transaction_read_only") == [(value,)], f"read-only is {value}")


@pytest.mark.slow
@pytest.mark.postgres
def test_write_to_a_read_only_server_is_503_and_disconnects(pair):
    primary, _ = pair
    with (
        running_server(workers=1, DATABASE_URL=primary.url, AUTH_THROTTLE_RATE="off") as port,
        Client(port) as anybody,
    ):
        tokens = registered(anybody, "alice@example.com")
        execute(primary, "UPDATE users SET is_staff = true, is_superuser = true")
        alice = Client(port, tokens["access_token"])
        line = alice("POST", "/cart/items", {"book_id": 1}).body["id"]
        writes = [
            ("POST", "/cart/items", {"book_id": 2}),
            ("PUT", f"/cart/items/{line}", {"quantity": 2}),
            ("PATCH", f"/cart/items/{line}", {"quantity": 2}),
            ("DELETE", f"/cart/items/{line}", None),
            ("DELETE", "/cart/items", None),
            ("POST", "/cart/merge", {"items": [{"book_id": 3}]}),
            ("POST", "/auth/register", {"email": "bob@example.com", "password": "correct horse battery"}),
            ("POST", "/auth/login", {"email": "alice@example.com", "password": "correct horse battery"}),
            ("POST", "/auth/refresh", {"refresh_token": tokens["refresh_token"]}),
            ("POST", "/auth/logout", {"refresh_token": tokens["refresh_token"]}),
            ("POST", "/books", {"title": "Persuasion", "author": "Jane Austen", "price": "8.00"}),
            ("PUT", "/books/1", {"price": "8.00"}),
            ("PATCH", "/books/1/stock", {"quantity": 1}),
            ("DELETE", "/books/1", None),
            ("POST", "/genres", {"name": "Novels"}),
        ]
        close_to_writers(primary, "on")
        try:
            answers, left = [], []
            for method, path, body in writes:
                answers.append((method, path, alice(method, path, body).status))
                alice("GET", "/cart")
                left.append(len(connected(primary)))
            reads = [alice("GET", path).status for path in ("/cart", "/books", "/books/1", "/genres", "/health")]
            ready = anybody("GET", "/ready")
        finally:
            close_to_writers(primary, "off")
        again = alice("PUT", f"/cart/items/{line}", {"quantity": 3}).status, anybody("GET", "/ready").status
        alice.connection.close()

    assert answers == [(method, path, 503) for method, path, _ in writes]
    assert left == [1] * len(writes)  # that of the place for those who read
    assert reads == [200] * 5
    assert (ready.status, ready.body) == (503, {"detail": "The database is read-only.", "code": "SERVICE_UNAVAILABLE"})
    assert again == (200, 200)


@pytest.mark.slow
@pytest.mark.postgres
def test_a_standby_configured_as_the_primary_is_not_served_from(pair):
    _, standby = pair

    with (
        pytest.raises(RuntimeError, match="exit code 1"),
        running_server(workers=1, DATABASE_URL=standby.url),
    ):
        pass


@pytest.mark.slow
@pytest.mark.postgres
def test_writes_are_503_in_a_switchover_or_crash_and_then_go_on(pair):
    """Two hosts in DATABASE_URL, and each is the primary in turn."""
    one, other = pair
    hosts = f"127.0.0.1:{one.port},127.0.0.1:{other.port}"
    url = f"postgresql://postgres:{one.password}@{hosts}/postgres?target_session_attrs=read-write"
    with running_server(workers=1, DATABASE_URL=url) as port, Client(port) as anybody:
        token = registered(anybody, "carol@example.com")["access_token"]
        answers: list[tuple[int, int]] = []
        stop = threading.Event()

        def write():
            with Client(port, token) as carol:
                line = carol("POST", "/cart/items", {"book_id": 1}).body["id"]
                while not stop.is_set():
                    quantity = len(answers) % 999 + 1
                    answers.append((carol("PUT", f"/cart/items/{line}", {"quantity": quantity}).status, quantity))

        def more_are_acknowledged():
            seen = len(answers)
            until(lambda: [status for status, _ in answers[seen:]].count(200) >= 20, "writes go on")

        writer = threading.Thread(target=write)
        writer.start()
        try:
            more_are_acknowledged()
            one.stop()
            until(lambda: answers[-1][0] == 503, "without a primary it is 503")
            execute(other, "SELECT pg_promote()")
            one.follow(other)
            more_are_acknowledged()
            attempts = len(answers)
            other.stop(crash=True)
            until(lambda: len(answers) > attempts + 3 and answers[-1][0] == 503, "without a primary it is 503")
            execute(one, "SELECT pg_promote()")
            more_are_acknowledged()
        finally:
            stop.set()
            writer.join()
        with Client(port, token) as carol:
            cart = carol("GET", "/cart").body
        ready = anybody("GET", "/ready").status

    assert {status for status, _ in answers} == {200, 503}
    assert cart["total_items"] == answers[-1][1]
    assert ready == 200


@pytest.mark.slow
@pytest.mark.postgres
def test_the_catalogue_is_read_during_a_failover():
    with running_pair() as (primary, standby):
        execute(primary, BOOK)
        hosts = f"127.0.0.1:{primary.port},127.0.0.1:{standby.port}"
        url = f"postgresql://postgres:{primary.password}@{hosts}/postgres?target_session_attrs=read-write"
        with running_server(workers=1, DATABASE_URL=url, DATABASE_REPLICA_URLS=standby.url) as port:
            statuses: list[int] = []
            stop = threading.Event()

            def read():
                with Client(port) as anybody:
                    while not stop.is_set():
                        statuses.append(anybody("GET", "/books").status)

            def read_by_a_replica():
                with Client(port) as anybody:
                    anybody("GET", "/books")
                return len(connected(standby)) == 2  # the watch's, and the request's

            def ready(status):
                with Client(port) as anybody:
                    return anybody("GET", "/ready").status == status

            until(read_by_a_replica, "the replica answers")
            reader = threading.Thread(target=read)
            reader.start()
            try:
                primary.stop(crash=True)
                until(lambda: ready(503), "the primary is missed")
                seen = len(statuses)
                until(lambda: len(statuses) > seen + 200, "the catalogue is read meanwhile")
                execute(standby, "SELECT pg_promote()")
                until(lambda: ready(200), "the new primary is found")
                seen = len(statuses)
                until(lambda: len(statuses) > seen + 200, "the catalogue is read after that")
            finally:
                stop.set()
                reader.join()

    assert set(statuses) == {200}


@pytest.mark.parametrize("error", [caused_by(InternalError(), READ_ONLY), OperationalError("the connection is lost")])
def test_a_session_of_the_admin_that_cannot_be_saved_is_503(rf, monkeypatch, db, error):
    def cannot_save(self, must_create=False):
        raise error

    def page(request):
        request.session["seen"] = "books"
        return HttpResponse("the first page")

    monkeypatch.setattr(SessionStore, "save", cannot_save)

    response = AdminSessions(page)(rf.get("/admin/"))

    assert (response.status_code, response.headers["Retry-After"]) == (503, "1")
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"  # people read it


def test_a_session_of_the_admin_that_fails_by_a_bug_stays_one(rf, monkeypatch, db):
    def cannot_save(self, must_create=False):
        raise InternalError("malformed")

    request = rf.get("/admin/")
    request.session = SessionStore()
    request.session["seen"] = "books"
    monkeypatch.setattr(SessionStore, "save", cannot_save)

    with pytest.raises(InternalError, match="malformed"):
        AdminSessions(lambda request: HttpResponse()).process_response(request, HttpResponse())
