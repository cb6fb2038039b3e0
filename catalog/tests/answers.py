"""Expected parts of responses: the bodies of errors, and values that only have a form."""

from datetime import datetime


class AnyTime:
    """Equal to every ISO 8601 time in UTC."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, str) and other.endswith("Z") and bool(datetime.fromisoformat(other))

    def __hash__(self) -> int:
        return 0

    def __repr__(self) -> str:
        return "<any time>"


ANY_TIME = AnyTime()

NO_BOOK = {"detail": "There is no book with this id.", "code": "BOOK_NOT_FOUND", "field": "book_id"}
FORBIDDEN = {"detail": "Only staff with the permission for it may do this.", "code": "AUTH_FORBIDDEN"}
NOBODY = {
    "detail": "Sign in first: send an access token as `Authorization: Bearer …`.",
    "code": "NOT_AUTHENTICATED",
}
ISBN_TAKEN = {"detail": "Another book has this ISBN already.", "code": "BOOK_ISBN_CONFLICT", "field": "isbn"}
NO_GENRE = {
    "detail": "There is no genre with this id.",
    "code": "VALIDATION_ERROR",
    "field": "genre_id",
    "errors": [{"field": "genre_id", "code": "does_not_exist", "detail": "There is no genre with this id."}],
}
