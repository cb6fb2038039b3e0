"""The URL map, flattened."""

from collections.abc import Iterator
from typing import Any

from django.urls import URLPattern, get_resolver


def routes(patterns: Any = None, before: str = "") -> Iterator[tuple[str, URLPattern]]:
    """Each route of the whole URL map, as it is written there, with its pattern: `books/<id:book_id>`."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLPattern):
            yield route, pattern
        else:
            yield from routes(pattern.url_patterns, route)
