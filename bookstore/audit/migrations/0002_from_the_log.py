"""Copies what Django's log has into the history, where deleting a member of staff does not delete it."""

import json

from django.conf import settings
from django.db import migrations

BATCH = 1000  # rows
ACTIONS = {1: "add", 2: "change", 3: "delete"}
WORDS = {1: "Added", 2: "Changed", 3: "Deleted"}


def summary_of(entry):
    try:
        parts = json.loads(entry.change_message or "[]")
        fields = [name for part in parts for name in part.get("changed", {}).get("fields", [])]
        said = f"{', '.join(fields)} of " if fields else ""
        return f"{WORDS[entry.action_flag]} {said}“{entry.object_repr}”."[:500]
    except (ValueError, AttributeError, TypeError):
        return f"“{entry.object_repr}”: {entry.change_message}"[:500]


def copy_log(apps, schema_editor):
    database = schema_editor.connection.alias
    LogEntry = apps.get_model("admin", "LogEntry")
    Event, Change = apps.get_model("audit", "AuditEvent"), apps.get_model("audit", "AuditChange")
    entries = LogEntry.objects.using(database).select_related("user", "content_type").order_by("pk")
    last = 0
    while batch := list(entries.filter(pk__gt=last)[:BATCH]):
        last = batch[-1].pk
        kept = [
            entry
            for entry in batch
            if entry.content_type and (entry.object_id or "").isdecimal() and len(entry.object_id) < 19
        ]
        kinds = [f"{entry.content_type.app_label}.{entry.content_type.model}"[:60] for entry in kept]
        events = [
            Event(
                at=entry.action_time,
                actor=entry.user.email[:255],
                actor_id=entry.user_id,
                channel="log",
                address="",
                kind=kind,
                summary=summary_of(entry),
                number_of_changes=1,
            )
            for entry, kind in zip(kept, kinds, strict=True)
        ]
        Event.objects.using(database).bulk_create(events)
        Change.objects.using(database).bulk_create(
            Change(
                event=event,
                kind=event.kind,
                object_id=int(entry.object_id),
                name=entry.object_repr[:255],
                name_folded=entry.object_repr.casefold()[:255],
                action=ACTIONS.get(entry.action_flag, "change"),
                fields={},
            )
            for entry, event in zip(kept, events, strict=True)
        )


def remove_copies(apps, schema_editor):
    """The log itself is still there."""
    database = schema_editor.connection.alias
    apps.get_model("audit", "AuditChange").objects.using(database).filter(event__channel="log").delete()
    apps.get_model("audit", "AuditEvent").objects.using(database).filter(channel="log").delete()


class Migration(migrations.Migration):
    dependencies = [
        ("audit", "0001_events"),
        ("admin", "0003_logentry_add_action_flag_choices"),
        ("contenttypes", "0002_remove_content_type_name"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [migrations.RunPython(copy_log, remove_copies)]
