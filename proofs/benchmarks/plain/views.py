from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from rest_framework import generics, mixins, viewsets
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from proofs.benchmarks.plain.exceptions import (
    BookNotFound,
    BookOutOfStock,
    CartEmpty,
    CartItemDuplicate,
    CartItemNotFound,
    CartLimitExceeded,
    InsufficientStock,
)
from proofs.benchmarks.plain.models import Book, Cart, CartItem, Order, OrderItem
from proofs.benchmarks.plain.permissions import IsCartOwner
from proofs.benchmarks.plain.serializers import (
    CartItemSerializer,
    CartSerializer,
    ChangeItemSerializer,
    CheckoutSerializer,
    OrderSerializer,
)


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


class CheckoutView(generics.GenericAPIView):
    serializer_class = CheckoutSerializer

    @transaction.atomic
    def post(self, request: Request) -> Response:
        """The same locks as the project's: the cart, then its books by id."""
        body = self.get_serializer(data=request.data)
        body.is_valid(raise_exception=True)
        cart = Cart.objects.select_for_update().filter(user=request.user).first()
        items = list(cart.items.all()) if cart else []
        if not items:
            raise CartEmpty
        ids = [item.book_id for item in items]
        books = {book.pk: book for book in Book.objects.select_for_update().filter(pk__in=ids).order_by("pk")}
        for item in items:
            item.book = books[item.book_id]
        if any(issue["code"] != "PRICE_CHANGED" for item in items for issue in item.issues):
            raise InsufficientStock
        order = Order.objects.create(
            user=request.user,
            currency=settings.SHOP_CURRENCY,
            total_items=sum(item.quantity for item in items),
            total_price=sum(item.line_total for item in items),
            expires_at=timezone.now() + timedelta(minutes=60),
            **body.validated_data,
        )
        for item in items:
            Book.objects.filter(pk=item.book_id).update(stock_quantity=F("stock_quantity") - item.quantity)
            OrderItem.objects.create(
                order=order,
                book=item.book,
                quantity=item.quantity,
                unit_price=item.book.price,
                title=item.book.title,
                author=item.book.author,
                isbn=item.book.isbn,
                cover_image_url=item.book.cover_image_url,
            )
        cart.items.all().delete()
        cart.save(update_fields=["updated_at"])
        return Response(OrderSerializer(order).data, status=201)
