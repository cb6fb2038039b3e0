"""Every error has the contract's envelope, whatever code produced it."""

import gzip
import json

import pytest
from django.conf import settings
from django.contrib.admin import AdminSite
from django.db import InterfaceError, OperationalError
from django.test import Client

from bookstore.server.health import HealthView

NOT_FOUND = {"detail": "There is nothing at this path.", "code": "NOT_FOUND"}


@pytest.mark.parametrize("path", ["/nothing", "/books/x", "/cart/items/x", "/health/x", "/.env", "/%00", "/%ff"])
@pytest.mark.parametrize("debug", [True, False])
def test_an_unknown_path_is_404_in_the_envelope(client, settings, path, debug):
    settings.DEBUG = debug

    response = client.get(path)

    assert response.status_code == 404
    assert response.headers["Content-Type"] == "application/json"
    assert response.json() == NOT_FOUND


def test_a_byte_order_mark_before_a_body_is_ignored(client):
    response = client.post("/auth/logout", "\ufeff{}".encode(), content_type="application/json")

    assert response.status_code == 422
    assert response.json()["code"] == "VALIDATION_ERROR"


def test_a_host_that_is_not_served_is_400_in_the_envelope(client, settings):
    settings.ALLOWED_HOSTS = ["shop.example"]

    response = client.get("/docs", headers={"host": "evil.example"})

    assert response.status_code == 400
    assert response.json() == {
        "detail": "The header Host names no host of this shop: ALLOWED_HOSTS lists them.",
        "code": "BAD_REQUEST",
    }


@pytest.mark.parametrize("debug", [True, False])
def test_a_bug_is_500_in_the_envelope_and_leaks_nothing(client, settings, monkeypatch, debug, caplog):
    settings.DEBUG = debug
    client.raise_request_exception = False

    def broken(self, request):
        raise RuntimeError("a secret detail")

    monkeypatch.setattr(HealthView, "get", broken)

    response = client.get("/health", headers={"x-request-id": "req-42"})

    assert response.status_code == 500
    assert response.json() == {
        "detail": "Something went wrong here. The header X-Request-ID names this request in the log.",
        "code": "INTERNAL_ERROR",
    }
    assert response.headers["X-Request-ID"] == "req-42"
    assert "a secret detail" in caplog.text


@pytest.mark.parametrize("error", [OperationalError("connection refused"), InterfaceError("closed")])
def test_a_database_that_is_away_is_503_with_retry_after(client, monkeypatch, error):
    def away(self, request):
        raise error

    monkeypatch.setattr(HealthView, "get", away)

    response = client.get("/health")

    assert response.status_code == 503
    assert response.headers["Retry-After"] == "1"
    assert response.json()["code"] == "SERVICE_UNAVAILABLE"


def test_a_database_that_is_away_is_503_in_the_admin_too(client, monkeypatch):
    def away(self, request):
        raise OperationalError("connection refused")

    monkeypatch.setattr(AdminSite, "has_permission", away)

    response = client.get("/admin/")

    assert response.status_code == 503
    assert response.headers["Content-Type"].startswith("text/html")


@pytest.mark.parametrize("method", ["POST", "OPTIONS"])
@pytest.mark.parametrize("path", ["/health", "/schema", "/docs"])
def test_a_method_that_is_not_there_is_405_with_those_that_are(client, method, path):
    response = client.generic(method, path)

    assert response.status_code == 405
    assert response.headers["Allow"] == "GET, HEAD"
    assert response.json()["code"] == "METHOD_NOT_ALLOWED"


def test_a_method_that_only_changes_is_listed_by_its_405(client):
    response = client.get("/auth/login")

    assert (response.status_code, response.headers["Allow"]) == (405, "POST")


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("path", ["/", "/admin"])
def test_a_redirect_is_only_for_who_reads(method, path):
    response = Client(enforce_csrf_checks=True).generic(method, path)

    assert response.status_code == 405
    assert response.headers["Allow"] == "GET, HEAD"
    assert response.json()["code"] == "METHOD_NOT_ALLOWED"


@pytest.mark.parametrize("path", ["/health", "/books/x", "/cart", "/schema", "/docs"])
def test_only_405_lists_what_the_path_answers_to(client, path):
    assert "Allow" not in client.get(path).headers


def test_an_accept_that_excludes_json_is_406(client):
    response = client.get("/health", headers={"accept": "application/xml"})

    assert response.status_code == 406
    assert response.json()["code"] == "NOT_ACCEPTABLE"


