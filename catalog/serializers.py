"""Bodies of the catalogue's API: shape only. The models check the rest. Queries are in parameters.py."""

import re
from contextlib import suppress
from datetime import date
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError as DjangoValidationError
from django.core.validators import URLValidator
from drf_spectacular.utils import extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from bookstore.api.fields import TOO_LARGE, TOO_SMALL, FlagField, MoneyField, TextField, WholeNumberField, shown
from bookstore.api.pagination import EXACT_TOTAL, SMALL_TABLE
from catalog.isbn import clean_isbn
from catalog.models import MAX_POPULARITY, MAX_STOCK, MIN_PRICE, Book, Genre

ASCII_DECIMAL = re.compile(r"-?[0-9]+(\.[0-9]+)?", re.ASCII)
ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


@extend_schema_field({"oneOf": [{"type": "string", "format": "decimal"}, {"type": "number"}]})
class PriceField(serializers.DecimalField):
    """A JSON number, or a string of ASCII digits with at most one point; not `true`, `" 1 "`, `"1e3"` or `"NaN"`."""

    default_error_messages = {
        "invalid": '"{input}" is not an amount such as 12.50.',
        "min_value": TOO_SMALL,
        "max_value": TOO_LARGE,
    }

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_digits=10, decimal_places=2, **kwargs)

    def to_internal_value(self, data: Any) -> Decimal:
        number = isinstance(data, int | Decimal) and not isinstance(data, bool)
        if not number and not (isinstance(data, str) and ASCII_DECIMAL.fullmatch(data)):
            self.fail("invalid", input=shown(data))
        price: Decimal = super().to_internal_value(data)
        return price


class ISODateField(serializers.DateField):
    """A date as `1813-01-28`; no other form of ISO 8601."""

    default_error_messages = {"invalid": '"{input}" is no date such as 1813-01-28.'}

    def to_internal_value(self, value: Any) -> date:
        if isinstance(value, str) and ISO_DATE.fullmatch(value):
            with suppress(ValueError):  # a month or day that the calendar does not have
                return date.fromisoformat(value)
        self.fail("invalid", input=shown(value))


class ISBNField(TextField):
    def to_internal_value(self, data: Any) -> str:
        try:
            return clean_isbn(super().to_internal_value(data))
        except DjangoValidationError as error:
            raise serializers.ValidationError(error.message, code="invalid") from error


class GenreSerializer(serializers.ModelSerializer[Genre]):
    class Meta:
        model = Genre
        fields = ("id", "name")


class GenreCreateSerializer(serializers.Serializer[Any]):
    name = TextField(visible=True, max_length=100, help_text="Unique, whatever its case and accents.")


class BookSerializer(serializers.Serializer[Book]):
    id = serializers.IntegerField()
    title = serializers.CharField()
    author = serializers.CharField()
    price = MoneyField(help_text="In the shop's currency.")
    currency = serializers.CharField(help_text="ISO 4217; the same for every book.")
    isbn = serializers.CharField(allow_null=True, help_text="An ISBN-13, without hyphens.")
    genre_id = serializers.IntegerField(allow_null=True)
    description = serializers.CharField(allow_null=True)
    cover_image_url = serializers.URLField(allow_null=True)
    publish_date = serializers.DateField(allow_null=True)
    stock_quantity = serializers.IntegerField(help_text="Copies.")
    in_stock = serializers.BooleanField()
    is_active = serializers.BooleanField(help_text="False: withdrawn, no longer sold.")
    popularity = serializers.IntegerField(help_text="The shop's own number: among equal finds the higher comes first.")
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField(help_text="When anything of the book was last written.")


class GenreCountSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    count = serializers.IntegerField()


class PriceCountSerializer(serializers.Serializer[Any]):
    min_price = serializers.CharField(help_text="Included.")
    max_price = serializers.CharField(allow_null=True, help_text="Not included; null: no end.")
    count = serializers.IntegerField()


