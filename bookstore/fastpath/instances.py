"""Objects of DRF that are made once and used again. It makes them for every request: of a serializer with five fields
that takes longer than the validation itself.
"""

from collections import deque
from functools import cache
from typing import Any

from rest_framework.serializers import Serializer

from bookstore import fastpath


def one_of_each(classes: tuple[Any, ...]) -> list[Any]:
    """Authenticators, permissions, parsers, renderers: those of ours and of DRF that keep nothing between requests."""
    return _made(classes) if fastpath.is_on() else [each() for each in classes]


@cache
def _made(classes: tuple[Any, ...]) -> list[Any]:
    return [each() for each in classes]


# Of each serializer, those that no request has in hand: as many as ever were in use at once.
_idle: dict[type[Serializer[Any]], deque[Serializer[Any]]] = {}


def validated(serializer: type[Serializer[Any]], data: Any) -> dict[str, Any]:
    """The fields of a body or query. Raises DRF's ValidationError.

    One request at a time has a serializer: between `pop` and `append` nobody else finds it.
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
    reader.initial_data = data  # fields look at their neighbours there
    try:
        fields: dict[str, Any] = reader.run_validation(data)
    finally:
        reader.initial_data = None  # a password is kept no longer than its request
        idle.append(reader)
    return fields
