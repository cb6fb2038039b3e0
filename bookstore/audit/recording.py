"""Records changes in the history, by snapshots of an object before and after a change.

before = snapshot(book)
book.change(price="12.00")
record(Actor.of_api(request), "Changed “Emma”.", [changed(book, before, snapshot(book))])
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Any

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.db import models, transaction

from bookstore.audit.actor import Actor
from bookstore.audit.models import MAX_NAME, MAX_SUMMARY, Action, AuditChange, AuditEvent, label_of

MAX_TEXT = 2_000  # characters of a recorded value
SECRET = {"password", "credential", "refresh_jti"}

Differences = dict[str, tuple[Any, Any]]


@cache
def recorded_fields(model: type[models.Model]) -> tuple[tuple[str, str], ...]:
    """The name and the attribute of each field, but for computed fields and the primary key."""
    fields = model._meta.concrete_fields
    return tuple(
        (field.name, field.attname) for field in fields if field.editable and not (field.primary_key or field.generated)
    )


def snapshot(row: models.Model) -> dict[str, Any]:
    """The values of the object's fields; a foreign key as its id. No query: leaves out deferred fields."""
    there = row.__dict__
    return {name: there[attribute] for name, attribute in recorded_fields(type(row)) if attribute in there}


def as_text(value: Any) -> str:
    """A value as the history shows it; "" for None."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value if len(value) <= MAX_TEXT else f"{value[:MAX_TEXT]}…"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.isoformat(" ", "seconds")
    if isinstance(value, date | Decimal):
        return str(value)
    return as_text(str(value))


def difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> Differences:
    """The fields that differ, with both values; None for a missing one."""
    names = [*before, *(name for name in after if name not in before)]
    pairs = {name: (before.get(name), after.get(name)) for name in names}
    return {name: (old, new) for name, (old, new) in pairs.items() if as_text(old) != as_text(new)}


def in_words(row: models.Model, names: Iterable[str]) -> str:
    """Fields as a sentence names them: "price, stock and genre"."""
    words = [label_of(row._meta.label_lower, name) for name in names]
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def added(row: models.Model) -> AuditChange:
    return change_of(row, Action.ADD, difference({}, snapshot(row)))


def deleted(row: models.Model) -> AuditChange:
    """The change of a deleted object. Call it before the deletion, which sets the id to None."""
    return change_of(row, Action.DELETE, difference(snapshot(row), {}))


def deleted_as(row: models.Model, name: str) -> AuditChange:
    """The change of a deletion under another name than the object's, without its values. No query."""
    return change_named(row, name, Action.DELETE, {})


def changed(row: models.Model, differences: Mapping[str, tuple[Any, Any]]) -> AuditChange:
    return change_of(row, Action.CHANGE, differences)


def change_of(row: models.Model, action: Action, differences: Mapping[str, tuple[Any, Any]]) -> AuditChange:
    """An unsaved change; `record` saves it. Of secret fields only the names are kept."""
    fields = {
        name: ["", "(not shown)"] if name in SECRET else [as_text(old), as_text(new)]
        for name, (old, new) in differences.items()
    }
    return change_named(row, str(row), action, fields)


def change_named(row: models.Model, name: str, action: Action, fields: dict[str, list[str]]) -> AuditChange:
    return AuditChange(
        kind=row._meta.label_lower,
        object_id=row.pk,
        name=name[:MAX_NAME],
        name_folded=name.casefold()[:MAX_NAME],
        action=action,
        fields=fields,
    )


def record(actor: Actor, summary: str, changes: Iterable[AuditChange]) -> AuditEvent:
    """Writes one event with its changes, in the caller's transaction. Two queries for up to BATCH changes.

    Stores names for foreign keys: one query more for each field that changed.
    """
    rows = list(changes)
    name_foreign_keys(rows)
    with transaction.atomic(savepoint=False):
        event = AuditEvent.objects.create(
            actor=actor.name[:MAX_NAME],
            actor_id=actor.id,
            channel=actor.channel,
            address=actor.address[:64],
            kind=rows[0].kind if rows else "",
            summary=summary[:MAX_SUMMARY],
            number_of_changes=len(rows),
        )
        AuditChange.objects.write(rows, event)
    return event


def continue_event(event: AuditEvent, changes: Iterable[AuditChange], summary: str = "") -> None:
    """Adds the changes of the next batch to an event; `summary`, if given, replaces its text. Three queries."""
    rows = list(changes)
    name_foreign_keys(rows)
    with transaction.atomic(savepoint=False):
        AuditChange.objects.write(rows, event)
        AuditEvent.objects.filter(pk=event.pk).update(
            number_of_changes=models.F("number_of_changes") + len(rows),
            summary=summary[:MAX_SUMMARY] or models.F("summary"),
        )


def name_foreign_keys(rows: list[AuditChange]) -> None:
    """Replaces ids of foreign keys by names: "Novel" for genre 5, and "#5" if it was deleted."""
    wanted: dict[tuple[str, str], set[str]] = {}
    for row in rows:
        for name, pair in row.fields.items():
            if is_key(row.kind, name):
                wanted.setdefault((row.kind, name), set()).update(value for value in pair if value.isdigit())
    names: dict[tuple[str, str], dict[str, str]] = {}
    for (kind, name), ids in wanted.items():
        target: Any = apps.get_model(kind)._meta.get_field(name).related_model
        found = target._default_manager.in_bulk([int(value) for value in ids])
        names[kind, name] = {str(pk): str(found_row)[:MAX_NAME] for pk, found_row in found.items()}
    for row in rows:
        for name, pair in row.fields.items():
            if (row.kind, name) in names:
                known = names[row.kind, name]
                row.fields[name] = [known.get(value, f"#{value}" if value else "") for value in pair]


@cache
def is_key(kind: str, name: str) -> bool:
    """Whether a field of a model is a foreign key. Cached: an import asks for each field of each book."""
    try:
        return bool(apps.get_model(kind)._meta.get_field(name).many_to_one)
    except FieldDoesNotExist:  # a name that exists only in the history
        return False
