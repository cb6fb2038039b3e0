"""Parses the body of a request: JSON by RFC 8259, with bounds on its cost."""

import json
from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import IO, Any

from django.conf import settings
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.parsers import BaseParser, JSONParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from bookstore.api.errors import ParseError, UnsupportedMediaType, ValidationError

# CPython raises for an integer of more than 4,300 digits. A longer one is replaced by a number that is also out of
# range, so that it is a validation error of its field, not of the body.
MAX_DIGITS = 100


def _integer(digits: str) -> int:
    return int(digits) if len(digits) <= MAX_DIGITS else int(f"{digits[:1]}1{'0' * MAX_DIGITS}")


def _decimal(digits: str) -> Decimal:
    """The number as written: 12.10 stays 12.10, without a float in between."""
    if len(digits) > MAX_DIGITS:
        return Decimal("Infinity")
    try:
        return Decimal(digits)
    except InvalidOperation:  # an exponent beyond decimal's range
        return Decimal("Infinity")


def _no_constant(name: str) -> None:
    raise ParseError(f"The body is not JSON: {name} is no JSON value.")


DECODER = json.JSONDecoder(parse_int=_integer, parse_float=_decimal, parse_constant=_no_constant)

# Commas, colons and opening brackets of one body, four times as many as any call needs. Parsing them takes 10 ms; a
# body of 1 MB could have fifty times as many.
MAX_SEPARATORS = 20_000


def check_size(body: bytes) -> None:
    """Refuses a body with more than `MAX_SEPARATORS` before it is parsed. Linear, in C.

    Raises ValidationError; ParseError for unbalanced brackets. Separators inside strings do not count.
    """
    if separators(body) > MAX_SEPARATORS:
        detail = f"Send at most {MAX_SEPARATORS:,} commas, colons and brackets."
        too_many = ValidationError([{"field": "body", "code": "max_length", "detail": detail}])
        unescaped = body.replace(b"\\\\", b"").replace(b'\\"', b"")
        # There is a separator between two strings. Splitting a body of many short strings would take 20 ms.
        if unescaped.count(b'"') > 2 * (MAX_SEPARATORS + 1):
            raise too_many
        outside = b"".join(unescaped.split(b'"')[::2])
        if any(outside.count(start) != outside.count(end) for start, end in ((b"[", b"]"), (b"{", b"}"))):
            raise ParseError("The body is not JSON: its brackets do not match.")
        if separators(outside) > MAX_SEPARATORS:
            raise too_many


def separators(body: bytes) -> int:
    return sum(body.count(separator) for separator in (b",", b":", b"[", b"{"))


def _depth(value: Any) -> int:
    """The nesting depth of arrays and objects."""
    depth, level = 0, [value]
    while level := [entry for entry in level if isinstance(entry, dict | list)]:
        depth += 1
        level = [inner for entry in level for inner in (entry.values() if isinstance(entry, dict) else entry)]
    return depth


class StrictJSONParser(JSONParser):
    """Parses UTF-8 JSON: no NaN, no depth beyond `settings.JSON_MAX_DEPTH`, numbers with a point as Decimal.

    Ignores a byte order mark, as RFC 8259 allows: files that Windows writes begin with one.
    """

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        body = stream.read()
        too_deep = f"The body is nested more than {settings.JSON_MAX_DEPTH} levels deep."
        try:
            text = body.decode().removeprefix("\ufeff")
            check_size(body)
            data = DECODER.decode(text)
        except UnicodeDecodeError as error:
            raise ParseError(f"The body is not UTF-8: byte {error.start} cannot be read.") from error
        except json.JSONDecodeError as error:
            raise ParseError(
                f"The body is not JSON: {error.msg} at line {error.lineno}, column {error.colno}."
            ) from error
        except RecursionError as error:
            raise ParseError(too_deep) from error
        if body.count(b"[") + body.count(b"{") > settings.JSON_MAX_DEPTH < _depth(data):
            raise ParseError(too_deep)
        return data


class JSONFirstNegotiation(DefaultContentNegotiation):
    """Parses a body without a Content-Type as JSON, as the previous service did."""

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        renderers = list(renderers)
        # Fast path for the Accept header of nearly every client.
        if request.META.get("HTTP_ACCEPT", "*/*") in ("*/*", renderers[0].media_type):
            return renderers[0], renderers[0].media_type
        # A suffix keeps DRF from reading `format` from the query string, which may be malformed.
        chosen: tuple[BaseRenderer, str] = super().select_renderer(request, renderers, format_suffix or "any")
        return chosen

    def filter_renderers(self, renderers: Iterable[BaseRenderer], format: str) -> list[BaseRenderer]:
        """Returns all: only Accept selects one."""
        return list(renderers)

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser | None:
        """Raises UnsupportedMediaType for a compressed body: its decompressed size has no bound."""
        if request.META.get("HTTP_CONTENT_ENCODING", "").strip().lower() not in ("", "identity"):
            raise UnsupportedMediaType("Bodies are read as they are, without a Content-Encoding.")
        parsers = list(parsers)
        return super().select_parser(request, parsers) if request.content_type else parsers[0]
