"""A query string as data: UTF-8, of a bounded number of parameters, read by a serializer."""

from collections.abc import Collection
from typing import Any
from urllib.parse import parse_qsl

from django.conf import settings
from rest_framework.serializers import Serializer

from bookstore.api.errors import TooManyParameters, ValidationError
from bookstore.fastpath.instances import validated


def parameters(raw: str, repeated: Collection[str] = ()) -> dict[str, str | list[str]]:
    """The last value of each parameter of a QUERY_STRING as WSGI has it; of `repeated` ones the list of all. Raises
    ValidationError, naming the parameter.

    Django's own QueryDict would put U+FFFD in the place of bytes that are no UTF-8: of a search that is a word less.
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
    """What the serializer reads of a query string; its `REPEATED` names parameters that may come more than once.

    Raises ValidationError, DRF's or ours.
    """
    return validated(serializer, parameters(raw, getattr(serializer, "REPEATED", ())))
