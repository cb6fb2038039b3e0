"""Input and output of the catalogue's API: shape only. The models check conflicts and existence."""

import re
from datetime import date
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError as DjangoValidationError
from django.core.validators import URLValidator
from drf_spectacular.utils import extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from bookstore.api.fields import FlagField, MoneyField, OneOfField, TextField, WholeNumberField
from bookstore.api.pagination import EXACT_TOTAL, SMALL_TABLE, PageParameters
from catalog.isbn import clean_isbn
from catalog.models import MAX_POPULARITY, MAX_STOCK, MIN_PRICE, Book, Genre
from catalog.search.candidates import LARGE, SMALL, SMALL_CATALOGUE
from catalog.search.facets import FACETS
from catalog.search.pages import SORTS
from catalog.search.query import MAX_QUERY, MAX_QUERY_WORDS, wanted_words
from catalog.search.suggestions import MAX_SUGGESTIONS

MAX_GENRES = 50  # of one query
MAX_IDS = 100  # of one query
ASCII_DECIMAL = re.compile(r"-?[0-9]+(\.[0-9]+)?", re.ASCII)
ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


@extend_schema_field({"oneOf": [{"type": "string", "format": "decimal"}, {"type": "number"}]})
class PriceField(serializers.DecimalField):
    """A JSON number, or a string of ASCII digits with at most a point; not `true`, `" 1 "`, `"1e3"` or `"NaN"`."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_digits=10, decimal_places=2, **kwargs)

    def to_internal_value(self, data: Any) -> Decimal:
        number = isinstance(data, int | Decimal) and not isinstance(data, bool)
        if not number and not (isinstance(data, str) and ASCII_DECIMAL.fullmatch(data)):
            self.fail("invalid")
        price: Decimal = super().to_internal_value(data)
        return price


class ISODateField(serializers.DateField):
    """A date as `1813-01-28`, and in no other of the forms that ISO 8601 has."""

    def to_internal_value(self, value: Any) -> date:
        if not isinstance(value, str) or not ISO_DATE.fullmatch(value):
            self.fail("invalid", format="YYYY-MM-DD")
        day: date = super().to_internal_value(value)
        return day


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
        f"Up to {EXACT_TOTAL}, or of fewer than {SMALL_TABLE} books in all, it is exact."
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
    """As for a new book, each optional: what is not sent stays."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        fields = super().get_fields()
        for field in fields.values():
            field.required = False
        return fields


class StockChangeSerializer(serializers.Serializer[Any]):
    quantity = WholeNumberField(min_value=0, max_value=MAX_STOCK, help_text="Copies in stock from now on.")


