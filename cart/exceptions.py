"""What a cart can refuse, each with the contract's status, code and field."""

from typing import ClassVar

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
    extra_fields: ClassVar[tuple[str, ...]] = ("item_id",)

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
