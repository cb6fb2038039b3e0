"""Prometheus metrics at /metrics, with METRICS_ENABLED: each worker counts, and any worker serves the sum.

`Metered` wraps the whole application, outside the queue: /metrics is answered while other requests are queued, and
refused requests are counted. `MetricsMiddleware`, inside it, reports the route and counts statements. Without
METRICS_ENABLED this module is not imported.

Labels are bounded: routes are those of the URL map, never a path. An app defines its own metrics in its `metrics.py`.
"""

# Before prometheus_client, which reads the folder's variable when it is imported.
from bookstore.server.metrics_files import VARIABLE, files, forget_dead_workers

# isort: split
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from threading import current_thread
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.backends.signals import connection_created
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.crypto import constant_time_compare
from django.utils.module_loading import autodiscover_modules
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from bookstore import __version__
from bookstore.api.errors import MethodNotAllowed, ServiceUnavailable
from bookstore.api.forwarded import address_of, is_direct
from bookstore.api.headers import security_headers
from bookstore.api.middleware import fit_or_new
from bookstore.server.metrics_at_scrape import Reading, at_scrape
from bookstore.server.metrics_of_worker import WorkerGauges
from bookstore.server.refusal import Refusal
from bookstore.server.slots import Slots

PATHS = frozenset({"/metrics", "/metrics/"})
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
UNMATCHED = "none"  # the route of an unknown path, or of a refusal before Django
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

SAMPLE_EVERY = 1  # seconds between two samples of a worker's slots

# Keys of the environ by which the middleware passes values to the wrapper.
ROUTE, BEGAN = "bookstore.route", "bookstore.began"

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

registry = CollectorRegistry()
requests = Counter(
    "bookstore_requests", "Requests that were answered.", ["method", "route", "status"], registry=registry
)
duration = Histogram(
    "bookstore_request_duration_seconds",
    "From a request's arrival to its answer, queueing included.",
    ["method", "route"],
    buckets=SECONDS,
    registry=registry,
)
waiting = Histogram(
    "bookstore_request_wait_seconds",
    "Of that, the time before the application began: reading the body, and queueing for a slot.",
    buckets=SECONDS,
    registry=registry,
)
in_progress = Gauge(
    "bookstore_requests_in_progress",
    "Requests that are being answered or queued.",
    registry=registry,
    multiprocess_mode="livesum",
)
database_seconds = Counter(
    "bookstore_database_seconds", "Time that requests spent in statements.", ["route"], registry=registry
)
database_statements = Counter(
    "bookstore_database_statements", "Statements that requests ran.", ["route"], registry=registry
)
total = Gauge(
    "bookstore_slots",
    "Requests that may run at once, each with its own database connection.",
    registry=registry,
    multiprocess_mode="livesum",
)
taken = Gauge("bookstore_slots_taken", "Slots of running requests.", registry=registry, multiprocess_mode="livesum")
queued = Gauge(
    "bookstore_requests_queued", "Requests that wait for a slot.", registry=registry, multiprocess_mode="livesum"
)
connections_opened = Counter(
    "bookstore_database_connections_opened",
    "Connections opened. They are kept: a steady rise says that something ends them.",
    registry=registry,
)
information = Gauge(
    "bookstore_info", "1, with the version as its label.", ["version"], registry=registry, multiprocess_mode="max"
)
information.labels(__version__).set(1)
worker = WorkerGauges(registry)


# What apps count: by method and route, the status (None: any success) and the counter's child that it increments.
_counted: dict[tuple[str, str], list[tuple[int | None, Any]]] = {}


def count_successes(name: str, text: str, label: str, calls: Mapping[tuple[str, str], str]) -> Counter:
    """A counter of successful calls, for an app's `metrics.py`: `calls` gives the label's value of (method, route)."""
    return _count(name, text, label, {(*call, None): value for call, value in calls.items()})


def count_results(name: str, text: str, label: str, answers: Mapping[tuple[str, str, int], str]) -> Counter:
    """A counter of answers: `answers` gives the label's value of (method, route, status); others are not counted."""
    return _count(name, text, label, answers)


def _count(name: str, text: str, label: str, answers: Mapping[Any, str]) -> Counter:
    """The counter. Each value is there from the start, at 0: a rate needs a first value."""
    counter = Counter(name, text, [label], registry=registry)
    for (method, route, status), value in answers.items():
        _counted.setdefault((method, route), []).append((status, counter.labels(value)))
    return counter


def count_answer(method: str, route: str, status: int) -> None:
    """Increments the counters of apps that count this answer."""
    for counted_status, counted in _counted.get((method, route), ()):
        if status == counted_status or (counted_status is None and status < 300):
            counted.inc()


def load_metrics_of_apps() -> None:
    """Imports the module `metrics` of each app that has one, as Django does with `admin`."""
    autodiscover_modules("metrics")


def count_connection(**_: Any) -> None:
    if not isinstance(current_thread(), Reading):
        connections_opened.inc()


connection_created.connect(count_connection, dispatch_uid="bookstore.server.metrics")


