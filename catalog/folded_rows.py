"""Writes to many rows that keep folded columns up to date: these do not call `save()`."""

from collections.abc import Collection, Iterable
from typing import Any

from django.db import models
from django.utils import timezone

from catalog.fields import FoldedField, UpdatedAtField


class FoldingQuerySet(models.QuerySet[Any]):
    """Keeps folded fields up to date in writes that do not call `save()`."""

    def update(self, **fields: Any) -> int:
        """As Django's. Adds the words of a new title or author to the search's vocabulary: 1 query more for each."""
        for folded in folded_fields(self.model, fields):
            if folded.name in fields:  # bulk_update below has folded already
                continue
            if not isinstance(fields[folded.of], str):
                raise TypeError(f"{folded.of} is searched: update it to a string, not to an expression")
            fields[folded.name] = folded.folded(fields[folded.of])
        for stamp in stamps(self.model):
            fields.setdefault(stamp, timezone.now())
        return super().update(**fields)

    update.alters_data = True  # type: ignore[attr-defined]  # Django's mark for templates

    def bulk_update(self, objs: Iterable[Any], fields: Iterable[str], batch_size: int | None = None) -> int:
        objs, names = list(objs), with_folds(self.model, fields)
        for obj in objs:
            for name in names:
                self.model._meta.get_field(name).pre_save(obj, add=False)
        return super().bulk_update(objs, names, batch_size)

    bulk_update.alters_data = True  # type: ignore[attr-defined]  # Django's mark for templates

    def bulk_create(
        self,
        objs: Iterable[Any],
        batch_size: int | None = None,
        ignore_conflicts: bool = False,
        update_conflicts: bool = False,
        update_fields: Collection[str] | None = None,
        unique_fields: Collection[str] | None = None,
    ) -> list[Any]:
        if update_fields is not None:
            update_fields = with_folds(self.model, update_fields)
        return super().bulk_create(objs, batch_size, ignore_conflicts, update_conflicts, update_fields, unique_fields)

    bulk_create.alters_data = True  # type: ignore[attr-defined]  # Django's mark for templates


def folded_fields(model: type[models.Model], names: Iterable[str]) -> list[FoldedField]:
    """The folded fields that are computed from these."""
    names = set(names)
    return [field for field in model._meta.concrete_fields if isinstance(field, FoldedField) and field.of in names]


def stamps(model: type[models.Model]) -> list[str]:
    """The fields with the time of the last write."""
    return [field.name for field in model._meta.concrete_fields if isinstance(field, UpdatedAtField)]


def with_folds(model: type[models.Model], names: Iterable[str]) -> list[str]:
    """These fields, and those to be written with them: folded fields and the time of the last write."""
    names = list(names)
    more = [*(field.name for field in folded_fields(model, names)), *stamps(model)]
    return [*names, *(name for name in more if name not in names)]
