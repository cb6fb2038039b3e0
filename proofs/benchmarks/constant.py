"""A WSGI application that answers one JSON: what is left of the server's time when Python does nothing."""

from collections.abc import Iterable
from typing import Any

BODY = b'{"items": [], "total_items": 0, "total_price": "0.00"}'
HEADERS = [("Content-Type", "application/json"), ("Content-Length", str(len(BODY)))]


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    start_response("200 OK", HEADERS)
    return [BODY]
