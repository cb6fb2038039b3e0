"""What the catalogue refuses, each with the contract's status, code and field."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

from django.db import IntegrityError, transaction

from bookstore.api.errors import ApiError, ValidationError
from bookstore.database.constraints import violated


class BookNotFound(ApiError):
    status_code = 404
    code = "BOOK_NOT_FOUND"
    message = "There is no book with this id."
    field = "book_id"


class IsbnConflict(ApiError):
    status_code = 409
    code = "BOOK_ISBN_CONFLICT"
    message = "Another book has this ISBN already."
    field = "isbn"


class BookChanged(ApiError):
    status_code = 412
    code = "BOOK_CHANGED"
    message = "The book is not as your If-Match names it: read it again. Nothing was changed."


class StockOutOfRange(ApiError):
    """Carries `available`, the copies in stock."""

    status_code = 409
    code = "BOOK_STOCK_OUT_OF_RANGE"
    message = "There are not that many copies in stock, or it would be more than a stock can be."
    field = "change"
    extra_fields: ClassVar[dict[str, Any]] = {"available": {"type": "integer"}}

    def __init__(self, *, available: int) -> None:
        super().__init__(available=available)


class GenreConflict(ApiError):
    status_code = 409
    code = "GENRE_CONFLICT"
    message = "There is a genre of this name already."
    field = "name"


class GenreUnknown(ValidationError):
    """The genre of a new or changed book does not exist, or was deleted during the write."""

    def __init__(self) -> None:
        super().__init__([{"field": "genre_id", "code": "does_not_exist", "detail": "There is no genre with this id."}])


@contextmanager
def naming_conflicts() -> Iterator[None]:
    """Runs one transaction (or a savepoint) and translates a violated unique constraint.

    Raises IsbnConflict, GenreConflict.
    """
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        if violated(error, "uq_books_isbn", "books.isbn"):
            raise IsbnConflict from error
        if violated(error, "uq_genres_name", "genres.name_folded"):
            raise GenreConflict from error
        raise
