"""Answers plain public reads without Django's handler: two thirds of the CPU of GET /books/{id} go into middleware, the
URL resolver and DRF's dispatch, with the same result for every such request.

An app names these reads in its AppConfig: `direct_reads` has the function of each URL's name. The function takes the
query string and the parameters of the path, and returns the body of the 200; the view calls the same function.

Everything else is left to Django's handler, so that nothing stands twice:

- a request that is not plain (`is_plain`): another method, a token, the staff's cookie, If-None-Match;
- the headers: a direct answer has those of the handler's answer to the first request of its kind (`kind_of`);
- every error: after an exception the handler answers the request from the start, but where the database is down (503).

docs/decisions/0034-direct-reads.md has the reasons, the cost, and when all of it is off.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from itertools import takewhile
from time import perf_counter
from typing import Any, NamedTuple

from django.apps import apps
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, DatabaseError, InterfaceError, connections
from django.urls import URLPattern, get_resolver
from django.utils.module_loading import import_string

from bookstore import fastpath
from bookstore.api.errors import as_api_error
from bookstore.api.etags import etag, version_of
from bookstore.api.forwarded import believe
from bookstore.api.middleware import fit_or_new, request_id, write_line
from bookstore.api.views import PublicReads

# The middleware whose part a direct answer does itself, or has in the headers that it repeats. With any other entry no
# read is direct: it might log, count or refuse, and must see every request.
UNDERSTOOD = frozenset(
    {
        "bookstore.api.middleware.RequestLogMiddleware",
        "bookstore.api.middleware.ErrorEnvelopeMiddleware",
        "bookstore.api.headers.HeadersMiddleware",
        "bookstore.api.headers.CorsHeaders",
        "bookstore.api.hosts.HostMiddleware",
        "bookstore.api.middleware.TrailingSlashMiddleware",
    }
)
# What chooses the list of middleware, and what may stand before it: `measuring` does the part of MetricsMiddleware.
API_REQUESTS = "bookstore.api.handler.ApiRequests"
AROUND = frozenset({"bookstore.server.metrics.MetricsMiddleware"})

# Headers of one answer, not of its kind.
OWN_HEADERS = frozenset({"ETag", "Content-Length", "X-Request-ID"})
# Keys of the environ on which the headers of a plain answer depend. An absent header is not an empty one.
DECIDING = ("HTTP_HOST", "wsgi.url_scheme", "HTTP_X_FORWARDED_PROTO", "HTTP_ACCEPT", "HTTP_ORIGIN")
# Kinds whose headers are kept. Clients choose Origin and Accept: when the table is full, it is emptied.
KINDS = 256
LONGEST_KIND = 500  # characters

Headers = list[tuple[str, str]]
Kind = tuple[str | None, ...]


def unmeasured(environ: Mapping[str, Any], route: str) -> AbstractContextManager[None]:
    return UNMEASURED


UNMEASURED = nullcontext()


class Read(NamedTuple):
    """A URL pattern and the function of its body."""

    pattern: URLPattern
    body: Callable[..., bytes]

    @property
    def route(self) -> str:
        return str(self.pattern.pattern)


def begin_and_end() -> None:
    """Closes a connection that failed or is too old, as Django does at the beginning and at the end of a request."""
    connections[DEFAULT_DB_ALIAS].close_if_unusable_or_obsolete()


class Answer:
    """As much of Django's HttpResponse as bookstore/server/admission.py needs."""

    __slots__ = ("content",)
    streaming = False

    def __init__(self, content: bytes) -> None:
        self.content = content

    def close(self) -> None:
        begin_and_end()


