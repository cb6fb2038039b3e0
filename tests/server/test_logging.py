"""One log line for each request, without personal data."""

import json
import logging

import pytest
from pythonjsonlogger.json import JsonFormatter

from bookstore.api.middleware import RequestIdFilter
from bookstore.settings import LOGGING


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

    assert line.keys() == {"time", "level", "logger", "message", "request_id", "method", "path", "status", "ms"}
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
