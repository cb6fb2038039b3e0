"""What is answered before Django, and at little cost: 503 to somebody for whom there is no place, 400 to half a body,
500 where Django made no answer of a bug.

It has what Django's middleware gives every answer: the request's id and its line in the log, the security headers, and
those of CORS, without which a browser would tell a storefront of no answer at all.
"""

import logging
import sys
import time
from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings

from bookstore.api.errors import ApiError, InternalError, ServiceUnavailable, json_response
from bookstore.api.headers import security_headers
from bookstore.api.middleware import fit_or_new, request_id, write_line

logger = logging.getLogger("bookstore.request")


class Refusal:
    """Answers as a WSGI application does; `begun` is when the request came, by `time.perf_counter`."""

    def __init__(self) -> None:
        self.always: list[tuple[str, Any]] = [
            *security_headers(secure=True).items(),  # HSTS among them, which a browser heeds over TLS only
            ("Vary", "origin"),
        ]
        self.exposed = ("Access-Control-Expose-Headers", ", ".join(settings.CORS_EXPOSE_HEADERS))
        self.origins = frozenset(settings.CORS_ALLOWED_ORIGINS)
        self.busy = json_response(ServiceUnavailable())

    def __call__(
        self,
        environ: dict[str, Any],
        start_response: Callable[..., Any],
        begun: float,
        error: ApiError | None = None,
    ) -> Iterable[bytes]:
        response = json_response(error) if error else self.busy
        identity = fit_or_new(environ.get("HTTP_X_REQUEST_ID", ""))
        headers = [*response.items(), *self.always, ("X-Request-ID", identity)]
        origin = environ.get("HTTP_ORIGIN")
        if origin in self.origins:
            headers += [("Access-Control-Allow-Origin", origin), self.exposed]
        method, path = environ.get("REQUEST_METHOD", ""), environ.get("PATH_INFO", "")
        token = request_id.set(identity)
        bug: list[Any] = []
        try:
            if isinstance(error, InternalError):
                logger.exception("The answer to this request failed")
                bug = [sys.exc_info()]  # to WSGI: another answer may have been begun
            write_line(method, path.encode("latin-1", "replace"), response.status_code, time.perf_counter() - begun)
        finally:
            request_id.reset(token)
        start_response(f"{response.status_code} {response.reason_phrase}", headers, *bug)
        return [b"" if method == "HEAD" else response.content]
