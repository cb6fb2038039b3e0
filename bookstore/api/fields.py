"""Serializer fields that accept exactly what the contract allows; DRF's own accept more."""

import re
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.validators import ProhibitSurrogateCharactersValidator

from bookstore.api.parsers import MAX_DIGITS
from bookstore.api.text import UNSEEN, can_be_seen

SHOWN = 50  # characters of the input that an error message quotes
ASCII_DIGITS = re.compile(r"[0-9]+", re.ASCII)
NEGATIVE = re.compile(r"-[1-9][0-9]*", re.ASCII)


def shown(value: Any) -> str:
    """A refused input as an error message quotes it: shortened, and without a lone surrogate, which UTF-8 lacks."""
    return str(value)[:SHOWN].encode(errors="backslashreplace").decode()


# Of a number that is out of range. The validators of Django fill in the number, here shortened.
TOO_SMALL = f"%(show_value).{SHOWN}s is too small: send at least {{min_value}}."
TOO_LARGE = f"%(show_value).{SHOWN}s is too large: send at most {{max_value}}."


class WholeNumberField(serializers.IntegerField):
    """A JSON integer, or a string of ASCII digits; not `true`, `1.5`, `"1.0"`, `" 1 "` or digits of other scripts.

    A string with a minus is a number only for a field with a `min_value`, whose message then names it.
    """

    default_error_messages = {
        "invalid": '"{input}" is not a whole number.',
        "min_value": TOO_SMALL,
        "max_value": TOO_LARGE,
    }

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, int) and not isinstance(data, bool):
            return data
        if isinstance(data, str) and ASCII_DIGITS.fullmatch(data):
            return int(data) if len(data) <= MAX_DIGITS else 10**MAX_DIGITS
        if isinstance(data, str) and self.min_value is not None and NEGATIVE.fullmatch(data):
            return int(data) if len(data) <= MAX_DIGITS else -(10**MAX_DIGITS)
        self.fail("invalid", input=shown(data))


class FlagField(serializers.BooleanField):
    """JSON's `true` or `false`. DRF's own field would also take "yes", 1 and many more."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class OneOfField(serializers.ChoiceField):
    """One of a few words. The error message quotes the input, shortened, and lists the allowed words."""

    default_error_messages = {"invalid_choice": '"{input}" is not one of {allowed}.'}

    def to_internal_value(self, data: Any) -> Any:
        if str(data) not in self.choice_strings_to_values:
            self.fail("invalid_choice", input=shown(data), allowed=", ".join(self.choice_strings_to_values))
        return super().to_internal_value(data)


class TextField(serializers.CharField):
    """A JSON string. DRF's own field would also take a number.

    Checks the length first, and stops when it is too long: DRF would run every validator on a text of 1 MB.
    `max_written` is the bound of the input, where the stored text may be shorter. `visible` requires a visible
    character.
    """

    default_error_messages = {
        "surrogate_characters_not_allowed": ProhibitSurrogateCharactersValidator.message,
        "unseen": UNSEEN,
    }

    def __init__(self, *, visible: bool = False, max_written: int | None = None, **options: Any) -> None:
        super().__init__(**options)
        self.visible = visible
        self.max_written = self.max_length if max_written is None else max_written
        # Checked below by `encode`, in C instead of a loop over the characters.
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
    """An amount in the shop's currency in a response: a string with two decimal places, never a float."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_digits=19, decimal_places=2, **kwargs)


class IdConverter:
    """An id in a path: ASCII digits of any length. One beyond bigint finds nothing."""

    regex = "[0-9]+"

    def to_python(self, value: str) -> int:
        return int(value) if len(value) <= MAX_DIGITS else 10**MAX_DIGITS

    def to_url(self, value: int) -> str:
        return str(value)
