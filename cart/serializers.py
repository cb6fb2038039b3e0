"""Bodies of the cart's API: shape only. The models check stock, ownership and duplicates."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from drf_spectacular.utils import PolymorphicProxySerializer, extend_schema_field
from rest_framework import serializers

from bookstore.api.errors import ValidationError, faults
from bookstore.api.fields import MoneyField, WholeNumberField
from cart.issues import Issue
from cart.merging import Entry, MergeResult
from cart.models import Cart, CartItem
from cart.quantities import MAX_QUANTITY, MIN_QUANTITY
from cart.schema import ISSUES, MERGE_RESULTS, PREVIEW_RESULTS
from catalog.models import MIN_PRICE, Book


def quantity_field(**options: Any) -> WholeNumberField:
    return WholeNumberField(min_value=MIN_QUANTITY, max_value=MAX_QUANTITY, help_text="Copies.", **options)


class ChangeItemSerializer(serializers.Serializer[Any]):
    quantity = quantity_field()


class AddItemSerializer(serializers.Serializer[Any]):
    book_id = WholeNumberField()
    quantity = quantity_field(default=1)


def max_entries() -> int:
    """As many as a full cart has lines, but at least 100, so that clients may rely on that in every shop."""
    return max(100, int(settings.CART_MAX_LINES))


class EntrySerializer(AddItemSerializer):
    price_seen = serializers.DecimalField(
        max_digits=10,
        decimal_places=2,
        min_value=MIN_PRICE,
        required=False,
        allow_null=True,
        help_text="Unit price that the guest was shown. Where today's is another, the line has PRICE_CHANGED.",
    )


class EntriesField(serializers.ListField):
    """Entries of a merge. An invalid one becomes an Entry with its fault, not a 422.

    Checks the length before it reads any entry.
    """

    child = EntrySerializer()

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"min_length": 1, "max_length": max_entries(), **options})  # for the schema

    def run_validators(self, value: list[Entry]) -> None:
        """None: `to_internal_value` checks the length before."""

    def to_internal_value(self, data: Any) -> list[Entry]:
        if not isinstance(data, list):
            self.fail("not_a_list", input_type=type(data).__name__)
        if not data:
            raise serializers.ValidationError("Send at least 1 entry.", "min_length")
        if len(data) > max_entries():
            raise serializers.ValidationError(f"Send at most {max_entries()} entries.", "max_length")
        return [self.entry(raw) for raw in data]

    def entry(self, raw: Any) -> Entry:
        try:
            return Entry(**self.child.run_validation(raw))
        except serializers.ValidationError as error:
            fault = ValidationError(list(faults(error.detail)))
        try:
            book_id = self.child.fields["book_id"].run_validation(raw["book_id"])
        except (serializers.ValidationError, TypeError, KeyError):
            book_id = None
        return Entry(book_id, fault=fault)


class MergeSerializer(serializers.Serializer[Any]):
    items = EntriesField(help_text="A bad entry, and a second one of a book, is skipped; `results` says why.")


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
    """The cart after the merge, and the result of each entry."""

    # The results come in as context={"results": …}.

    results = serializers.SerializerMethodField(help_text="One for each entry, in the order in which they were sent.")

    class Meta(CartSerializer.Meta):
        fields = [*CartSerializer.Meta.fields, "results"]

    @extend_schema_field(MERGE_RESULTS)
    def get_results(self, cart: Cart) -> list[MergeResult]:
        results: list[MergeResult] = self.context["results"]
        return results


class PreviewedLineSerializer(CartItemSerializer):
    """A line of a cart that is not stored."""

    id = serializers.IntegerField(allow_null=True, help_text="null: the line is not stored.")
    added_at = serializers.DateTimeField(allow_null=True, help_text="null: the line is not stored.")


@extend_schema_field(PREVIEW_RESULTS)
class PreviewResultsField(serializers.JSONField):
    """For the schema only: cart/preview.py makes the results."""


class PreviewedCartSerializer(CartSerializer):
    """The cart as it would be, and the result of each entry."""

    items = PreviewedLineSerializer(source="lines", many=True)
    results = PreviewResultsField(read_only=True, help_text="One for each entry, in the order in which they were sent.")

    class Meta(CartSerializer.Meta):
        fields = [*CartSerializer.Meta.fields, "results"]


# The response of a change: the line, or the whole cart with `return=cart`.
LINE_OR_CART = PolymorphicProxySerializer(
    component_name="LineOrCart", serializers=[CartItemSerializer, CartSerializer], resource_type_field_name=None
)