class SearchField(TextField):
    """Words to search for. Without a word (blank, or punctuation only) it does not filter."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, allow_blank=True, max_length=MAX_QUERY, **kwargs)

    def run_validation(self, data: Any = serializers.empty) -> Any:
        text = super().run_validation(data)
        if len(wanted_words(text)) > MAX_QUERY_WORDS:
            raise serializers.ValidationError(f"Ask for {MAX_QUERY_WORDS} different words at most.", code="max_words")
        return text


SENT = TextField(max_length=MAX_QUERY * 10)


@extend_schema_field({"type": "array", "items": {"type": "integer"}, "maxItems": MAX_GENRES})
class GenreIdsField(serializers.Field[Any, Any, Any, Any]):
    """One genre or several: the parameter may be sent up to MAX_GENRES times."""

    one = WholeNumberField()

    def to_internal_value(self, data: Any) -> tuple[int, ...]:
        values = data if isinstance(data, list | tuple) else [data]
        if len(values) > MAX_GENRES:
            raise serializers.ValidationError(f"Ask for {MAX_GENRES} genres at most.", code="max_length")
        return tuple(dict.fromkeys(self.one.run_validation(value) for value in values))


@extend_schema_field({"type": "string", "pattern": "^[a-z_]+(,[a-z_]+)*$"})
class ChosenField(serializers.Field[Any, Any, Any, Any]):
    """Words of a list, separated by commas: `genre,price`."""

    def __init__(self, choices: tuple[str, ...], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.choices = choices

    def to_internal_value(self, data: Any) -> tuple[str, ...]:
        chosen = tuple(dict.fromkeys(part.strip() for part in SENT.run_validation(data).split(",")))
        for name in chosen:
            if name not in self.choices:
                allowed = ", ".join(self.choices)
                raise serializers.ValidationError(f'"{name[:50]}" is not one of {allowed}.', code="invalid_choice")
        return chosen


@extend_schema_field({"type": "string", "pattern": "^[0-9]+(,[0-9]+)*$"})
class IdsField(serializers.Field[Any, Any, Any, Any]):
    """Ids separated by commas: `4,43`."""

    def to_internal_value(self, data: Any) -> tuple[int, ...]:
        parts = SENT.run_validation(data).split(",")
        if not all(part.isascii() and part.isdigit() for part in parts):
            raise serializers.ValidationError("Ids are whole numbers, separated by commas: 4,43.", code="invalid")
        if len(parts) > MAX_IDS:
            raise serializers.ValidationError(f"Ask for {MAX_IDS} ids at most.", code="max_length")
        return tuple(dict.fromkeys(int(part) for part in parts))


class BookQuery(PageParameters):
    REPEATED = ("genre_id",)

    q = SearchField(
        help_text=(
            "Finds books with all these words in title or author, whatever their case, accents, apostrophes and "
            "hyphens; the last letters of each may be missing. An ISBN in any form, or its first digits (from 4), "
            "finds its book. An exact title comes first, then titles that begin so, then all words in the title, "
            "then title and author; among equals a book in stock, then the popular one. What finds little is looked "
            "for with typing errors forgiven and words left out, and `corrected` is true when only that found "
            f"something. At most {MAX_QUERY_WORDS} words. At most {LARGE.ranked} books are shown, "
            f"{SMALL.ranked} of a catalogue with fewer than {SMALL_CATALOGUE}."
        )
    )
    genre_id = GenreIdsField(
        required=False, help_text=f"Any of these genres: the parameter may be repeated, up to {MAX_GENRES} times."
    )
    author = SearchField(help_text="Every word begins a word of the author.")
    isbn = ISBNField(required=False, help_text="The book of this ISBN-10 or ISBN-13, hyphens allowed.")
    ids = IdsField(
        required=False,
        help_text=f"The books with these 1 to {MAX_IDS} ids, separated by commas, in this order, on one page; "
        "withdrawn ones, too. Unknown ids are left out. Goes with no other parameter.",
    )
    min_price = PriceField(required=False, min_value=Decimal(0))
    max_price = PriceField(required=False, min_value=Decimal(0))
    in_stock = serializers.BooleanField(
        required=False,
        help_text="`true`: with copies left; `false`: sold out.",
        error_messages={"invalid": "Write true or false."},
    )
    published_from = ISODateField(required=False, help_text="Published on this day or later.")
    published_to = ISODateField(required=False, help_text="Published on this day or earlier.")
    facets = ChosenField(
        FACETS,
        required=False,
        help_text=f"Adds counts for this query, of one or more of: {', '.join(FACETS)}; separated by commas.",
    )
    sort = OneOfField(
        choices=["relevance", *SORTS],
        required=False,
        help_text="`relevance` if unset and `q` has words, else `title`. `date` is the publish date, undated last.",
    )
    sort_dir = OneOfField(
        choices=["asc", "desc"],
        required=False,
        help_text="`asc` if unset, but `desc` for `created_at`. Relevance has one direction.",
    )

    def validate(self, values: dict[str, Any]) -> dict[str, Any]:
        if values.get("sort") == "relevance":
            del values["sort"]
        genre_ids = values.pop("genre_id", ())
        if len(genre_ids) == 1:
            values["genre_id"] = genre_ids[0]
        elif genre_ids:
            values["genre_ids"] = genre_ids
        if "ids" in values and (others := sorted(values.keys() - {"ids", *PageParameters().fields})):
            raise serializers.ValidationError({"ids": f"Ask for ids alone, without {', '.join(others)}."}, code="alone")
        return values


class SuggestionQuery(serializers.Serializer[Any]):
    q = SearchField(help_text="What was typed so far.")
    limit = WholeNumberField(min_value=1, max_value=MAX_SUGGESTIONS, default=8, help_text="How many at most.")


class SuggestionSerializer(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(choices=["title", "author", "isbn"])
    text = serializers.CharField(help_text="The title, the author's name, or the ISBN-13.")
    book_id = serializers.IntegerField(required=False, help_text="Of a title or an ISBN.")
    author = serializers.CharField(required=False, help_text="Of a title.")


class SuggestionsSerializer(serializers.Serializer[Any]):
    items = SuggestionSerializer(many=True)
