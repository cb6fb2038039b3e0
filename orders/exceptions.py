"""Refusals of orders, each with its status, code and field."""

from typing import Any, ClassVar

from bookstore.api.errors import ApiError

MONEY = {"type": "string", "format": "decimal", "pattern": r"^[0-9]+\.[0-9]{2}$"}
REFUSED_LINE = {
    "type": "object",
    "description": "An issue as the line has it in the cart (`available`, `from`, `to` with it), and whose it is.",
    "properties": {
        "item_id": {"type": "integer"},
        "book_id": {"type": "integer"},
        "code": {"type": "string"},
        "available": {"type": "integer"},
        "from": MONEY,
        "to": MONEY,
    },
    "required": ["item_id", "book_id", "code"],
}
REFUSED_LINES = {
    "type": "array",
    "items": REFUSED_LINE,
    "example": [{"item_id": 7, "book_id": 1, "code": "INSUFFICIENT_STOCK", "available": 1}],
}


class OrderNotFound(ApiError):
    status_code = 404
    code = "ORDER_NOT_FOUND"
    message = "You have no such order."
    field = "order_id"


class CartEmpty(ApiError):
    """Carries `order_id`, the customer's last order if it is younger than an hour, else null.

    A client that repeats a checkout whose response was lost finds the cart empty, and its order by this id.
    """

    status_code = 422
    code = "ORDER_CART_EMPTY"
    message = "The cart is empty: there is nothing to order."
    extra_fields: ClassVar[dict[str, Any]] = {"order_id": {"type": "integer", "nullable": True}}

    def __init__(self, *, order_id: int | None) -> None:
        super().__init__(order_id=order_id)


class LinesRefused(ApiError):
    """Carries `issues` of every line, each with its `item_id` and `book_id`. The stock is unchanged."""

    status_code = 409
    extra_fields: ClassVar[dict[str, Any]] = {"issues": REFUSED_LINES}


class ItemsUnavailable(LinesRefused):
    code = "ORDER_ITEMS_UNAVAILABLE"
    message = "Some of these books are no longer sold: remove their lines."


class InsufficientStock(LinesRefused):
    code = "ORDER_INSUFFICIENT_STOCK"
    message = "There are too few copies of some books: lower the quantities, or remove the lines."


class PriceRose(LinesRefused):
    """Not raised when If-Match has the current version: then the customer has seen the price."""

    code = "ORDER_PRICE_CHANGED"
    message = (
        "Some books cost more than when they were put into the cart: show the cart, and send its ETag in If-Match."
    )


class IdempotencyKeyReused(ApiError):
    status_code = 422
    code = "ORDER_KEY_REUSED"
    message = "This Idempotency-Key was sent before with another body: take a new one."
    field = "Idempotency-Key"


class OrderNotPayable(ApiError):
    status_code = 409
    code = "ORDER_NOT_PAYABLE"
    message = "This order is not waiting for a payment (any more)."


class OrderNotShippable(ApiError):
    status_code = 409
    code = "ORDER_NOT_SHIPPABLE"
    message = "Only an order that is paid can be shipped."


class OrderNotCancellable(ApiError):
    status_code = 409
    code = "ORDER_NOT_CANCELLABLE"
    message = "This order is shipped already."
