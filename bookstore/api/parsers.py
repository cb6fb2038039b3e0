"""How a request's body becomes data: JSON as RFC 8259 has it, with bounds on what it may cost."""

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

# CPython refuses to read an integer of more than 4,300 digits. No field holds even this many, so a longer number may
# stand as one that is just as far out of range: a validation fault of its field, not of the whole body.
MAX_DIGITS = 100


def _integer(digits: str) -> int:
    return int(digits) if len(digits) <= MAX_DIGITS else int(f"{digits[:1]}1{'0' * MAX_DIGITS}")


def _decimal(digits: str) -> Decimal:
    """The number as it was written: 12.10 stays 12.10, and no float comes between. A longer one fits no field."""
    if len(digits) > MAX_DIGITS:
        return Decimal("Infinity")
    try:
        return Decimal(digits)
    except InvalidOperation:  # an exponent beyond what decimal holds
        return Decimal("Infinity")


def _no_constant(name: str) -> None:
    raise ParseError(f"The body is not JSON: {name} is no JSON value.")


DECODER = json.JSONDecoder(parse_int=_integer, parse_float=_decimal, parse_constant=_no_constant)

# Commas, colons and opening brackets of one body: no call reads a quarter as many. Reading so many takes 10 ms; a body
# of 1 MB could hold fifty times as many.
MAX_SEPARATORS = 20_000


def check_size(body: bytes) -> None:
    """Refuses a body of more than `MAX_SEPARATORS` before any value is made. Linear, in C.

    Raises ValidationError; ParseError where brackets do not match. Those inside of texts do not count:
    texts are taken out, where there are too many.
    """
    if separators(body) > MAX_SEPARATORS:
        outside = b"".join(body.replace(b"\\\\", b"").replace(b'\\"', b"").split(b'"')[::2])
        if any(outside.count(start) != outside.count(end) for start, end in ((b"[", b"]"), (b"{", b"}"))):
            raise ParseError("The body is not JSON: its brackets do not match.")
        if separators(outside) > MAX_SEPARATORS:
            detail = f"Send at most {MAX_SEPARATORS:,} commas, colons and brackets."
            raise ValidationError([{"field": "body", "code": "max_length", "detail": detail}])


def separators(body: bytes) -> int:
    return sum(body.count(separator) for separator in (b",", b":", b"[", b"{"))


def _depth(value: Any) -> int:
    """How many arrays and objects lie inside one another."""
    depth, level = 0, [value]
    while level := [entry for entry in level if isinstance(entry, dict | list)]:
        depth += 1
        level = [inner for entry in level for inner in (entry.values() if isinstance(entry, dict) else entry)]
    return depth


class StrictJSONParser(JSONParser):
    """Reads UTF-8 JSON: no NaN, no depth beyond `settings.JSON_MAX_DEPTH`, numbers with a point as Decimal."""

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        body = stream.read()
        too_deep = f"The body is nested more than {settings.JSON_MAX_DEPTH} levels deep."
        try:
            text = body.decode()
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
    """Parses a body without a Content-Type as JSON, as the earlier service did."""

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        renderers = list(renderers)
        # Fast path for the Accept header of nearly every client.
        if request.META.get("HTTP_ACCEPT", "*/*") in ("*/*", renderers[0].media_type):
            return renderers[0], renderers[0].media_type
        # With a suffix DRF does not read `format` from the query string, which may be malformed.
        chosen: tuple[BaseRenderer, str] = super().select_renderer(request, renderers, format_suffix or "any")
        return chosen

    def filter_renderers(self, renderers: Iterable[BaseRenderer], format: str) -> list[BaseRenderer]:
        """All of them: only Accept selects one."""
        return list(renderers)

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser | None:
        """Raises UnsupportedMediaType for a compressed body: its decompressed size has no bound."""
        if request.META.get("HTTP_CONTENT_ENCODING", "").strip().lower() not in ("", "identity"):
            raise UnsupportedMediaType("Bodies are read as they are, without a Content-Encoding.")
        parsers = list(parsers)
        return super().select_parser(request, parsers) if request.content_type else parsers[0]
