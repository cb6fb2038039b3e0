"""Query parameters of the catalogue's API: shape only."""

from decimal import Decimal
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from bookstore.api.fields import SHOWN, OneOfField, TextField, WholeNumberField, shown
from bookstore.api.pagination import PageParameters
from bookstore.api.text import can_be_seen
from catalog.search.candidates import LARGE, SMALL
from catalog.search.facets import FACETS
from catalog.search.frequency import SMALL_CATALOGUE
from catalog.search.pages import SORTS
from catalog.search.query import MAX_QUERY, MAX_QUERY_WORDS, wanted_words
from catalog.search.suggestions import MAX_SUGGESTIONS
from catalog.serializers import ISBNField, ISODateField, PriceField

MAX_GENRES = 50  # of one query
MAX_IDS = 100  # of one query


class SearchField(TextField):
    """Words to search for."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(allow_blank=True, max_length=MAX_QUERY, **kwargs)

    def run_validation(self, data: Any = serializers.empty) -> Any:
        text = super().run_validation(data)
        if len(wanted_words(text)) > MAX_QUERY_WORDS:
            raise serializers.ValidationError(f"Ask for {MAX_QUERY_WORDS} different words at most.", code="max_words")
        return text


SENT = TextField(max_length=MAX_QUERY * 10)


def pieces(data: Any) -> list[str]:
    """What commas separate, of a parameter that may be sent several times."""
    several = data if isinstance(data, list | tuple) else [data]
    return [piece for text in several for piece in SENT.run_validation(text).split(",")]


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
        chosen = tuple(dict.fromkeys(part.strip() for part in pieces(data)))
        for name in chosen:
            if name not in self.choices:
                allowed = ", ".join(self.choices)
                raise serializers.ValidationError(f'"{name[:50]}" is not one of {allowed}.', code="invalid_choice")
        return chosen


@extend_schema_field({"type": "string", "pattern": "^[0-9]+(,[0-9]+)*$"})
class IdsField(serializers.Field[Any, Any, Any, Any]):
    """Ids separated by commas: `4,43`."""

    def to_internal_value(self, data: Any) -> tuple[int, ...]:
        parts = pieces(data)
        if bad := [part for part in parts if not (part.isascii() and part.isdigit())]:
            detail = f'"{shown(bad[0])}" is no id: send whole numbers, separated by commas, as in 4,43.'
            raise serializers.ValidationError(detail, code="invalid")
        if len(parts) > MAX_IDS:
            raise serializers.ValidationError(f"Ask for {MAX_IDS} ids at most.", code="max_length")
        return tuple(dict.fromkeys(int(part) for part in parts))


class BookQuery(PageParameters):
    ONLY_KNOWN = True  # a misspelt filter would show books that nobody asked for
    REPEATED = ("genre_id", "facets", "ids")

    q = SearchField(
        required=False,
        help_text=(
            "Finds books with all these words in title or author, whatever their case, accents, apostrophes and "
            "hyphens; the last letters of each may be missing. An ISBN in any form, or its first digits (from 4), "
            "finds its book. An exact title comes first, then titles that begin so, then all words in the title, "
            "then title and author; among equals a book in stock, then the popular one. What finds little is looked "
            "for with typing errors forgiven and words left out, and `corrected` is true when only that found "
            f"something. Blank: no search; punctuation alone finds nothing. At most {MAX_QUERY_WORDS} words. "
            f"At most {LARGE.ranked} books are shown, {SMALL.ranked} of a catalogue with fewer than {SMALL_CATALOGUE}."
        ),
    )
    genre_id = GenreIdsField(
        required=False, help_text=f"Any of these genres: the parameter may be repeated, up to {MAX_GENRES} times."
    )
    author = SearchField(required=False, help_text="Every word begins a word of the author.")
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
        error_messages={"invalid": f'"{{input!s:.{SHOWN}}}" is neither true nor false.'},
    )
    published_from = ISODateField(required=False, help_text="Published on this day or later.")
    published_to = ISODateField(required=False, help_text="Published on this day or earlier.")
    facets = ChosenField(
        FACETS,
        required=False,
        help_text=f"Adds counts for this query, of one or more of: {', '.join(FACETS)}; separated by commas. "
        "Each is counted without its own filter, so that it shows what else may be chosen.",
    )
    sort = OneOfField(
        choices=["relevance", *SORTS],
        required=False,
        help_text="`relevance` if unset and there is a `q`, else `title`. `date` is the publish date, undated last.",
    )
    sort_dir = OneOfField(
        choices=["asc", "desc"],
        required=False,
        help_text="`asc` if unset, but `desc` for `created_at`. Relevance has one direction.",
    )

    def validate(self, values: dict[str, Any]) -> dict[str, Any]:
        for name in ("q", "author"):  # an empty search box does not filter
            if not can_be_seen(values.get(name, "")):
                values.pop(name, None)
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
    ONLY_KNOWN = True

    q = SearchField(help_text="What was typed so far; blank finds nothing.")
    limit = WholeNumberField(min_value=1, max_value=MAX_SUGGESTIONS, default=8, help_text="How many at most.")
