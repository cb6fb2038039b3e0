"""What a cart can refuse, each with the contract's status, code and field."""

from typing import Any, ClassVar

from bookstore.api.errors import ApiError


class BookOutOfStock(ApiError):
    status_code = 409
    code = "CART_BOOK_OUT_OF_STOCK"
    message = "This book is sold out."
    field = "book_id"


class CartItemDuplicate(ApiError):
    """Carries `item_id`, the line that already holds the book, so that the client can PUT its quantity."""

    status_code = 409
    code = "CART_ITEM_DUPLICATE"
    message = "This book is already in the cart: change the quantity of its line, item_id, instead."
    field = "book_id"
    extra_fields: ClassVar[dict[str, Any]] = {"item_id": {"type": "integer"}}

    def __init__(self, *, item_id: int) -> None:
        super().__init__(item_id=item_id)


class CartItemNotFound(ApiError):
    status_code = 404
    code = "CART_ITEM_NOT_FOUND"
    message = "There is no such line in any cart."
    field = "item_id"


class CartItemForbidden(ApiError):
    status_code = 403
    code = "CART_ITEM_FORBIDDEN"
    message = "This line is in another customer's cart."


class CartLimitExceeded(ApiError):
    status_code = 409
    code = "CART_LIMIT_EXCEEDED"
    message = "The cart is full: it holds as many different books as a cart can. Remove a line first."


class CartChanged(ApiError):
    """The cart is no longer the one that the client named by its ETag in If-Match."""

    status_code = 412
    code = "CART_CHANGED"
    message = "The cart has changed since you read it: read it again, then decide."
