from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from proofs.benchmarks.plain.models import CartItem


class IsCartOwner(BasePermission):
    message = "This line is in another customer's cart."
    code = "CART_ITEM_FORBIDDEN"

    def has_object_permission(self, request: Request, view: APIView, obj: CartItem) -> bool:
        return bool(obj.cart.user_id == request.user.pk)
