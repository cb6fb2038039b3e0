"""Bodies of the API of orders."""

from typing import Any

from rest_framework import serializers

from bookstore.api.fields import MoneyField, TextField
from orders.models import MAX_NOTE, Order, OrderItem, Status


def line_of_text(longest: int, **options: Any) -> TextField:
    """Printed and compared by people: it can be seen, or is left out where it is not required."""
    return TextField(max_length=longest, visible=True, **options)


class AddressSerializer(serializers.Serializer[Any]):
    line1 = line_of_text(200)
    line2 = line_of_text(200, required=False, allow_blank=True)
    city = line_of_text(100)
    region = line_of_text(100, required=False, allow_blank=True)
    postcode = line_of_text(20)
    country = serializers.RegexField(
        r"^[A-Z]{2}\Z",
        help_text="ISO 3166-1, two letters.",
        error_messages={"invalid": "Write the country's two capital letters, as ISO 3166-1 has them: GB."},
    )


class ContactSerializer(serializers.Serializer[Any]):
    name = line_of_text(200)
    phone = line_of_text(50, required=False, allow_blank=True)
    address = AddressSerializer(required=False)


class CheckoutSerializer(serializers.Serializer[Any]):
    note = TextField(max_length=MAX_NOTE, required=False, allow_blank=True, default="")
    contact = ContactSerializer(required=False, allow_null=True, default=None)


class PaymentSerializer(serializers.Serializer[Any]):
    reference = line_of_text(200, help_text="The payment provider's. Sent again, it changes nothing.")


class OrderBookSerializer(serializers.Serializer[OrderItem]):
    """The book as it was ordered."""

    id = serializers.IntegerField(source="book_id", allow_null=True, help_text="null: the book was deleted.")
    title = serializers.CharField()
    author = serializers.CharField()
    isbn = serializers.CharField(allow_null=True)
    cover_image_url = serializers.URLField(allow_null=True)


class OrderItemSerializer(serializers.ModelSerializer[OrderItem]):
    book_id = serializers.IntegerField(allow_null=True, help_text="null: the book was deleted.")
    quantity = serializers.IntegerField(help_text="Copies.")
    unit_price = MoneyField(help_text="As it was ordered.")
    line_total = MoneyField()
    book = OrderBookSerializer(source="*")

    class Meta:
        model = OrderItem
        fields = ("id", "book_id", "quantity", "unit_price", "line_total", "book")


class OrderSerializer(serializers.ModelSerializer[Order]):
    status = serializers.ChoiceField(Status.choices)
    created_at = serializers.DateTimeField()
    items = OrderItemSerializer(many=True)
    total_items = serializers.IntegerField(help_text="Copies in all items.")
    total_price = MoneyField(help_text="As it was ordered.")
    currency = serializers.CharField(help_text="ISO 4217.")
    contact = ContactSerializer(allow_null=True)
    note = serializers.CharField()
    expires_at = serializers.DateTimeField(allow_null=True, help_text="Not paid by then, the order is cancelled.")

    class Meta:
        model = Order
        fields = (
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
        )
