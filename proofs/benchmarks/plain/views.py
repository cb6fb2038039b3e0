from typing import Any

from django.conf import settings
from django.db import transaction
from rest_framework import generics, mixins, viewsets
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from proofs.benchmarks.plain.exceptions import (
    BookNotFound,
    BookOutOfStock,
    CartItemDuplicate,
    CartItemNotFound,
    CartLimitExceeded,
)
from proofs.benchmarks.plain.models import Book, Cart, CartItem
from proofs.benchmarks.plain.permissions import IsCartOwner
from proofs.benchmarks.plain.serializers import CartItemSerializer, CartSerializer, ChangeItemSerializer


class CartView(generics.RetrieveAPIView):
    queryset = Cart.objects.prefetch_related("items__book")
    serializer_class = CartSerializer

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        cart = self.get_queryset().filter(user=request.user).first()
        if cart is None:
            return Response(
                {
                    "items": [],
                    "total_items": 0,
                    "total_price": "0.00",
                    "currency": settings.SHOP_CURRENCY,
                    "updated_at": None,
                    "checkout_ready": False,
                }
            )
        return Response(self.get_serializer(cart).data)


class CartItemViewSet(
    mixins.CreateModelMixin, mixins.UpdateModelMixin, mixins.DestroyModelMixin, viewsets.GenericViewSet
):
    queryset = CartItem.objects.select_related("cart", "book")
    permission_classes = [IsAuthenticated, IsCartOwner]

    def get_serializer_class(self) -> type[CartItemSerializer]:
        return CartItemSerializer if self.action == "create" else ChangeItemSerializer

    def get_object(self) -> CartItem:
        item = self.get_queryset().filter(pk=self.kwargs["pk"]).first()
        if item is None:
            raise CartItemNotFound
        self.check_object_permissions(self.request, item)
        return item

    @transaction.atomic
    def perform_create(self, serializer: CartItemSerializer) -> None:
        book = Book.objects.filter(pk=serializer.validated_data["book_id"], is_active=True).first()
        if book is None:
            raise BookNotFound
        if book.stock_quantity == 0:
            raise BookOutOfStock
        cart, _ = Cart.objects.get_or_create(user=self.request.user)
        item, created = cart.items.get_or_create(
            book=book,
            defaults={"quantity": serializer.validated_data.get("quantity", 1), "price_at_add": book.price},
        )
        if not created:
            raise CartItemDuplicate(item.pk)
        if cart.items.count() > settings.CART_MAX_LINES:
            raise CartLimitExceeded
        cart.save(update_fields=["updated_at"])
        serializer.instance = item

    @transaction.atomic
    def perform_update(self, serializer: CartItemSerializer) -> None:
        item = serializer.save(price_at_add=serializer.instance.book.price)
        item.cart.save(update_fields=["updated_at"])

    @transaction.atomic
    def perform_destroy(self, instance: CartItem) -> None:
        instance.delete()
        instance.cart.save(update_fields=["updated_at"])
