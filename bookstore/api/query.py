"""Parses query strings: UTF-8, a bounded number of parameters, validated by a serializer."""

from collections.abc import Collection, Iterable
from typing import Any
from urllib.parse import parse_qsl

from django.conf import settings
from rest_framework.serializers import Serializer

from bookstore.api.errors import TooManyParameters, ValidationError
from bookstore.api.fields import SHOWN
from bookstore.fastpath.instances import validated

MAX_NAMED = 10  # unknown parameters of one request


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
    the others the last value counts, as in the earlier service. With `ONLY_KNOWN` a parameter that is no field of the
    serializer is refused, unless STRICT_QUERY=0. Raises ValidationError, DRF's or ours.
    """
    repeated: Collection[str] = getattr(serializer, "REPEATED", ())
    sent = parameters(raw)
    if settings.STRICT_QUERY and getattr(serializer, "ONLY_KNOWN", False):
        refuse_unknown(serializer._declared_fields, sent)
    if twice := [name for name in getattr(serializer, "ONCE", ()) if len(sent.get(name, ())) > 1]:
        raise ValidationError([{"field": name, "code": "repeated", "detail": "Send it once."} for name in twice])
    return validated(serializer, {name: each if name in repeated else each[-1] for name, each in sent.items()})


def no_parameters(raw: str) -> None:
    """For a read that has none. Raises ValidationError for the first MAX_NAMED of them, unless STRICT_QUERY=0."""
    if raw and settings.STRICT_QUERY:
        refuse_unknown((), parameters(raw))


def refuse_unknown(known: Collection[str], sent: Iterable[str]) -> None:
    """Raises ValidationError with one entry for each unknown parameter, MAX_NAMED at most."""
    unknown = [name[:SHOWN] for name in sent if name not in known][:MAX_NAMED]
    if unknown:
        only = f", only {', '.join(sorted(known))}" if known else ": this path has none"
        raise ValidationError(
            [{"field": name, "code": "unknown", "detail": f'There is no parameter "{name}"{only}.'} for name in unknown]
        )
