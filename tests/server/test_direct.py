"""Direct answers to public reads: those of Django's handler, without it."""

import logging
import sys
from io import BytesIO
from ipaddress import ip_network

import pytest
from django.apps import apps
from django.core import signals
from django.core.handlers.wsgi import WSGIHandler
from django.db import OperationalError, close_old_connections
from django.http import HttpResponse
from django.urls import path, resolve
from rest_framework.throttling import AnonRateThrottle

from bookstore.api.errors import ServiceUnavailable
from bookstore.api.middleware import request_id
from bookstore.api.views import ApiView, PublicReads
from bookstore.server import direct
from bookstore.server.direct import DirectReads
from bookstore.server.refusal import Refusal
from catalog import bodies
from catalog.models import Book

pytestmark = [pytest.mark.django_db, pytest.mark.fast_path]

READS = ["/books", "/books?genre_id=1&size=1&sort=price", "/books/suggest?q=em", "/books/{emma}", "/genres"]
LIKE_THESE = {
    "plain": {},
    "https": {"wsgi.url_scheme": "https"},
    "https, by a proxy": {"HTTP_X_FORWARDED_PROTO": "https"},
    "of a storefront": {"HTTP_ORIGIN": "https://shop.example"},
    "by axios": {"HTTP_ACCEPT": "application/json, text/plain, */*"},
    "of another origin": {"HTTP_ORIGIN": "https://evil.example"},
    "with a cookie of another program": {"HTTP_COOKIE": "theme=dark"},
    "with a request id": {"HTTP_X_REQUEST_ID": "req-1"},
}
OTHERS = {
    "HEAD": ("/books", {"REQUEST_METHOD": "HEAD"}),
    "POST": ("/books", {"REQUEST_METHOD": "POST"}),
    "a token": ("/books", {"HTTP_AUTHORIZATION": "Bearer nonsense"}),
    "the staff's cookie": ("/books", {"HTTP_COOKIE": "sessionid=abc"}),
    "an answer that is held": ("/books", {"HTTP_IF_NONE_MATCH": "*"}),
    "a slash at the end": ("/books/", {}),
    "no path": ("xbooks", {}),
    "another path": ("/health", {}),
    "no such book": ("/books/999999", {}),
    "no such parameter": ("/books?autor=x", {}),
    "a parameter of a book": ("/books/1?x=1", {}),
    "a host that is not allowed": ("/books", {"HTTP_HOST": "evil.example"}),
    "another type": ("/books", {"HTTP_ACCEPT": "text/html"}),
    "no type": ("/books", {"HTTP_ACCEPT": ""}),
}


class Counted(WSGIHandler):
    """Django's handler, which counts its requests."""

    requests = 0

    def __call__(self, environ, start_response):
        self.requests += 1
        return super().__call__(environ, start_response)


@pytest.fixture(autouse=True)
def a_shop(settings, monkeypatch):
    """As in production; the connection is the test's, with its transaction, as with Django's test client."""
    monkeypatch.setattr(direct, "begin_and_end", lambda: None)
    settings.CORS_ALLOWED_ORIGINS = ["https://shop.example"]
    settings.SECURE_HSTS_SECONDS = 3600
    settings.TRUSTED_PROXIES = [ip_network("127.0.0.1/32")]
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    settings.DEBUG = False
    signals.request_started.disconnect(close_old_connections)
    signals.request_finished.disconnect(close_old_connections)
    yield
    signals.request_started.connect(close_old_connections)
    signals.request_finished.connect(close_old_connections)


def environ_of(target, environ=None):
    """WSGI's environ of a plain GET. `target` is a path with a query string."""
    path, _, query = target.partition("?")
    plain = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "localhost",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(),
        "wsgi.errors": sys.stderr,
    }
    return plain | (environ or {})


def ask(application, target, environ=None):
    """Status, headers and body."""
    said = []
    response = application(environ_of(target, environ), lambda *answer: said.extend(answer))
    headers = dict(said[1])
    if "HTTP_X_REQUEST_ID" not in (environ or {}):
        del headers["X-Request-ID"]
    return said[0], headers, response.content


@pytest.mark.parametrize("environ", LIKE_THESE.values(), ids=LIKE_THESE)
@pytest.mark.parametrize("target", READS)
def test_direct_answer_is_that_of_the_handler(emma, dracula, target, environ):
    target = target.format(emma=emma.pk)
    handler = Counted()
    application = DirectReads(handler)

    theirs, first, second = (ask(each, target, environ) for each in (Counted(), application, application))

    assert theirs == first == second
    assert handler.requests == 1


def test_headers_of_one_kind_never_go_to_another(emma):
    application = DirectReads(WSGIHandler())
    targets = [target.format(emma=emma.pk) for target in READS]
    for _ in range(2):
        for environ in LIKE_THESE.values():
            direct_ones = [ask(application, target, environ) for target in targets]

            assert direct_ones == [ask(WSGIHandler(), target, environ) for target in targets]