class StockCountSerializer(serializers.Serializer[Any]):
    value = serializers.BooleanField()
    count = serializers.IntegerField()


class FacetsSerializer(serializers.Serializer[Any]):
    genre = GenreCountSerializer(many=True, required=False)
    price = PriceCountSerializer(many=True, required=False)
    in_stock = StockCountSerializer(many=True, required=False)
    is_estimate = serializers.BooleanField(help_text="True: about so many, by a sample of a large catalogue.")


@extend_schema_serializer(many=False)  # the action `list` answers one page, not a list
class BookPageSerializer(serializers.Serializer[Any]):
    items = BookSerializer(many=True)
    total = serializers.IntegerField(allow_null=True, help_text="Books on all pages; null with `count=none`.")
    total_is_estimate = serializers.BooleanField(
        help_text="True: `total` says about how many. "
        f"Up to {EXACT_TOTAL}, or of fewer than {SMALL_TABLE} books in all, it is exact; of a "
        "frequent author it is an estimate."
    )
    page = serializers.IntegerField()
    size = serializers.IntegerField()
    corrected = serializers.BooleanField(
        help_text="True: `q` found nothing as it is written; these are books of words that resemble it."
    )
    facets = FacetsSerializer(required=False, help_text="With the parameter `facets`.")


class BookCreateSerializer(serializers.Serializer[Any]):
    title = TextField(visible=True, max_length=500)
    author = TextField(visible=True, max_length=255)
    price = PriceField(min_value=MIN_PRICE, help_text="In the shop's currency, with at most two places.")
    isbn = ISBNField(
        required=False,
        allow_null=True,
        help_text="An ISBN-10 or ISBN-13, hyphens allowed; kept as the ISBN-13 without them.",
    )
    genre_id = WholeNumberField(required=False, allow_null=True)
    description = TextField(required=False, allow_null=True, allow_blank=True)
    cover_image_url = TextField(
        required=False,
        allow_null=True,
        max_length=2048,
        validators=[URLValidator(schemes=["http", "https"])],
        help_text="An http or https URL.",
    )
    publish_date = ISODateField(required=False, allow_null=True)
    stock_quantity = WholeNumberField(required=False, min_value=0, max_value=MAX_STOCK, help_text="Copies; 0 if unset.")
    is_active = FlagField(required=False, help_text="False: withdrawn from sale. True if unset.")
    popularity = WholeNumberField(
        required=False,
        min_value=0,
        max_value=MAX_POPULARITY,
        help_text="The higher, the earlier among equal search results; 0 if unset.",
    )


class BookUpdateSerializer(BookCreateSerializer):
    """The fields of a new book, all optional: a missing field keeps its value."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        fields = super().get_fields()
        for field in fields.values():
            field.required = False
        return fields


class StockChangeSerializer(serializers.Serializer[Any]):
    """Exactly one of the two fields."""

    quantity = WholeNumberField(
        required=False,
        min_value=0,
        max_value=MAX_STOCK,
        help_text="Copies in stock from now on, whatever orders took since they were counted: send If-Match with it.",
    )
    change = WholeNumberField(
        required=False,
        min_value=-MAX_STOCK,
        max_value=MAX_STOCK,
        help_text="Copies to add, or below 0 to take away: right whatever orders take meanwhile.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not attrs:
            detail = "Send quantity, the copies in stock from now on, or change, the copies to add or take away."
            raise serializers.ValidationError({"quantity": detail}, "required")
        if len(attrs) > 1:
            raise serializers.ValidationError({"change": "Send quantity or change, not both."}, "invalid")
        return attrs


class SuggestionSerializer(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(choices=["title", "author", "isbn"])
    text = serializers.CharField(help_text="The title, the author's name, or the ISBN-13.")
    book_id = serializers.IntegerField(required=False, help_text="Of a title or an ISBN.")
    author = serializers.CharField(required=False, help_text="Of a title.")


class SuggestionsSerializer(serializers.Serializer[Any]):
    items = SuggestionSerializer(many=True)
