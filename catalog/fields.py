"""Model fields of the catalogue that normalise or compute their value, for every writer through the ORM."""

from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone

from catalog import folding
from catalog.isbn import clean_isbn
from catalog.search.spellings import spellings


class IsbnField(models.CharField):
    """Stores an ISBN as ISBN-13. Look-ups take either form, with or without hyphens."""

    description = "ISBN-13"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["max_length"] = 13
        super().__init__(*args, **kwargs)

    def to_python(self, value: Any) -> str | None:
        return None if value in (None, "") else clean_isbn(str(value))

    def get_prep_value(self, value: Any) -> Any:
        try:
            return super().get_prep_value(value)
        except ValidationError:  # a look-up by an invalid ISBN finds nothing
            return str(value)

    def get_db_prep_save(self, value: Any, connection: Any) -> Any:
        return super().get_db_prep_save(value if hasattr(value, "as_sql") else self.to_python(value), connection)

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        value = self.to_python(super().pre_save(model_instance, add))
        setattr(model_instance, self.attname, value)
        return value

    def formfield(self, **kwargs: Any) -> Any:
        return super().formfield(**{"max_length": 20, **kwargs})  # room for hyphens


class CodePointsField(models.TextField):
    """Sorts by code points on every database: collation C on PostgreSQL, as SQLite does by default."""

    def db_parameters(self, connection: Any) -> Any:
        parameters = super().db_parameters(connection)
        if connection.vendor == "postgresql":
            parameters["collation"] = "C"
        return parameters


class FoldedField(CodePointsField):
    """The folded text of another field."""

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


class SameNameField(FoldedField):
    """The key of a name: equal for names that a person would take for the same. A unique constraint uses it."""

    def folded(self, text: str) -> str:
        return folding.same_name(text)


class SpellingsField(FoldedField):
    """Keeps the further spellings of another field's words: a tsvector on PostgreSQL, words with blanks on SQLite.

    NULL when there are none, as for most texts. `weight` and `place` are those of the search document.
    """

    def __init__(self, *, of: str, weight: str, **kwargs: Any) -> None:
        super().__init__(of=of, **{"null": True, **kwargs})
        self.weight = weight

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, {**kwargs, "weight": self.weight}

    def db_type(self, connection: Any) -> str:
        return "tsvector" if connection.vendor == "postgresql" else "text"

    def db_parameters(self, connection: Any) -> Any:
        return {"type": self.db_type(connection), "check": None}

    def folded(self, text: str) -> str | None:  # type: ignore[override]  # NULL when there are none
        return " ".join(sorted(spellings(text))) or None

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        """Reads the words from PostgreSQL's `'jrr':2B 'rr':2B`."""
        if value is None or connection.vendor != "postgresql":
            return value
        return " ".join(sorted(part.rpartition(":")[0].strip("'") for part in value.split()))

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        """A folded word has letters and digits only, so quotes suffice for PostgreSQL's tsvector."""
        if value is None or connection.vendor != "postgresql":
            return value
        return " ".join(f"'{word}':{self.weight}" for word in value.split())


class UpdatedAtField(models.DateTimeField):
    """The time of the last write, by every way of the ORM: `FoldingQuerySet.update` adds it."""

    def pre_save(self, model_instance: models.Model, add: bool) -> datetime:
        value = timezone.now()
        setattr(model_instance, self.attname, value)
        return value
