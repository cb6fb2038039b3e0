"""What an operation says of itself for the OpenAPI schema, beside its docstring: `@extend_schema` and `errors_of`.

Both only keep what they are told. bookstore/api/schema.py makes the schema of it when /schema is asked for, and is not
imported before.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from bookstore.api.errors import ApiError

Handler = TypeVar("Handler", bound=Callable[..., Any])


def extend_schema(**words: Any) -> Callable[[Handler], Handler]:
    """drf-spectacular's decorator, with its arguments, for the handler of one method.

    Its own would import its generator at once, which holds 4 MB of each worker.
    """

    def keep(handler: Handler) -> Handler:
        handler.words_of_schema = words  # type: ignore[attr-defined]  # a mark on a function
        return handler

    return keep


class DocumentedErrors(tuple[type[ApiError], ...]):
    """The errors of one status of an operation."""

    __slots__ = ()


def errors_of(*errors: type[ApiError]) -> dict[int, DocumentedErrors]:
    """For `extend_schema(responses={200: …, **errors_of(BookNotFound, …)})`."""
    statuses = dict.fromkeys(error.status_code for error in errors)
    return {status: DocumentedErrors(e for e in errors if e.status_code == status) for status in statuses}
