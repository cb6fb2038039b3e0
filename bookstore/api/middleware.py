"""Middleware of every request: its id, the request log, the envelope for errors outside of views."""

import logging
import re
import time
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from os import urandom
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase, ResponseHeaders
from django.urls import Resolver404, resolve

from bookstore.api import errors
from bookstore.api.forwarded import client_in, shortened

logger = logging.getLogger("bookstore.request")

GetResponse = Callable[[HttpRequest], HttpResponseBase]

# A key of the environ that no header can set: the fields of the request's line that name its caller.
CALLER = "bookstore.caller"

request_id: ContextVar[str] = ContextVar("request_id", default="-")

# Accepted X-Request-ID: safe in a header and in the log.
ACCEPTED_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


# The origin or Referer that Django's CSRF check quotes in its message, and the origin in it.
FROM_ELSEWHERE = re.compile(r"(?<=checking failed - ).*(?= does not match any trusted origins)", re.DOTALL)
ORIGIN = re.compile(r"https?://[A-Za-z0-9.\[\]:-]+")


class RequestIdFilter(logging.Filter):
    """Adds the request's id to every log record."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = request_id.get()
        return True


def only_origin(quoted: re.Match[str]) -> str:
    origin = ORIGIN.match(quoted[0])
    return origin[0] if origin else "what was sent"


class OnlyOriginsFilter(logging.Filter):
    """Logs only the origin of a Referer: its query may have an email that staff searched for."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(
                FROM_ELSEWHERE.sub(only_origin, part) if isinstance(part, str) else part for part in record.args
            )
        return True


def fit_or_new(sent: str) -> str:
    """The caller's request id if it is safe to log; else a new one."""
    return sent if ACCEPTED_REQUEST_ID.fullmatch(sent) else urandom(16).hex()


def write_line(method: str | None, path: str | bytes, status: int, seconds: float, environ: Mapping[str, Any]) -> None:
    """One line for each request. It has no query string and no header: a search, a token or an email never reaches
    the log this way. The client's address is what LOG_ADDRESS keeps of it."""
    if logger.isEnabledFor(logging.INFO):
        line = {
            "method": method,
            "path": quote(path, safe="/"),
            "status": status,
            "ms": round(seconds * 1000, 1),
            **environ.get(CALLER, {}),
        }
        client = shortened(client_in(environ), settings.LOG_ADDRESS)
        if client:
            line["client"] = client
        logger.info("%(method)s %(path)s %(status)s %(ms)s ms", line, extra=line)


class RequestLogMiddleware:
    """Sets the request's id, sends it back, and logs one line when the response is ready."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        started = time.perf_counter()
        identity = fit_or_new(request.META.get("HTTP_X_REQUEST_ID", ""))
        token = request_id.set(identity)
        try:
            response = self.get_response(request)
            response.headers["X-Request-ID"] = identity
            write_line(request.method, request.path, response.status_code, time.perf_counter() - started, request.META)
            return response
        finally:
            request_id.reset(token)


class ErrorEnvelopeMiddleware:
    """Puts the contract's envelope around errors that no view of the API made.

    Django answers an unknown path, an unknown host, an error of a middleware or a bug in HTML. Pages of the admin stay
    unchanged.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if response.status_code < 400 or response.headers.get("Content-Type", "").startswith("application/json"):
            return response
        if request.path.startswith("/admin/") and response.headers.get("Content-Type", "").startswith("text/html"):
            if isinstance(response, HttpResponse):  # a refused host never reached CommonMiddleware, which adds it
                response.headers.setdefault("Content-Length", str(len(response.content)))
            return response
        error = errors.BY_STATUS.get(response.status_code, errors.BadRequest)()
        made = errors.json_response(error)
        for name in ("Content-Type", "Content-Length"):
            response.headers.pop(name, None)
        made.status_code = response.status_code
        # Headers of other middleware stay: Allow, Retry-After, the security headers, CORS.
        made.headers = ResponseHeaders({**made.headers, **response.headers})
        return made

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """For views outside of DRF. In the admin only ServiceUnavailable: its other errors are pages."""
        error = errors.as_api_error(exception)
        if error is None or (request.path.startswith("/admin/") and not isinstance(error, errors.ServiceUnavailable)):
            return None
        return errors.json_response(error)


class TrailingSlashMiddleware:
    """Serves `/books/` as `/books`, without a redirect.

    A DELETE only after an id: otherwise a script that builds `/cart/items/` + id with an empty id would delete every
    line.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        path = request.path_info
        if len(path) > 1 and path.endswith("/"):
            if request.method == "DELETE" and not names_one(path[:-1]):
                return errors.json_response(errors.NotFound("No id stands behind the last slash."))
            request.path_info = path[:-1]
        return self.get_response(request)


def names_one(path: str) -> bool:
    """Whether a path has a parameter, such as an id. A path outside the URL map is refused later."""
    try:
        return bool(resolve(path).kwargs)
    except Resolver404:
        return True