@pytest.mark.parametrize("accept", ["text/html, application/json;q=0.5", "application/*", "text/html, */*;q=0.1"])
def test_an_accept_that_leaves_room_for_json_is_answered_in_json(client, accept):
    response = client.get("/health", headers={"accept": accept})

    assert response.status_code == 200
    assert response.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"{'email': 1}",
        b'{"email": NaN}',
        b'{"email": Infinity}',
        b"\xff\xfe",
        b'{"a": "\xe9"}',
        b"[" * 101 + b"]" * 101,
        b'{"a":' * 5000 + b"1" + b"}" * 5000,
        b"[" * 400_000,
    ],
)
def test_a_body_that_is_no_json_is_400(api, body):
    if not body:
        body = b" "

    response = api.generic("POST", "/auth/login", body, content_type="application/json")

    assert response.status_code == 400
    assert response.json()["code"] == "PARSE_ERROR"


def test_a_body_100_levels_deep_is_read(api, db):
    deep = b'{"x": ' + b"[" * 99 + b"]" * 99 + b"}"

    response = api.generic("POST", "/auth/login", deep, content_type="application/json")

    assert response.status_code == 422


def test_brackets_in_a_text_are_no_depth(api, db):
    response = api.generic("POST", "/auth/login", json.dumps({"x": "[" * 500}), content_type="application/json")

    assert response.status_code == 422


def test_a_number_longer_than_python_reads_is_a_fault_of_its_field(api, db):
    body = b'{"email": ' + b"9" * 5000 + b', "password": 1e999999999999}'

    response = api.generic("POST", "/auth/login", body, content_type="application/json")

    assert response.status_code == 422
    assert [fault["field"] for fault in response.json()["errors"]] == ["email", "password"]


@pytest.mark.parametrize(
    "content_type", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain"]
)
def test_a_body_of_another_type_is_415(api, content_type):
    response = api.generic("POST", "/auth/login", b"email=a", content_type=content_type)

    assert response.status_code == 415
    assert response.json()["code"] == "UNSUPPORTED_MEDIA_TYPE"


def test_a_json_body_without_content_type_is_read(api, db):
    response = api.generic("POST", "/auth/login", b'{"email": 1}', content_type="")

    assert response.status_code == 422


def test_a_body_over_the_limit_is_413(api):
    body = b'"' + b"a" * settings.DATA_UPLOAD_MAX_MEMORY_SIZE + b'"'

    response = api.generic("POST", "/auth/login", body, content_type="application/json")

    assert response.status_code == 413
    assert response.json()["code"] == "CONTENT_TOO_LARGE"


@pytest.mark.parametrize("path", ["/nothing", "/cart", "/health"])
def test_every_answer_has_the_security_headers_and_its_length(client, path):
    response = client.get(path)

    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Referrer-Policy"] == "same-origin"
    assert response.headers["X-Frame-Options"] == "DENY"
    assert response.headers["Content-Length"] == str(len(response.content))


def test_head_of_an_error_has_its_status(client):
    response = client.head("/nothing")

    assert response.status_code == 404
    assert response.content == b""


def test_admin_without_slash_leads_to_admin(client):
    response = client.get("/admin")

    assert (response.status_code, response.headers["Location"]) == (302, "/admin/")


def test_the_root_leads_to_the_docs(client):
    response = client.get("/")

    assert (response.status_code, response.headers["Location"]) == (302, "/docs")


@pytest.mark.parametrize("coding", ["gzip", "br", "deflate", "x-unknown", "gzip, identity"])
def test_compressed_body_is_415(api, db, coding):
    body = gzip.compress(b'{"email": "alice@example.com", "password": "correct horse battery"}')

    response = api.generic(
        "POST", "/auth/login", body, content_type="application/json", headers={"Content-Encoding": coding}
    )

    assert response.status_code == 415
    assert response.json() == {
        "detail": "Bodies are read as they are, without a Content-Encoding.",
        "code": "UNSUPPORTED_MEDIA_TYPE",
    }


def test_body_that_says_it_is_not_compressed_is_read(api, db):
    response = api.post("/auth/login", {}, headers={"Content-Encoding": "identity"})

    assert response.status_code == 422


@pytest.mark.parametrize(
    ("query", "field"), [("q=%FF", "q"), ("author=caf%E9", "author"), ("page=1&q=%ED%A0%80", "q"), ("%FF=1", "%FF")]
)
def test_query_that_is_no_utf_8_is_422(api, db, query, field):
    response = api.get(f"/books?{query}")

    detail = "Write it in UTF-8, percent-encoded."
    assert response.status_code == 422
    assert response.json() == {
        "detail": detail,
        "code": "VALIDATION_ERROR",
        "field": field,
        "errors": [{"field": field, "code": "invalid", "detail": detail}],
    }
