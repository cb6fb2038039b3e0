"""Logs the statements of a request that take longer than SLOW_STATEMENT_MS. Not in the list of middleware with 0."""

import logging
import re
import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db import connection
from django.http import HttpRequest
from django.http.response import HttpResponseBase

logger = logging.getLogger("bookstore.database")

LONGEST = 500  # characters of a statement
# The verb and the first table: SELECT books, INSERT cart_items.
NAME = re.compile(r"\s*(?:WITH\b.*?\)\s*)?(SELECT|INSERT INTO|UPDATE|DELETE FROM|\w+)\b", re.IGNORECASE | re.DOTALL)
TABLE = re.compile(r"\b(?:FROM|INTO|UPDATE)\s+\"?(\w+)", re.IGNORECASE)


def name_of(sql: str) -> str:
    verb, table = NAME.match(sql), TABLE.search(sql)
    return " ".join(part for part in (verb and verb[1].split()[0].upper(), table and table[1]) if part) or "statement"


class SlowStatements:
    """Middleware. Each statement costs about a microsecond more."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        def timed(execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: Any) -> Any:
            started = time.perf_counter()
            try:
                return execute(sql, params, many, context)
            finally:
                milliseconds = (time.perf_counter() - started) * 1000
                if milliseconds > settings.SLOW_STATEMENT_MS:
                    note(request, str(sql), milliseconds)

        with connection.execute_wrapper(timed):
            return self.get_response(request)


def note(request: HttpRequest, sql: str, milliseconds: float) -> None:
    """One line: the statement with placeholders for its values, and the URL pattern instead of the path."""
    route = request.resolver_match.route if request.resolver_match else "none"
    facts = {
        "statement": name_of(sql),
        "sql": " ".join(sql.split())[:LONGEST],
        "route": route or "/",
        "ms": round(milliseconds, 1),
    }
    logger.warning("Slow statement: %(statement)s took %(ms)s ms for %(route)s", facts, extra=facts)
