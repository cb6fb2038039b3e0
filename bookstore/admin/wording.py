"""Error messages of form fields in words for staff, in place of Django's.

By the code of the error; Django fills in the parameters, `%(limit_value)s`. A form that derives from StaffWords has
them, and so has every field of a model's page (saving.py).
"""

import re
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from django import forms
from django.core.validators import URLValidator

WORDS = {
    "required": "Fill this in.",
    "max_length": "At most %(limit_value)s characters fit.",
    "min_length": "Write at least %(limit_value)s characters.",
    "min_value": "The least is %(limit_value)s.",
    "max_value": "The most is %(limit_value)s.",
    "max_digits": "This number has too many digits.",
    "max_whole_digits": "This number is too large.",
    "max_decimal_places": "Write at most %(max)s places after the point.",
    "max_string_length": "This number is too long.",
    "null_characters_not_allowed": "It has a character that no text can have (NUL): remove that.",
    "unique": "Another %(model_name)s has this %(field_label)s already.",
}
PROGRAMMERS = re.compile("[eE_]")  # signs of numbers that people do not write
URL_WORDS = "Write an address that begins with http:// or https://."
CHOICES = {
    "invalid_choice": "This is no choice, or none any more: it was deleted meanwhile. Choose again.",
    "invalid_pk_value": "This is no choice. Choose again.",
    "invalid_list": "This is no choice. Choose again.",
}
# By kind of field; of two that match, the later one is used.
KINDS: dict[type[forms.Field], dict[str, str]] = {
    forms.IntegerField: {"invalid": "Write a whole number, such as 12."},
    forms.FloatField: {"invalid": "Write a number, such as 12.50."},
    forms.DecimalField: {"invalid": "Write a number, such as 12.50."},
    forms.DateField: {"invalid": "Write the day as 2008-05-01."},
    forms.EmailField: {"invalid": "Write an email address, such as reader@example.com."},
    forms.ChoiceField: {**CHOICES, "required": "Choose one."},
    forms.ModelChoiceField: {**CHOICES, "required": "Choose one."},
    forms.FileField: {
        "required": "Choose a file.",
        "missing": "Choose a file.",
        "invalid": "Choose a file.",
        "empty": "The file is empty.",
        "max_length": "The file’s name is too long: at most %(max)s characters fit.",
    },
}


class StaffWords:
    """Mixin for a form."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        form: Any = self
        for field in form.fields.values():
            put_in_words(field)


def put_in_words(field: forms.Field, validators: Iterable[Any] = ()) -> None:
    """Replaces Django's messages, and takes no date and no number that staff may not have meant.

    `validators` are those of the model's field, if any.
    """
    words = dict(WORDS)
    for kind, those in KINDS.items():
        if isinstance(field, kind):
            words |= those
    if any(isinstance(one, URLValidator) for one in (*field.validators, *validators)):
        words["invalid"] = URL_WORDS
    field.error_messages |= words
    if isinstance(field, forms.DateField):
        # Django would take 12/11/1999 for a day of December. The import asks; here it is refused.
        field.input_formats = [known for known in field.input_formats or () if "/" not in known]
    if isinstance(field, forms.IntegerField):  # and those derived from it: a price
        field.to_python = partial(number_as_written, field, type(field).to_python)  # type: ignore[method-assign]  # of one field


def number_as_written(field: forms.Field, to_python: Callable[[Any, Any], Any], value: Any) -> Any:
    """The number of a text. Refuses 1e3 and 1_000, which Python would read as 1000."""
    if isinstance(value, str) and PROGRAMMERS.search(value):
        raise forms.ValidationError(field.error_messages["invalid"], code="invalid")
    return to_python(field, value)