class DatabaseTime:
    """The number and duration of the statements of one request."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.statements = 0

    def __call__(self, execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: Any) -> Any:
        started = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            self.seconds += time.perf_counter() - started
            self.statements += 1

    def count(self, route: str) -> None:
        if self.statements:
            database_seconds.labels(route).inc(self.seconds)
            database_statements.labels(route).inc(self.statements)


def sample(slots: Slots) -> None:
    """Samples slots and queue: counting in the queue itself would cost time in every request."""
    total.set(slots.total)
    taken.set(slots.taken)
    queued.set(slots.waiting)


def keep_sampling(slots: Slots) -> None:
    """Runs in a thread of each worker, because another worker may serve /metrics and reads the values written here."""
    while not files.given_up:
        files.keep_room()
        sample(slots)
        worker.sample()
        time.sleep(SAMPLE_EVERY)


class MetricsMiddleware:
    """Outermost, so that it counts all statements of a request."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        load_metrics_of_apps()

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if files.given_up:
            return self.get_response(request)
        environ = request.META
        environ.setdefault(BEGAN, time.perf_counter())
        database = DatabaseTime()
        with connection.execute_wrapper(database):
            response = self.get_response(request)
        environ[ROUTE] = route = route_of(request)
        database.count(route)
        count_answer(str(request.method), route, response.status_code)
        return response


@contextmanager
def measuring(environ: dict[str, Any], route: str) -> Iterator[None]:
    """What MetricsMiddleware does, around an answer without middleware (bookstore/server/direct.py)."""
    if files.given_up:
        yield
        return
    environ[BEGAN], environ[ROUTE] = time.perf_counter(), route
    database = DatabaseTime()
    try:
        with connection.execute_wrapper(database):
            yield
        count_answer("GET", route, 200)
    finally:
        database.count(route)


def route_of(request: HttpRequest) -> str:
    """The URL pattern that answered: `cart/items/<id:item_id>`. Static files, which have none, share one."""
    if request.resolver_match:
        return request.resolver_match.route or "/"
    return "static" if request.path_info.startswith(settings.STATIC_URL) else UNMATCHED


class Metered:
    """WSGI middleware that measures the application, and serves /metrics, whose own requests are not measured."""

    def __init__(self, application: Application, slots: Slots | None = None) -> None:
        self.application, self.slots = application, slots
        self.headers = [
            ("Content-Type", CONTENT_TYPE_LATEST),
            ("Cache-Control", "no-store"),
            *security_headers(secure=True).items(),  # as for a refusal
        ]
        self.refuse = Refusal()

    def answer(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """The response of /metrics."""
        files.keep_room()  # finds out that they were deleted
        if files.given_up:
            reason = ServiceUnavailable("This worker counts nothing: its log says why.")
            return self.refuse(environ, start_response, time.perf_counter(), reason)
        method = environ.get("REQUEST_METHOD")
        if method not in ("GET", "HEAD"):
            refused = MethodNotAllowed()
            refused.headers = {"Allow": "GET, HEAD"}
            return self.refuse(environ, start_response, time.perf_counter(), refused)
        identity = fit_or_new(environ.get("HTTP_X_REQUEST_ID", ""))
        start_response("200 OK", [*self.headers, ("X-Request-ID", identity)])
        if self.slots is not None:
            sample(self.slots)
        at_scrape.read()
        return [b"" if method == "HEAD" else exposition()]

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ.get("PATH_INFO") in PATHS and may_read(environ):
            return self.answer(environ, start_response)
        if files.given_up:
            return self.application(environ, start_response)
        statuses: list[str] = []

        def started(status: str, *arguments: Any, **options: Any) -> Any:
            statuses.append(status[:3])
            return start_response(status, *arguments, **options)

        method = environ.get("REQUEST_METHOD", "")
        method = method if method in METHODS else "other"
        arrived = time.perf_counter()
        in_progress.inc()
        try:
            return self.application(environ, started)
        finally:
            in_progress.dec()
            route = environ.get(ROUTE, UNMATCHED)
            if BEGAN in environ:
                waiting.observe(environ[BEGAN] - arrived)
            duration.labels(method, route).observe(time.perf_counter() - arrived)
            requests.labels(method, route, statuses[-1] if statuses else "500").inc()


def may_read(environ: dict[str, Any]) -> bool:
    """Whether the request has METRICS_TOKEN, or comes directly from METRICS_ALLOWED. All others get 404.

    A request through a proxy is never direct: the peer's address is the proxy's. One of TRUSTED_PROXIES is recognised
    even without a forwarding header.
    """
    scheme, _, token = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
    if settings.METRICS_TOKEN and scheme.lower() == "bearer":
        return constant_time_compare(token.strip(), settings.METRICS_TOKEN)
    peer = address_of(environ.get("REMOTE_ADDR", ""))
    return is_direct(environ) and any(peer in network for network in settings.METRICS_ALLOWED)


def exposition() -> bytes:
    """The metrics of all workers, or of this process without the shared folder that `manage.py serve` makes."""
    folder = os.environ.get(VARIABLE)
    if not folder:
        return generate_latest(registry)
    forget_dead_workers(folder)
    everyone = CollectorRegistry()
    MultiProcessCollector(everyone, path=folder)
    return generate_latest(everyone)
