"""Parses query strings: UTF-8, a bounded number of parameters, validated by a serializer."""

from collections.abc import Collection
from typing import Any
from urllib.parse import parse_qsl

from django.conf import settings
from rest_framework.serializers import Serializer

from bookstore.api.errors import TooManyParameters, ValidationError
from bookstore.fastpath.instances import validated


def parameters(raw: str, repeated: Collection[str] = ()) -> dict[str, str | list[str]]:
    """The last value of each parameter of WSGI's QUERY_STRING; of `repeated` ones a list of all. Raises ValidationError
    with the parameter's name.

    Django's QueryDict would replace bytes that are not UTF-8 by U+FFFD, and so drop a word of a search.
    """
    if raw.count("&") >= settings.DATA_UPLOAD_MAX_NUMBER_FIELDS:
        raise TooManyParameters
    found: dict[str, str | list[str]] = {}
    for piece in raw.encode("latin-1").split(b"&"):
        try:
            for name, value in parse_qsl(piece.decode(), keep_blank_values=True, errors="strict"):
                earlier = found.get(name, [])
                found[name] = [*earlier, value] if name in repeated else value
        except UnicodeDecodeError as error:
            field = piece.partition(b"=")[0].decode(errors="replace")
            fault = {"field": field, "code": "invalid", "detail": "Write it in UTF-8, percent-encoded."}
            raise ValidationError([fault]) from error
    return found


def read_query(serializer: type[Serializer[Any]], raw: str) -> dict[str, Any]:
    """The validated parameters of a query string. `REPEATED` of the serializer names those that may be repeated.

    Raises ValidationError, DRF's or ours.
    """
    return validated(serializer, parameters(raw, getattr(serializer, "REPEATED", ())))
