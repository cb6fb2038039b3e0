"""Serializer fields that take exactly what the contract allows, where DRF's own are more generous."""

import re
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.validators import ProhibitSurrogateCharactersValidator

from bookstore.api.parsers import MAX_DIGITS
from bookstore.api.text import UNSEEN, can_be_seen

SHOWN = 50  # characters of what was sent, in a refusal of it
ASCII_DIGITS = re.compile(r"[0-9]+", re.ASCII)


class WholeNumberField(serializers.IntegerField):
    """A JSON integer, or a string of ASCII digits; not `true`, `1.5`, `"1.0"`, `" 1 "` or digits of other scripts."""

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, int) and not isinstance(data, bool):
            return data
        if isinstance(data, str) and ASCII_DIGITS.fullmatch(data):
            return int(data) if len(data) <= MAX_DIGITS else 10**MAX_DIGITS
        self.fail("invalid")


class FlagField(serializers.BooleanField):
    """JSON's `true` or `false`. DRF's own field would also take "yes", 1 and many more."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class OneOfField(serializers.ChoiceField):
    """One word of a few. The refusal names what was sent, shortened, and the words that there are."""

    default_error_messages = {"invalid_choice": '"{input}" is not one of {allowed}.'}

    def to_internal_value(self, data: Any) -> Any:
        if str(data) not in self.choice_strings_to_values:
            self.fail("invalid_choice", input=str(data)[:SHOWN], allowed=", ".join(self.choice_strings_to_values))
        return super().to_internal_value(data)


class TextField(serializers.CharField):
    """A JSON string. DRF's own field would also take a number.

    Its length is asked first, and what is too long is looked at no further: DRF would hand a text of 1 MB to every
    validator. `max_written` is the bound as it is sent, where what is kept of it is shorter. A `visible` one has
    something in it that can be seen.
    """

    default_error_messages = {
        "surrogate_characters_not_allowed": ProhibitSurrogateCharactersValidator.message,
        "unseen": UNSEEN,
    }

    def __init__(self, *, visible: bool = False, max_written: int | None = None, **options: Any) -> None:
        super().__init__(**options)
        self.visible = visible
        self.max_written = self.max_length if max_written is None else max_written
        # Asked below, in C instead of one character after the other.
        per_character = ProhibitSurrogateCharactersValidator
        self.validators = [each for each in self.validators if not isinstance(each, per_character)]

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        text = super().to_internal_value(data)
        if self.max_written is not None and len(text) > self.max_written:
            self.fail("max_length", max_length=self.max_length)
        try:
            text.encode()
        except UnicodeEncodeError as error:
            self.fail("surrogate_characters_not_allowed", code_point=ord(text[error.start]))
        if self.visible and not can_be_seen(text):
            self.fail("unseen")
        return text


@extend_schema_field({"type": "string", "format": "decimal", "pattern": r"^[0-9]+\.[0-9]{2}$"})
class MoneyField(serializers.DecimalField):
    """An amount in the shop's currency as it goes out: a string with two places, never a float."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_digits=19, decimal_places=2, **kwargs)


class IdConverter:
    """An id in a path: ASCII digits. One that no row can have finds nothing, however long it is."""

    regex = "[0-9]+"

    def to_python(self, value: str) -> int:
        return int(value) if len(value) <= MAX_DIGITS else 10**MAX_DIGITS

    def to_url(self, value: int) -> str:
        return str(value)
