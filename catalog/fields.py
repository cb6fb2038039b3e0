"""Model fields of the catalogue that keep their value right by themselves, whoever writes it."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from stdnum import isbn as stdnum_isbn
from stdnum.exceptions import ValidationError as NotAnIsbn

from catalog import folding


def clean_isbn(text: str) -> str:
    """An ISBN-10 or ISBN-13, with or without hyphens and blanks, as its ISBN-13: one book has one.

    Raises Django's ValidationError when it is none, or its check digit is wrong.
    """
    message = "This is no ISBN-10 or ISBN-13: look at its digits again, the last one checks the others."
    bare = "".join(character for character in text if character not in " -\u2010\u2011\u2012\u2013")
    # stdnum alone would also take a number of nine digits (SBN), and digits of a wide or mathematical form.
    if not bare.isascii() or len(bare) not in {10, 13}:
        raise ValidationError(message, code="invalid")
    try:
        return str(stdnum_isbn.validate(bare, convert=True))
    except NotAnIsbn as error:
        raise ValidationError(message, code="invalid") from error


class IsbnField(models.CharField):
    """Text in, ISBN-13 kept. A look-up by either form, with or without hyphens, finds the book."""

    description = "ISBN-13"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["max_length"] = 13
        super().__init__(*args, **kwargs)

    def to_python(self, value: Any) -> str | None:
        return None if value in (None, "") else clean_isbn(str(value))

    def get_prep_value(self, value: Any) -> Any:
        try:
            return super().get_prep_value(value)
        except ValidationError:  # looked for by what is no ISBN: nothing is found
            return str(value)

    def get_db_prep_save(self, value: Any, connection: Any) -> Any:
        return super().get_db_prep_save(value if hasattr(value, "as_sql") else self.to_python(value), connection)

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        value = self.to_python(super().pre_save(model_instance, add))
        setattr(model_instance, self.attname, value)
        return value

    def formfield(self, **kwargs: Any) -> Any:
        return super().formfield(**{"max_length": 20, **kwargs})  # room for hyphens


class FoldedField(models.TextField):
    """Keeps another field's text folded. Sorts by code points on every database."""

    def __init__(self, *, of: str, **kwargs: Any) -> None:
        kwargs["editable"] = False
        super().__init__(**kwargs)
        self.of = of

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        del kwargs["editable"]
        return name, path, args, {**kwargs, "of": self.of}

    def folded(self, text: str) -> str:
        return folding.fold(text)

    def pre_save(self, model_instance: models.Model, add: bool) -> str:
        value = self.folded(getattr(model_instance, self.of))
        setattr(model_instance, self.attname, value)
        return value

    def db_parameters(self, connection: Any) -> Any:
        parameters = super().db_parameters(connection)
        if connection.vendor == "postgresql":
            parameters["collation"] = "C"
        return parameters


class SameNameField(FoldedField):
    """What a name has in common with those that a person would take for the same: a unique constraint's field."""

    def folded(self, text: str) -> str:
        return folding.same_name(text)
