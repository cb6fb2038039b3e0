"""What the catalogue refuses, each with the contract's status, code and field."""

from bookstore.api.errors import ApiError, ValidationError


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


class GenreConflict(ApiError):
    status_code = 409
    code = "GENRE_CONFLICT"
    message = "There is a genre of this name already."
    field = "name"


class GenreUnknown(ValidationError):
    """A book is put into a genre that does not exist, or that vanished while the book was written."""

    def __init__(self) -> None:
        super().__init__([{"field": "genre_id", "code": "does_not_exist", "detail": "There is no genre with this id."}])
