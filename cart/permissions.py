"""The permission to change a line."""

from typing import ClassVar

from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from bookstore.api.errors import ApiError
from cart.exceptions import CartItemForbidden
from cart.models import CartItem


class IsCartOwner(BasePermission):
    """Only the customer who owns the cart may change its lines."""

    message = CartItemForbidden.message
    code = CartItemForbidden.code
    object_errors: ClassVar[tuple[type[ApiError], ...]] = (CartItemForbidden,)

    def has_object_permission(self, request: Request, view: APIView, item: CartItem) -> bool:
        return bool(item.cart.user_id == request.user.pk)
