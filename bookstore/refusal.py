"""What somebody is told for whom there is no place in line: the envelope of 503, before Django and at little cost.

It has what Django's middleware gives every answer: the request's id and its line in the log, the security headers, and
those of CORS, without which a browser would tell a storefront of no answer at all.
"""

import time
from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings

from bookstore.api.direct import security_headers
from bookstore.api.errors import ServiceUnavailable, json_response
from bookstore.api.middleware import fit_or_new, request_id, write_line


class Refusal:
    """Answers as a WSGI application does; `begun` is when the request came, by `time.perf_counter`."""

    def __init__(self) -> None:
        response = json_response(ServiceUnavailable())
        self.content = response.content
        self.headers: list[tuple[str, Any]] = [
            *response.items(),
            *security_headers(secure=True).items(),  # HSTS among them, which a browser heeds over TLS only
            ("Cache-Control", "no-store"),
            ("Vary", "origin"),
        ]
        self.exposed = ("Access-Control-Expose-Headers", ", ".join(settings.CORS_EXPOSE_HEADERS))
        self.origins = frozenset(settings.CORS_ALLOWED_ORIGINS)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any], begun: float) -> Iterable[bytes]:
        identity = fit_or_new(environ.get("HTTP_X_REQUEST_ID", ""))
        headers = [*self.headers, ("X-Request-ID", identity)]
        origin = environ.get("HTTP_ORIGIN")
        if origin in self.origins:
            headers += [("Access-Control-Allow-Origin", origin), self.exposed]
        method, path = environ.get("REQUEST_METHOD", ""), environ.get("PATH_INFO", "")
        token = request_id.set(identity)
        try:
            write_line(method, path.encode("latin-1", "replace"), 503, time.perf_counter() - begun)
        finally:
            request_id.reset(token)
        start_response("503 Service Unavailable", headers)
        return [b"" if method == "HEAD" else self.content]
