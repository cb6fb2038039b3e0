"""What comes in and goes out. Stock, ownership and duplicates are the models' business."""

from typing import Any

from rest_framework import serializers

from bookstore.api.fields import WholeNumberField
from cart.models import MAX_QUANTITY, MIN_QUANTITY, Cart, CartItem
from catalog.models import Book


class ChangeItemSerializer(serializers.Serializer[Any]):
    quantity = WholeNumberField(min_value=MIN_QUANTITY, max_value=MAX_QUANTITY, help_text="Copies.")


class AddItemSerializer(serializers.Serializer[Any]):
    book_id = WholeNumberField()
    quantity = WholeNumberField(min_value=MIN_QUANTITY, max_value=MAX_QUANTITY, default=1, help_text="Copies.")


class LineBookSerializer(serializers.ModelSerializer[Book]):
    class Meta:
        model = Book
        fields = ("id", "title", "author", "price", "cover_image_url")


class CartItemSerializer(serializers.ModelSerializer[CartItem]):
    book_id = serializers.IntegerField()
    book = LineBookSerializer()

    class Meta:
        model = CartItem
        fields = ("id", "book_id", "quantity", "book")


class CartSerializer(serializers.ModelSerializer[Cart]):
    items = CartItemSerializer(source="lines", many=True)
    total_items = serializers.IntegerField(help_text="Copies in all lines.")
    total_price = serializers.DecimalField(max_digits=19, decimal_places=2, help_text="At today's prices.")

    class Meta:
        model = Cart
        fields = ("items", "total_items", "total_price")
