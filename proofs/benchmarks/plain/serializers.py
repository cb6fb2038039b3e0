from django.conf import settings
from rest_framework import serializers

from proofs.benchmarks.plain.models import Book, Cart, CartItem, Order, OrderItem

OUT_OF_RANGE = {
    "min_value": "%(show_value)s is too small: send at least {min_value}.",
    "max_value": "%(show_value)s is too large: send at most {max_value}.",
}


class BookSerializer(serializers.ModelSerializer):
    class Meta:
        model = Book
        fields = ["id", "title", "author", "price", "cover_image_url"]


class CartItemSerializer(serializers.ModelSerializer):
    book_id = serializers.IntegerField()
    book = BookSerializer(read_only=True)
    line_total = serializers.DecimalField(max_digits=19, decimal_places=2, read_only=True)
    available_quantity = serializers.IntegerField(source="book.stock_quantity", read_only=True)
    issues = serializers.ReadOnlyField()

    class Meta:
        model = CartItem
        fields = [
            "id",
            "book_id",
            "quantity",
            "book",
            "line_total",
            "added_at",
            "price_at_add",
            "available_quantity",
            "issues",
        ]
        read_only_fields = ["added_at", "price_at_add"]
        extra_kwargs = {"quantity": {"error_messages": OUT_OF_RANGE}}


class ChangeItemSerializer(CartItemSerializer):
    book_id = serializers.IntegerField(read_only=True)
    quantity = serializers.IntegerField(min_value=1, max_value=999, error_messages=OUT_OF_RANGE)


class CartSerializer(serializers.ModelSerializer):
    items = CartItemSerializer(many=True, read_only=True)
    total_items = serializers.IntegerField(read_only=True)
    total_price = serializers.DecimalField(max_digits=19, decimal_places=2, read_only=True)
    currency = serializers.SerializerMethodField()
    checkout_ready = serializers.BooleanField(read_only=True)

    class Meta:
        model = Cart
        fields = ["items", "total_items", "total_price", "currency", "updated_at", "checkout_ready"]

    def get_currency(self, cart: Cart) -> str:
        return settings.SHOP_CURRENCY


class CheckoutSerializer(serializers.Serializer):
    note = serializers.CharField(max_length=1000, required=False, allow_blank=True, default="")
    contact = serializers.JSONField(required=False, default=None)


class OrderBookSerializer(serializers.ModelSerializer):
    id = serializers.IntegerField(source="book_id")

    class Meta:
        model = OrderItem
        fields = ["id", "title", "author", "isbn", "cover_image_url"]


class OrderItemSerializer(serializers.ModelSerializer):
    book_id = serializers.IntegerField()
    line_total = serializers.DecimalField(max_digits=19, decimal_places=2)
    book = OrderBookSerializer(source="*")

    class Meta:
        model = OrderItem
        fields = ["id", "book_id", "quantity", "unit_price", "line_total", "book"]


class OrderSerializer(serializers.ModelSerializer):
    items = OrderItemSerializer(many=True)

    class Meta:
        model = Order
        fields = [
            "id",
            "number",
            "status",
            "created_at",
            "currency",
            "items",
            "total_items",
            "total_price",
            "contact",
            "note",
            "expires_at",
        ]
