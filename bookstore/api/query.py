"""Parses query strings: UTF-8, a bounded number of parameters, validated by a serializer."""

from collections.abc import Collection
from typing import Any
from urllib.parse import parse_qsl

from django.conf import settings
from rest_framework.serializers import Serializer

from bookstore.api.errors import TooManyParameters, ValidationError
from bookstore.fastpath.instances import validated


def parameters(raw: str) -> dict[str, list[str]]:
    """The values of each parameter of WSGI's QUERY_STRING. Raises ValidationError with the parameter's name.

    Django's QueryDict would replace bytes that are not UTF-8 by U+FFFD, and so drop a word of a search.
    """
    if raw.count("&") >= settings.DATA_UPLOAD_MAX_NUMBER_FIELDS:
        raise TooManyParameters
    found: dict[str, list[str]] = {}
    for piece in raw.encode("latin-1").split(b"&"):
        try:
            for name, value in parse_qsl(piece.decode(), keep_blank_values=True, errors="strict"):
                found.setdefault(name, []).append(value)
        except UnicodeDecodeError as error:
            field = piece.partition(b"=")[0].decode(errors="replace")
            fault = {"field": field, "code": "invalid", "detail": "Write it in UTF-8, percent-encoded."}
            raise ValidationError([fault]) from error
    return found


def read_query(serializer: type[Serializer[Any]], raw: str) -> dict[str, Any]:
    """The validated parameters of a query string.

    The serializer's `REPEATED` names parameters that may be sent several times, its `ONCE` those that must not be; of
    the others the last value counts, as in the earlier service. Raises ValidationError, DRF's or ours.
    """
    repeated: Collection[str] = getattr(serializer, "REPEATED", ())
    sent = parameters(raw)
    if twice := [name for name in getattr(serializer, "ONCE", ()) if len(sent.get(name, ())) > 1]:
        raise ValidationError([{"field": name, "code": "repeated", "detail": "Send it once."} for name in twice])
    return validated(serializer, {name: each if name in repeated else each[-1] for name, each in sent.items()})