@pytest.mark.parametrize(("target", "environ"), OTHERS.values(), ids=OTHERS)
def test_all_else_is_left_to_the_handler(emma, target, environ):
    handler = Counted()
    application = DirectReads(handler)
    ask(application, "/books")
    ask(application, f"/books/{emma.pk}")

    theirs, first, second = (ask(each, target, environ) for each in (Counted(), application, application))

    assert theirs == first == second
    assert handler.requests == 4


def test_direct_answer_has_the_price_of_now(emma):
    application = DirectReads(WSGIHandler())
    before = [ask(application, f"/books/{emma.pk}") for _ in range(2)][1]
    Book.objects.filter(pk=emma.pk).update(price="11.00")

    after = ask(application, f"/books/{emma.pk}")

    assert (b'"price":"9.50"' in before[2], b'"price":"11.00"' in after[2]) == (True, True)
    assert before[1]["ETag"] != after[1]["ETag"]


def test_direct_book_costs_one_statement(emma, django_assert_num_queries):
    application = DirectReads(WSGIHandler())
    ask(application, f"/books/{emma.pk}")

    with django_assert_num_queries(1):
        ask(application, f"/books/{emma.pk}")


def test_direct_answer_is_a_line_in_the_log_as_the_handlers(emma, caplog):
    caplog.set_level(logging.INFO, "bookstore.request")
    application = DirectReads(WSGIHandler())

    for _ in range(2):
        ask(application, f"/books/{emma.pk}")

    facts = ("method", "path", "status", "client")
    first, second = ([getattr(record, fact) for fact in facts] for record in caplog.records)
    assert first == second == ["GET", f"/books/{emma.pk}", 200, "127.0.0.0/24"]


def test_direct_read_of_a_lost_database_asks_once(emma, monkeypatch):
    handler, asked = Counted(), []
    application = DirectReads(handler)
    ask(application, f"/books/{emma.pk}")

    def lost(raw, book_id):
        asked.append(book_id)
        raise OperationalError("the connection is lost")

    application.reads = [read._replace(body=lost) for read in application.reads if read.body is bodies.book]

    with pytest.raises(ServiceUnavailable):
        ask(application, f"/books/{emma.pk}")
    assert (asked, handler.requests) == ([emma.pk], 1)


def test_request_without_a_database_has_one_id_in_log_and_answer(emma):
    ids = []
    application = DirectReads(WSGIHandler())
    ask(application, f"/books/{emma.pk}")

    def lost(raw, book_id):
        ids.append(request_id.get())  # of a line in the log
        raise OperationalError("the connection is lost")

    application.reads = [read._replace(body=lost) for read in application.reads if read.body is bodies.book]
    environ = environ_of(f"/books/{emma.pk}")
    with pytest.raises(ServiceUnavailable):
        application(environ, None)
    Refusal()(environ, lambda status, headers: ids.append(dict(headers)["X-Request-ID"]), 0.0)

    assert ids == [environ["HTTP_X_REQUEST_ID"]] * 2


@pytest.mark.parametrize("closed", [{"throttle_classes": [AnonRateThrottle]}, {"bases": (ApiView,)}])
def test_view_that_does_not_let_everybody_in_has_no_direct_read(closed):
    attributes = {"get": lambda request: HttpResponse(), **closed}
    view = type("View", attributes.pop("bases", (PublicReads,)), attributes)

    assert not direct.is_public(path("books", view.as_view()))
    assert direct.is_public(path("books", PublicReads.as_view()))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("FAST_PATH", False),
        ("DEBUG", True),
        ("REPLICAS", {"replica1": {}}),
        ("API_MIDDLEWARE", ["shop.Maintenance"]),
        ("MIDDLEWARE", ["bookstore.server.traces.TracesMiddleware", "bookstore.api.handler.ApiRequests"]),
        ("MIDDLEWARE", ["django.middleware.common.CommonMiddleware"]),
    ],
)
def test_nothing_is_direct_with_settings_that_it_does_not_know(settings, name, value):
    setattr(settings, name, value)

    assert not direct.is_possible()


def test_metrics_leave_reads_direct(settings):
    settings.MIDDLEWARE = ["bookstore.server.metrics.MetricsMiddleware", *settings.MIDDLEWARE]

    assert direct.is_possible()


def test_every_read_that_an_app_names_is_found():
    named = {name for config in apps.get_app_configs() for name in getattr(config, "direct_reads", ())}

    found = direct.reads_of_apps()

    assert {read.pattern.name for read in found} == named
    assert resolve("/books/7").route in {read.route for read in found}


def test_kinds_of_requests_are_bounded(monkeypatch):
    monkeypatch.setattr(direct, "KINDS", 2)
    application = DirectReads(WSGIHandler())

    for number in range(5):
        ask(application, "/genres", {"HTTP_ORIGIN": f"https://{number}.example"})
        assert len(application.headers) <= 2
    ask(application, "/genres", {"HTTP_ORIGIN": f"https://{'a' * 500}.example"})

    assert {kind[-1] for kind in application.headers} == {"https://4.example"}
