"""Reuses objects that DRF creates for every request: creating a serializer with five fields takes longer than the
validation.
"""

from collections import deque
from functools import cache
from typing import Any

from rest_framework.serializers import Serializer

from bookstore import fastpath


def one_of_each(classes: tuple[Any, ...]) -> list[Any]:
    """Caches authenticators, permissions, parsers and renderers: only stateless ones, ours and DRF's."""
    return _made(classes) if fastpath.is_on() else [each() for each in classes]


@cache
def _made(classes: tuple[Any, ...]) -> list[Any]:
    return [each() for each in classes]


# Idle instances of each serializer: as many as were ever in use at once.
_idle: dict[type[Serializer[Any]], deque[Serializer[Any]]] = {}


def validated(serializer: type[Serializer[Any]], data: Any) -> dict[str, Any]:
    """The fields of a body or query. Raises DRF's ValidationError.

    Thread-safe: between `pop` and `append` only this request has the serializer.
    """
    if not fastpath.is_on():
        ordinary = serializer(data=data)
        ordinary.is_valid(raise_exception=True)
        return dict(ordinary.validated_data)
    idle = _idle.setdefault(serializer, deque())
    try:
        reader = idle.pop()
    except IndexError:
        reader = serializer(data=None)
    reader.initial_data = data  # fields read other fields there
    try:
        fields: dict[str, Any] = reader.run_validation(data)
    finally:
        reader.initial_data = None  # keep no password after the request
        idle.append(reader)
    return fields
