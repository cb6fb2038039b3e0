"""Refusals of a wishlist."""

from bookstore.api.errors import ApiError


class AlreadyWished(ApiError):
    status_code = 409
    code = "WISH_DUPLICATE"
    message = "This book is on the wishlist already."
    field = "book_id"
