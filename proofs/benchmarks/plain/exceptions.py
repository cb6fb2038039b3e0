"""The contract's envelope, the usual way: exceptions with a status and a code, and a handler."""

from typing import Any

from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler as drf_exception_handler


class BookNotFound(exceptions.APIException):
    status_code = 404
    default_detail = "There is no book with this id."
    default_code = "BOOK_NOT_FOUND"
    field = "book_id"


class BookOutOfStock(exceptions.APIException):
    status_code = 409
    default_detail = "This book is sold out."
    default_code = "CART_BOOK_OUT_OF_STOCK"
    field = "book_id"


class CartItemDuplicate(exceptions.APIException):
    status_code = 409
    default_detail = "This book is already in the cart: change the quantity of its line, item_id, instead."
    default_code = "CART_ITEM_DUPLICATE"
    field = "book_id"

    def __init__(self, item_id: int) -> None:
        super().__init__()
        self.item_id = item_id


class CartLimitExceeded(exceptions.APIException):
    status_code = 409
    default_detail = "The cart is full: it holds as many different books as a cart can. Remove a line first."
    default_code = "CART_LIMIT_EXCEEDED"


class CartItemNotFound(exceptions.APIException):
    status_code = 404
    default_detail = "There is no such line in any cart."
    default_code = "CART_ITEM_NOT_FOUND"
    field = "item_id"


class CartEmpty(exceptions.APIException):
    status_code = 422
    default_detail = "The cart is empty: there is nothing to order."
    default_code = "ORDER_CART_EMPTY"


class InsufficientStock(exceptions.APIException):
    status_code = 409
    default_detail = "There are too few copies of some books: lower the quantities, or remove the lines."
    default_code = "ORDER_INSUFFICIENT_STOCK"


def exception_handler(exc: Exception, context: dict[str, Any]) -> Response | None:
    response = drf_exception_handler(exc, context)
    if response is None:
        return None
    if isinstance(exc, exceptions.ValidationError):
        response.status_code = 422
        errors = [
            {"field": field, "code": detail.code, "detail": str(detail)}
            for field, details in exc.detail.items()
            for detail in details
        ]
        response.data = {
            "detail": errors[0]["detail"],
            "code": "VALIDATION_ERROR",
            "field": errors[0]["field"],
            "errors": errors,
        }
    elif isinstance(exc, exceptions.APIException) and isinstance(exc.detail, str):
        response.data = {"detail": str(exc.detail), "code": exc.detail.code}
        for name in ("field", "item_id"):
            if hasattr(exc, name):
                response.data[name] = getattr(exc, name)
    return response
