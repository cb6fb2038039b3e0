"""What comes in and goes out. Stock, ownership and duplicates are the models' business."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from bookstore.api.fields import MoneyField, WholeNumberField
from cart.issues import Issue
from cart.merging import MergeResult
from cart.models import MAX_QUANTITY, MIN_QUANTITY, Cart, CartItem
from cart.schema import ISSUES, MERGE_RESULTS
from catalog.models import Book

MAX_MERGE = 100  # entries in one merge


def quantity_field(**options: Any) -> WholeNumberField:
    return WholeNumberField(min_value=MIN_QUANTITY, max_value=MAX_QUANTITY, help_text="Copies.", **options)


class ChangeItemSerializer(serializers.Serializer[Any]):
    quantity = quantity_field()


class AddItemSerializer(serializers.Serializer[Any]):
    book_id = WholeNumberField()
    quantity = quantity_field(default=1)


class MergeSerializer(serializers.Serializer[Any]):
    items = serializers.ListField(child=AddItemSerializer(), min_length=1, max_length=MAX_MERGE)

    def validate_items(self, items: list[dict[str, int]]) -> list[dict[str, int]]:
        """A book may be named once: which of two quantities is meant?"""
        seen: set[int] = set()
        faults: list[dict[str, Any]] = []
        for item in items:
            twice = item["book_id"] in seen
            text = f"The book {item['book_id']} is named more than once."
            faults.append({"book_id": [serializers.ErrorDetail(text, "duplicate")]} if twice else {})
            seen.add(item["book_id"])
        if any(faults):
            raise serializers.ValidationError(faults)
        return items


class LineBookSerializer(serializers.ModelSerializer[Book]):
    price = MoneyField(help_text="Today's, in the shop's currency.")
    cover_image_url = serializers.URLField(allow_null=True)

    class Meta:
        model = Book
        fields = ("id", "title", "author", "price", "cover_image_url")


class CartItemSerializer(serializers.ModelSerializer[CartItem]):
    book_id = serializers.IntegerField()
    quantity = serializers.IntegerField(min_value=MIN_QUANTITY, max_value=MAX_QUANTITY, help_text="Copies.")
    book = LineBookSerializer()
    line_total = MoneyField(help_text="At today's price.")
    added_at = serializers.DateTimeField()
    price_at_add = MoneyField(source="known_price", help_text="Unit price when added or last changed.")
    available_quantity = serializers.IntegerField(help_text="Copies in stock today.")
    issues = serializers.SerializerMethodField(help_text="What to tell the customer before checkout.")

    class Meta:
        model = CartItem
        fields = (
            "id",
            "book_id",
            "quantity",
            "book",
            "line_total",
            "added_at",
            "price_at_add",
            "available_quantity",
            "issues",
        )

    @extend_schema_field(ISSUES)
    def get_issues(self, item: CartItem) -> list[Issue]:
        return item.issues


class CartSerializer(serializers.ModelSerializer[Cart]):
    items = CartItemSerializer(source="lines", many=True)
    total_items = serializers.IntegerField(help_text="Copies in all lines.")
    total_price = MoneyField(help_text="At today's prices.")
    currency = serializers.SerializerMethodField(help_text="ISO 4217.")
    updated_at = serializers.SerializerMethodField(help_text="Last change; null as long as there is no cart.")
    checkout_ready = serializers.BooleanField(help_text="There are lines, and none has an issue that blocks.")

    class Meta:
        model = Cart
        fields: Sequence[str] = ("items", "total_items", "total_price", "currency", "updated_at", "checkout_ready")

    def get_currency(self, cart: Cart) -> str:
        return str(settings.SHOP_CURRENCY)

    @extend_schema_field({"type": "string", "format": "date-time", "nullable": True})
    def get_updated_at(self, cart: Cart) -> str | None:
        return serializers.DateTimeField().to_representation(cart.updated_at) if cart.is_stored else None


class MergedCartSerializer(CartSerializer):
    """The cart as it is after the merge, and what became of each entry."""

    # The results come in as context={"results": …}.

    results = serializers.SerializerMethodField(help_text="One for each entry, in the order in which they were sent.")

    class Meta(CartSerializer.Meta):
        fields = [*CartSerializer.Meta.fields, "results"]

    @extend_schema_field(MERGE_RESULTS)
    def get_results(self, cart: Cart) -> list[MergeResult]:
        results: list[MergeResult] = self.context["results"]
        return results
