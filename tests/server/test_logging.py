"""One log line for each request, without personal data."""

import json
import logging

import pytest
from pythonjsonlogger.json import JsonFormatter

from bookstore.accounts.models import LoginSession
from bookstore.api.middleware import RequestIdFilter
from bookstore.server.slow_statements import name_of
from bookstore.settings import LOGGING
from catalog.tests.factories import BookFactory

FIELDS = {"method", "path", "status", "ms"}


@pytest.fixture
def lines(caplog):
    caplog.set_level(logging.INFO, "bookstore.request")
    caplog.handler.addFilter(RequestIdFilter())
    return caplog


def test_a_request_is_one_line_with_method_path_status_time_and_id(client, lines):
    client.get("/health?token=canary", headers={"x-request-id": "req-1"})

    [record] = [record for record in lines.records if record.name == "bookstore.request"]
    assert record.getMessage().startswith("GET /health 200 ")
    assert record.getMessage().endswith(" ms")
    assert (record.method, record.path, record.status, record.request_id) == ("GET", "/health", 200, "req-1")


def test_the_json_line_has_the_facts_as_fields(client, lines):
    client.get("/health", headers={"x-request-id": "req-1"})
    options = {key: value for key, value in LOGGING["formatters"]["json"].items() if key != "()"}

    line = json.loads(JsonFormatter(**options).format(lines.records[-1]))

    assert line.keys() == {*FIELDS, "time", "level", "logger", "message", "request_id", "client"}
    assert (line["level"], line["request_id"], line["status"]) == ("INFO", "req-1", 200)


def test_a_path_cannot_break_the_line(client, lines):
    client.get("/a%0d%0aINFO forged")

    assert "/a%0D%0AINFO%20forged" in lines.records[-1].getMessage()


@pytest.mark.django_db
def test_no_token_password_or_email_reaches_the_log(api, lines):
    lines.set_level(logging.INFO)
    canary = {"email": "canary@example.com", "password": "canary-password", "refresh_token": "canary-token"}

    for path in ("/auth/register", "/auth/login", "/auth/refresh", "/auth/logout", "/cart/items", "/canary"):
        api.post(f"{path}?q=canary@example.com", canary, headers={"authorization": "Bearer canary-token"})

    logged = "\n".join(str(record.__dict__) for record in lines.records if record.name.startswith("bookstore"))
    assert "/auth/login" in logged
    assert "canary-" not in logged
    assert "canary@" not in logged


@pytest.mark.parametrize("sent", ["req-1", "a" * 64, "0f.B_z-9"])
def test_a_good_request_id_comes_back(client, sent):
    assert client.get("/health", headers={"x-request-id": sent}).headers["X-Request-ID"] == sent


@pytest.mark.parametrize("sent", ["", "a" * 65, "a b", "a\nb", "é", "<script>"])
def test_a_bad_request_id_is_replaced(client, sent):
    made = client.get("/health", headers={"x-request-id": sent}).headers["X-Request-ID"]

    assert made != sent
    assert len(made) == 32


def facts(lines) -> dict:
    [record] = [record for record in lines.records if record.name == "bookstore.request"]
    return {name: getattr(record, name) for name in ("client", "user_id", "session_id") if hasattr(record, name)}


@pytest.mark.django_db
def test_a_line_names_the_user_and_the_session_of_a_token(client_for, alice, lines):
    client_for(alice).get("/cart")

    [session] = LoginSession.objects.all()
    assert facts(lines) == {"client": "127.0.0.0/24", "user_id": alice.pk, "session_id": session.pk}


@pytest.mark.django_db
def test_a_line_of_the_admin_names_the_member_of_staff(client, admin_user, lines):
    client.force_login(admin_user)

    client.get("/admin/")

    assert facts(lines) == {"client": "127.0.0.0/24", "user_id": admin_user.pk}


@pytest.mark.parametrize(
    ("keep", "expected"),
    [("full", {"client": "203.0.113.9"}), ("network", {"client": "203.0.113.0/24"}), ("off", {})],
)
def test_a_line_has_as_much_of_the_address_as_its_setting_allows(client, lines, settings, keep, expected):
    settings.LOG_ADDRESS = keep

    client.get("/health", REMOTE_ADDR="203.0.113.9")

    assert facts(lines) == expected


def test_a_header_of_the_client_names_nobody(client, lines):
    client.get("/health", headers={"bookstore.caller": "1", "user-id": "1"}, HTTP_BOOKSTORE_CALLER="1")

    assert facts(lines) == {"client": "127.0.0.0/24"}


@pytest.fixture
def slow(settings, caplog):
    """Every statement is slow."""
    settings.MIDDLEWARE = ["bookstore.server.slow_statements.SlowStatements", *settings.MIDDLEWARE]
    settings.SLOW_STATEMENT_MS = -1
    return caplog


@pytest.mark.django_db
def test_a_slow_statement_is_logged_with_its_route_and_without_its_values(client, slow, settings):
    settings.STRICT_QUERY = False
    book = BookFactory(title="Canary")

    client.get(f"/books/{book.pk}?q=canary")

    [line] = [record for record in slow.records if record.getMessage().startswith("Slow statement")]
    assert line.getMessage().startswith("Slow statement: SELECT books took ")
    assert line.getMessage().endswith(" ms for books/<id:book_id>")
    assert (line.statement, line.route) == ("SELECT books", "books/<id:book_id>")
    assert "canary" not in str(line.__dict__).lower()


@pytest.mark.parametrize(
    ("sql", "name"),
    [
        ('SELECT "books"."id" FROM "books"', "SELECT books"),
        ("INSERT INTO cart_items (cart_id) VALUES (%s)", "INSERT cart_items"),
        ("UPDATE carts SET updated_at = now()", "UPDATE carts"),
        ("DELETE FROM login_sessions WHERE id = 1", "DELETE login_sessions"),
        ("SAVEPOINT s1", "SAVEPOINT"),
        ("", "statement"),
    ],
)
def test_a_statement_is_named_by_what_it_does_to_which_table(sql, name):
    assert name_of(sql) == name


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"a=1&" * 2000, "application/x-www-form-urlencoded"),
        (b"a=" + b"%C3%A9" * 50_001, "application/x-www-form-urlencoded"),
        (
            b'--x\r\nContent-Disposition: form-data; name="a"; filename="b"\r\n\r\n\r\n' * 200 + b"--x--\r\n",
            "multipart/form-data; boundary=x",
        ),
    ],
    ids=["fields", "escapes", "files"],
)
def test_form_that_is_too_much_is_no_error_in_the_log(client, db, lines, body, content_type):
    """Django would log a traceback of each, which anybody could fill the log with."""
    for name, logger in LOGGING["loggers"].items():
        if name.startswith("django.security") and "level" in logger:
            lines.set_level(logger["level"], name)

    response = client.generic("POST", "/admin/login/", body, content_type=content_type)

    assert response.status_code in (400, 413)
    assert [record.getMessage() for record in lines.records if record.levelno >= logging.ERROR] == []