class DirectReads:
    """A WSGI application around Django's handler.

    `measuring` is a context manager around the statements of one answer, called with the environ and the route. Raises
    ServiceUnavailable when the database does not answer.
    """

    def __init__(
        self, handler: Callable[..., Any], measuring: Callable[..., AbstractContextManager[Any]] = unmeasured
    ) -> None:
        self.handler, self.measuring = handler, measuring
        self.reads = reads_of_apps() if is_possible() else []
        self.headers: dict[Kind, Headers] = {}

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        if not self.reads or not is_plain(environ):
            return self.handler(environ, start_response)
        begun = perf_counter()
        path = environ["PATH_INFO"][1:]
        for read in self.reads:
            match = read.pattern.pattern.match(path)
            if match:
                return self.answer(environ, start_response, read, match[2], begun)
        return self.handler(environ, start_response)

    def answer(
        self,
        environ: dict[str, Any],
        start_response: Callable[..., Any],
        read: Read,
        parameters: Mapping[str, Any],
        begun: float,
    ) -> Any:
        believe(environ)
        kind = kind_of(environ, read)
        headers = self.headers.get(kind)
        if headers is None:
            response = self.handler(environ, start_response)
            self.learn(kind, response)
            return response
        # Kept in the environ, so that the lines of a refusal, or of the handler, have the same.
        identity = environ["HTTP_X_REQUEST_ID"] = fit_or_new(environ.get("HTTP_X_REQUEST_ID", ""))
        token = request_id.set(identity)
        try:
            body = self.body_of(environ, read, parameters)
            if body is not None:
                write_line("GET", environ["PATH_INFO"], 200, perf_counter() - begun, environ)
        finally:
            request_id.reset(token)
        if body is None:
            return self.handler(environ, start_response)
        own = [("ETag", etag(version_of(body))), ("Content-Length", str(len(body))), ("X-Request-ID", identity)]
        start_response("200 OK", headers + own)
        return Answer(body)

    def body_of(self, environ: dict[str, Any], read: Read, parameters: Mapping[str, Any]) -> bytes | None:
        """None when the handler is to answer. Raises ServiceUnavailable."""
        begin_and_end()
        try:
            with self.measuring(environ, read.route):
                return read.body(environ.get("QUERY_STRING", ""), **parameters)
        except (DatabaseError, InterfaceError) as error:
            begin_and_end()
            unavailable = as_api_error(error)
            if unavailable:  # not asked again: the request would wait twice for a database that is down
                raise unavailable from error
            return None
        except Exception:  # its answer, its line in the log and its report are the handler's
            return None

    def learn(self, kind: Kind, response: Any) -> None:
        """Keeps the headers of the handler's answer for others of its kind."""
        if response.status_code != 200 or response.cookies or sum(len(each or "") for each in kind) > LONGEST_KIND:
            return
        if len(self.headers) >= KINDS:
            self.headers.clear()
        self.headers[kind] = [(name, value) for name, value in response.items() if name not in OWN_HEADERS]


def is_possible() -> bool:
    """Whether reads may be direct at all, by the settings."""
    around = list(takewhile(lambda entry: entry != API_REQUESTS, settings.MIDDLEWARE))
    return (
        API_REQUESTS in settings.MIDDLEWARE
        and fastpath.is_on()
        and not settings.DEBUG
        and not settings.REPLICAS
        and UNDERSTOOD.issuperset(settings.API_MIDDLEWARE)
        and AROUND.issuperset(around)
    )


def reads_of_apps() -> list[Read]:
    """The direct reads that the apps name (`direct_reads`), in the order of the URL map, if their views are public."""
    wanted = {
        name: body for config in apps.get_app_configs() for name, body in getattr(config, "direct_reads", {}).items()
    }
    patterns = [
        pattern
        for entry in get_resolver().url_patterns
        for pattern in (getattr(entry, "url_patterns", ()) if not str(entry.pattern) else [entry])
        if isinstance(pattern, URLPattern)
    ]
    return [
        Read(each, import_string(wanted[each.name])) for each in patterns if each.name in wanted and is_public(each)
    ]


def is_public(pattern: URLPattern) -> bool:
    """Whether the view reads for everybody, and throttles nobody: what DRF checks before it would be left out."""
    view = getattr(pattern.callback, "cls", None)
    return isinstance(view, type) and issubclass(view, PublicReads) and not view.throttle_classes


def is_plain(environ: Mapping[str, Any]) -> bool:
    """Whether the answer depends on nothing but the path, the query string and what `kind_of` names."""
    return (
        environ.get("REQUEST_METHOD") == "GET"
        and environ.get("PATH_INFO", "").startswith("/")
        and not environ.get("SCRIPT_NAME")
        and "HTTP_AUTHORIZATION" not in environ
        and "HTTP_IF_NONE_MATCH" not in environ
        and settings.SESSION_COOKIE_NAME not in environ.get("HTTP_COOKIE", "")
    )


def kind_of(environ: Mapping[str, Any], read: Read) -> Kind:
    """What the headers of a plain answer depend on; after `believe`, which drops an untrusted X-Forwarded-Proto."""
    return (read.route, *map(environ.get, DECIDING))
