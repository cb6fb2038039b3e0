"""Cheap error responses without Django: 503 without a free slot, 400 for an incomplete body, 500 for a bug outside of
Django's handler. JSON for the API, a page for staff.

They have what the middleware adds to every response: the request's id, the line in the log, the security headers, and
those of CORS, without which a browser hides the response from a storefront.
"""

import logging
import sys
import time
from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.utils.html import format_html

from bookstore.api.errors import ApiError, InternalError, ServiceUnavailable, json_response
from bookstore.api.forwarded import believe
from bookstore.api.headers import security_headers
from bookstore.api.middleware import fit_or_new, request_id, write_line
from bookstore.api.origins import Origins
from bookstore.server.slots import STAFF_PREFIX

logger = logging.getLogger("bookstore.request")


class Refusal:
    """A WSGI application; `begun` is the time of the request's arrival, by `time.perf_counter`."""

    def __init__(self) -> None:
        self.always: list[tuple[str, Any]] = [
            *security_headers(secure=True).items(),  # also HSTS, which browsers ignore without TLS
            ("Vary", "origin"),
        ]
        self.exposed = ("Access-Control-Expose-Headers", ", ".join(settings.CORS_EXPOSE_HEADERS))
        self.origins = Origins(settings.CORS_ALLOWED_ORIGINS, settings.CORS_ALLOWED_ORIGIN_REGEXES)
        self.busy = json_response(ServiceUnavailable())

    def __call__(
        self,
        environ: dict[str, Any],
        start_response: Callable[..., Any],
        begun: float,
        error: ApiError | None = None,
    ) -> Iterable[bytes]:
        method, path = environ.get("REQUEST_METHOD", ""), environ.get("PATH_INFO", "")
        if path.startswith(STAFF_PREFIX):
            response = page_of(error or ServiceUnavailable())
        else:
            response = json_response(error) if error else self.busy
        identity = fit_or_new(environ.get("HTTP_X_REQUEST_ID", ""))
        headers = [*response.items(), *self.always, ("X-Request-ID", identity)]
        origin = environ.get("HTTP_ORIGIN")
        if origin and self.origins.allow(origin):
            headers += [("Access-Control-Allow-Origin", origin), self.exposed]
        token = request_id.set(identity)
        bug: list[Any] = []
        try:
            if isinstance(error, InternalError):
                logger.exception("The answer to this request failed")
                bug = [sys.exc_info()]  # to WSGI: another answer may have been begun
            believe(environ)  # Django may not have seen this request
            raw = path.encode("latin-1", "replace")
            write_line(method, raw, response.status_code, time.perf_counter() - begun, environ)
        finally:
            request_id.reset(token)
        start_response(f"{response.status_code} {response.reason_phrase}", headers, *bug)
        return [b"" if method == "HEAD" else response.content]


def page_of(error: ApiError) -> HttpResponse:
    """A page for staff instead of JSON."""
    said = "Too much is going on at once." if error.status_code == 503 else str(error.detail)
    content = format_html(
        "<!doctype html><html lang=en><meta charset=utf-8><title>{}</title>"
        "<h1>{}</h1><p>Nothing was changed. Go back, wait a moment, and try again.</p></html>",
        said,
        said,
    )
    headers = {**error.headers, "Content-Length": str(len(content.encode()))}
    return HttpResponse(content, status=error.status_code, headers=headers)
