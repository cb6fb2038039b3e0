"""Traces, by the in-memory exporter of OpenTelemetry: request, wait for a slot, statements."""

import pytest
from django.test import Client
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from bookstore.server import traces
from catalog.tests.factories import BookFactory

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.fixture
def spans(settings, monkeypatch):
    """`spans()`: the finished ones by name. The test client's handler is wrapped as the server's application is."""
    settings.MIDDLEWARE = ["bookstore.server.traces.TracesMiddleware", *settings.MIDDLEWARE]
    exporter = InMemorySpanExporter()
    traces.start(SimpleSpanProcessor(exporter))
    yield lambda: {span.name: span for span in exporter.get_finished_spans()}
    monkeypatch.setattr(traces, "_provider", None)


def ask(path: str, **headers: str) -> str:
    """Through the WSGI middleware, as the server does."""
    from django.core.handlers.wsgi import WSGIHandler
    from django.test import RequestFactory

    statuses: list[str] = []
    environ = RequestFactory().get(path, **headers).environ
    answer = traces.Traced(WSGIHandler())(environ, lambda status, *_: statuses.append(status))
    list(answer)
    return statuses[0][:3]


@pytest.mark.django_db(transaction=True)
def test_a_request_is_a_span_with_its_wait_and_its_statements(spans, settings):
    settings.STRICT_QUERY = False  # a book has no parameters
    book = BookFactory(title="Canary")

    status = ask(f"/books/{book.pk}?q=canary", HTTP_TRACEPARENT=f"00-{TRACE}-00f067aa0ba902b7-01")

    found = spans()
    request = found["GET books/<id:book_id>"]
    assert status == "200"
    assert {"GET books/<id:book_id>", "wait for a slot", "SELECT books"} <= found.keys()
    assert f"{request.context.trace_id:032x}" == TRACE
    assert {found[name].parent.span_id for name in ("wait for a slot", "SELECT books")} == {request.context.span_id}
    assert request.attributes["http.route"] == "books/<id:book_id>"
    assert request.attributes["http.response.status_code"] == 200
    assert request.attributes["bookstore.request_id"]
    assert "canary" not in str([span.to_json() for span in found.values()]).lower()


@pytest.mark.django_db(transaction=True)
def test_a_probe_is_no_span(spans):
    assert ask("/health") == "200"
    assert spans() == {}


def test_without_the_setting_nothing_of_it_is_in_the_application(settings):
    assert settings.TRACES_ENDPOINT == settings.SENTRY_DSN == ""
    assert not [name for name in settings.MIDDLEWARE if "traces" in name]
    assert Client().get("/health").status_code == 200
