"""Actions on many rows of a list: the verbs that an admin names in `actions`.

A verb declares its parameters (`form`), the fields that must be unchanged since the preview (`shows`), and its effect
on a row. bulk.py shows the form and the preview, and runs the verb in batches.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.db.models import Model
from django.http import HttpRequest

from bookstore.admin.conflicts import who_changed
from bookstore.admin.refusals import Refused
from bookstore.audit.models import AuditChange
from bookstore.audit.recording import as_text, changed, deleted

Shown = Mapping[int, Mapping[str, str]]  # by id: the texts of the fields that the preview showed


@dataclass
class Outcome:
    """The result of one batch: changes for the history, and the skipped rows, each with the reason."""

    changes: list[AuditChange] = field(default_factory=list)
    skipped: list[tuple[str, str]] = field(default_factory=list)


class BulkVerb:
    """An action of a list, as Django calls one: with a name, a description and the permissions that it needs."""

    name = ""
    title = ""  # in the list of actions and over the page
    done = ""  # the message afterwards; {} is "12 books"
    permissions: tuple[str, ...] = ("change",)
    form: type[forms.Form] | None = None
    always_asks = False  # False: a few rows, ticked one by one, are changed without a preview
    shows: tuple[str, ...] = ()
    batch = 0  # rows of one transaction; 0 for bulk.BATCH

    def __init__(self) -> None:
        # The attributes that Django reads from an action.
        self.__name__ = self.name
        self.short_description = self.title
        self.allowed_permissions = self.permissions

    def __call__(self, admin: Any, request: HttpRequest, queryset: Any) -> Any:
        return admin.begin_bulk(request, self, queryset)

    def lock_first(self, parameters: Mapping[str, Any], keys: Collection[int]) -> None:
        """Locks other rows than those of these keys first, by the order of all locks. Raises Refused when one was
        deleted.
        """

    def preview(self, admin: Any, request: HttpRequest, rows: Sequence[Any], parameters: Any) -> list[tuple[str, str]]:
        """(name, effect) of some of the rows."""
        raise NotImplementedError

    def run(self, admin: Any, request: HttpRequest, rows: Sequence[Any], shown: Shown, parameters: Any) -> Outcome:
        """Changes these rows, which are locked."""
        raise NotImplementedError

    def refuse_what_changed(self, row: Model, shown: Mapping[str, str]) -> None:
        """Raises Refused when one of the fields that the preview showed has another value now."""
        for name in self.shows:
            now = as_text(getattr(row, name))
            if shown.get(name, now) != now:
                who = who_changed(row, row_name(row, name))
                raise Refused(f"It was {words(shown[name])}, and is {words(now)} now: {who} meanwhile.")


class ChangeFields(BulkVerb):
    """Writes fields of each row. Skips a row whose fields (`shows`) have changed since the preview."""

    def changes(self, row: Any, parameters: Any) -> dict[str, Any]:
        """The fields that change, by attribute. Raises Refused with the reason that a row cannot be changed."""
        raise NotImplementedError

    def preview(self, admin: Any, request: HttpRequest, rows: Sequence[Any], parameters: Any) -> list[tuple[str, str]]:
        told = []
        for row in rows:
            try:
                differing = differences(row, self.changes(row, parameters))
                parts = [f"{words(old)} → {words(new)}" for old, new in differing.values()]
                told.append((str(row), ", ".join(parts) or "as it is"))
            except Refused as refused:
                told.append((str(row), str(refused.detail)))
        return told

    def run(self, admin: Any, request: HttpRequest, rows: Sequence[Any], shown: Shown, parameters: Any) -> Outcome:
        outcome, changing = Outcome(), []
        names: set[str] = set()
        for row in rows:
            try:
                differing = differences(row, self.changes(row, parameters))
                if not differing:
                    continue
                self.refuse_what_changed(row, shown[row.pk])
            except Refused as refused:
                outcome.skipped.append((str(row), str(refused.detail)))
                continue
            outcome.changes.append(changed(row, {row_name(row, name): pair for name, pair in differing.items()}))
            for name, (_, new) in differing.items():
                setattr(row, name, new)
            names.update(row_name(row, name) for name in differing)
            changing.append(row)
        if changing:
            type(changing[0])._default_manager.bulk_update(changing, sorted(names))
        return outcome


class DeleteRows(BulkVerb):
    """Django's "delete selected", in batches. The admin says which rows stay (`refused_deletions`)."""

    name = "delete_selected"
    title = "Delete the selected %(verbose_name_plural)s"
    done = "Deleted {}."
    permissions = ("delete",)
    always_asks = True

    def preview(self, admin: Any, request: HttpRequest, rows: Sequence[Any], parameters: Any) -> list[tuple[str, str]]:
        refused = admin.refused_deletions(request, rows)
        return [(admin.name_and_effects(row), refused.get(row.pk, "")) for row in rows]

    def run(self, admin: Any, request: HttpRequest, rows: Sequence[Any], shown: Shown, parameters: Any) -> Outcome:
        refused = admin.refused_deletions(request, rows)
        going = [row for row in rows if row.pk not in refused]
        outcome = Outcome(
            [deleted(row) for row in going], [(str(row), refused[row.pk]) for row in rows if row.pk in refused]
        )
        if going:
            admin.delete_queryset(request, admin.model._default_manager.filter(pk__in=[row.pk for row in going]))
        return outcome


def differences(row: Any, changes: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    return {name: (getattr(row, name), new) for name, new in changes.items() if getattr(row, name) != new}


def row_name(row: Any, attribute: str) -> str:
    """The field name of an attribute: "genre" for "genre_id"."""
    return next((one.name for one in row._meta.concrete_fields if one.attname == attribute), attribute)


def words(value: Any) -> str:
    return as_text(value) or "nothing"


def shown_of(rows: Iterable[Sequence[Any]]) -> dict[int, Mapping[str, str]]:
    return {int(pk): texts for pk, texts in rows}
