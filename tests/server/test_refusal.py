"""The response of a request that got no slot has all headers of other responses."""

import io
import json
import logging
import time
from http import HTTPStatus
from wsgiref.util import setup_testing_defaults

import pytest

from bookstore.api.errors import ContentTooLarge, ServiceUnavailable
from bookstore.server.bodies import CutShort
from bookstore.server.refusal import Refusal

SHOP = "https://shop.example"


@pytest.fixture
def refused(settings):
    """`refused(error, HTTP_ORIGIN=…)`: status, headers and body of a refusal."""
    settings.CORS_ALLOWED_ORIGINS = [SHOP]
    settings.SECURE_HSTS_SECONDS = 31_536_000
    settings.SECURE_HSTS_INCLUDE_SUBDOMAINS = settings.SECURE_HSTS_PRELOAD = True

    def refuse(error=None, **changes):
        environ, answer = {}, {}
        setup_testing_defaults(environ)
        body = Refusal()(
            environ | {"PATH_INFO": "/cart", "QUERY_STRING": "q=canary"} | changes,
            lambda status, headers: answer.update(status=status, headers=dict(headers)),
            time.perf_counter(),
            error,
        )
        return answer["status"], answer["headers"], b"".join(body)

    return refuse


def test_refusal_is_the_envelope_of_503(refused):
    status, headers, body = refused()

    assert status == "503 Service Unavailable"
    assert json.loads(body) == ServiceUnavailable().envelope()
    assert headers.pop("X-Request-ID")
    assert headers == {
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        "Retry-After": "1",
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "X-Frame-Options": "DENY",
        "Strict-Transport-Security": "max-age=31536000; includeSubDomains; preload",
        "Vary": "origin",
    }


def test_refusal_of_head_has_no_body(refused):
    status, headers, body = refused(REQUEST_METHOD="HEAD")

    assert (status, body) == ("503 Service Unavailable", b"")
    assert headers["Content-Length"] == str(len(refused()[2]))


def test_refusal_of_staff_is_a_page(refused):
    status, headers, body = refused(PATH_INFO="/admin/catalog/book/", error=ContentTooLarge("The file is <too> large."))

    assert status == f"413 {HTTPStatus(413).phrase}"  # another one since Python 3.13
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert headers["Content-Length"] == str(len(body))
    assert headers["X-Frame-Options"] == "DENY"
    assert b"<h1>The file is &lt;too&gt; large.</h1>" in body


def test_refusal_of_half_a_body_is_the_usual_envelope_of_400(refused):
    half = CutShort(announced=400, came=70)

    status, headers, body = refused(error=half)

    assert status == "400 Bad Request"
    assert json.loads(body) == {
        "detail": "The body was cut short: 400 bytes were announced, 70 came.",
        "code": "PARSE_ERROR",
    }
    assert headers["Content-Length"] == str(len(body))
    assert {*headers, "Retry-After"} == {*refused()[1]}


def test_refusal_has_the_headers_that_django_gives_the_same_answer(refused, client, settings, monkeypatch):
    """Else one of the two was forgotten."""
    from bookstore.server.health import HealthView

    def away(self, request):
        raise ServiceUnavailable

    monkeypatch.setattr(HealthView, "get", away)
    headers = {"origin": SHOP, "x-request-id": "order-7"}

    by_django = client.get("/health", headers=headers, secure=True)

    _, ours, _ = refused(HTTP_ORIGIN=SHOP, HTTP_X_REQUEST_ID="order-7")
    assert by_django.status_code == 503
    own = {"Allow", "Vary", "Cache-Control"}  # of the view
    assert {name.lower(): value for name, value in ours.items() if name not in own} == {
        name.lower(): value for name, value in by_django.headers.items() if name not in own
    }


def test_refusal_keeps_a_valid_request_id_and_replaces_any_other(refused):
    assert refused(HTTP_X_REQUEST_ID="order-7")[1]["X-Request-ID"] == "order-7"
    made = [refused(HTTP_X_REQUEST_ID=sent)[1]["X-Request-ID"] for sent in ("a b", "x" * 65, "evil\r\nSet-Cookie: a")]
    assert [len(identity) for identity in made] == [32, 32, 32]
    assert len(set(made)) == 3


@pytest.mark.parametrize("origin", ["https://evil.example", f"{SHOP}.evil.example", "null", ""])
def test_refusal_tells_a_browser_nothing_of_other_origins(refused, origin):
    assert not {name for name in refused(HTTP_ORIGIN=origin)[1] if name.startswith("Access-Control")}


def test_refusal_lets_an_allowed_origin_read_it(refused, settings):
    headers = refused(HTTP_ORIGIN=SHOP)[1]

    assert headers["Access-Control-Allow-Origin"] == SHOP
    assert headers["Access-Control-Expose-Headers"] == ", ".join(settings.CORS_EXPOSE_HEADERS)


def test_refusal_writes_the_line_of_a_request(refused, settings):
    from bookstore.api.middleware import RequestIdFilter

    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.addFilter(RequestIdFilter())
    handler.setFormatter(logging.Formatter("[%(request_id)s] %(levelname)s %(method)s %(path)s %(status)s"))
    logger = logging.getLogger("bookstore.request")
    logger.addHandler(handler)

    refused(HTTP_X_REQUEST_ID="order-7", PATH_INFO="/bücher".encode().decode("latin-1"))
    logger.removeHandler(handler)

    assert stream.getvalue() == "[order-7] INFO GET /b%C3%BCcher 503\n"
