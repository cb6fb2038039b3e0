"""A WSGI application that returns a constant JSON: the upper bound of the server."""

from collections.abc import Iterable
from typing import Any

BODY = b'{"items": [], "total_items": 0, "total_price": "0.00"}'
HEADERS = [("Content-Type", "application/json"), ("Content-Length", str(len(BODY)))]


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    start_response("200 OK", HEADERS)
    return [BODY]
