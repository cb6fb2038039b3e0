"""Traces by OpenTelemetry, with TRACES_ENDPOINT: a span for each request, its wait for a slot, and its statements.

`Traced` wraps the whole application, outside the queue; `TracesMiddleware`, inside, knows the route and the statements.
Without the setting this module is not imported. Needs requirements-observability.txt.
"""

import time
from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings
from django.db import connection
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from bookstore import __version__
from bookstore.server.slow_statements import LONGEST, name_of

PATHS = frozenset({"/health", "/ready", "/metrics"})  # probes, several a second
SPAN, BEGAN = "bookstore.span", "bookstore.traced_since"  # keys of the environ

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

_provider: Any = None


def start(processor: SpanProcessor | None = None) -> None:
    """Once in each worker, after the fork, because the exporter starts a thread. Tests give a `processor`."""
    global _provider
    _provider = TracerProvider(resource=Resource.create({"service.name": "bookstore", "service.version": __version__}))
    if processor is None:
        url = f"{settings.TRACES_ENDPOINT.rstrip('/')}/v1/traces"
        processor = BatchSpanProcessor(OTLPSpanExporter(endpoint=url))
    _provider.add_span_processor(processor)


def tracer() -> Any:
    return _provider.get_tracer("bookstore", __version__)


class Traced:
    """WSGI middleware. Continues the caller's trace, where `traceparent` names one."""

    def __init__(self, application: Application) -> None:
        self.application = application
        self.propagator = TraceContextTextMapPropagator()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ.get("PATH_INFO") in PATHS:
            return self.application(environ, start_response)
        method = environ.get("REQUEST_METHOD", "")
        carrier = {"traceparent": environ.get("HTTP_TRACEPARENT", "")}
        context = self.propagator.extract(carrier)
        arrived = time.time_ns()
        with tracer().start_as_current_span(method, context=context, kind=SpanKind.SERVER) as span:
            environ[SPAN] = span
            span.set_attribute("http.request.method", method)

            def started(status: str, headers: Any, *arguments: Any) -> Any:
                span.set_attribute("http.response.status_code", int(status[:3]))
                span.set_attribute("bookstore.request_id", dict(headers).get("X-Request-ID", ""))
                if status.startswith("5"):
                    span.set_status(StatusCode.ERROR)
                return start_response(status, headers, *arguments)

            try:
                return self.application(environ, started)
            finally:
                if BEGAN in environ:
                    waited = tracer().start_span("wait for a slot", start_time=arrived)
                    waited.end(end_time=environ[BEGAN])


class TracesMiddleware:
    """Names the request's span by its route, and makes one of each statement: its text, never its values."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        span = request.META.get(SPAN)
        if span is None:
            return self.get_response(request)
        request.META[BEGAN] = time.time_ns()
        with connection.execute_wrapper(statement):
            response = self.get_response(request)
        route = request.resolver_match.route if request.resolver_match else "none"
        span.update_name(f"{request.method} {route or '/'}")
        span.set_attribute("http.route", route or "/")
        return response


def statement(execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: Any) -> Any:
    text = str(sql)
    with tracer().start_as_current_span(name_of(text), kind=SpanKind.CLIENT, record_exception=False) as span:
        span.set_attribute("db.system.name", context["connection"].vendor if context else connection.vendor)
        span.set_attribute("db.query.text", " ".join(text.split())[:LONGEST])
        return execute(sql, params, many, context)
