"""The two tables of the history: an event is one act of one actor; its changes are the rows that it wrote."""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.db import models, transaction
from django.db.models.functions import Now

from bookstore.database.many_rows import insert_rows

BATCH = 500  # rows of one INSERT
MAX_NAME = 255  # characters
MAX_SUMMARY = 500


class Channel(models.TextChoices):
    """The interface by which a change was made."""

    ADMIN = "admin", "this site"
    API = "api", "the API"
    COMMAND = "command", "a command"
    OLD_LOG = "log", "the log before the history"


class Action(models.TextChoices):
    ADD = "add", "added"
    CHANGE = "change", "changed"
    DELETE = "delete", "deleted"


class AuditEventQuerySet(models.QuerySet["AuditEvent"]):
    def prune_batch(self, before: datetime, *, size: int) -> int:
        """Deletes the oldest events before this moment, with their changes. Returns how many events.

        Deletes whole events with about `size` changes together, at least one event. One transaction, four queries.
        """
        with transaction.atomic():
            oldest = self.filter(at__lt=before).order_by("at", "pk").select_for_update(skip_locked=True)
            chosen: list[int] = []
            changes = 0
            for pk, number in oldest.values_list("pk", "number_of_changes")[:size]:
                if chosen and changes + number > size:
                    break
                chosen.append(pk)
                changes += number
            AuditChange.objects.filter(event__in=chosen)._raw_delete(self.db)
            self.filter(pk__in=chosen)._raw_delete(self.db)
        return len(chosen)

    prune_batch.alters_data = True  # type: ignore[attr-defined]  # Django's mark for templates


class AuditEvent(models.Model):
    """One act: saving a page, an action on many books, a call of the API, an import.

    Has the actor's email at that time and id, without a foreign key, so that deleting a member of staff deletes no
    events.
    """

    at = models.DateTimeField("when", db_default=Now(), editable=False)
    actor = models.CharField("who", max_length=MAX_NAME, editable=False)
    actor_id = models.BigIntegerField(null=True, editable=False)  # null: a command
    channel = models.CharField("by", max_length=10, choices=Channel.choices, editable=False)
    address = models.CharField("from", max_length=64, editable=False)
    kind = models.CharField("about", max_length=60, editable=False)  # of its first change
    summary = models.CharField("what", max_length=MAX_SUMMARY, editable=False)
    number_of_changes = models.IntegerField("changes", editable=False)

    objects = AuditEventQuerySet.as_manager()

    class Meta:
        db_table = "audit_events"
        verbose_name = "event"
        default_permissions = ("view",)
        indexes = (
            models.Index(fields=["at"], name="ix_audit_events_at"),
            models.Index(fields=["actor"], opclasses=["varchar_pattern_ops"], name="ix_audit_events_actor"),
            models.Index(fields=["kind", "id"], name="ix_audit_events_kind"),
        )

    def __str__(self) -> str:
        return self.summary


@lru_cache(1_000)  # an export asks for each field of each change
def label_of(kind: str, name: str) -> str:
    """The label of a field: "on sale" for a book's `is_active`. The name itself if no model has the field (any
    more)."""
    try:
        return str(apps.get_model(kind)._meta.get_field(name).verbose_name)
    except (LookupError, ValueError, FieldDoesNotExist, AttributeError):
        return name


class AuditChangeQuerySet(models.QuerySet["AuditChange"]):
    def of(self, row: models.Model) -> "AuditChangeQuerySet":
        """The changes of one object, newest first."""
        return self.of_object(row._meta.label_lower, row.pk)

    def of_object(self, kind: str, object_id: int) -> "AuditChangeQuerySet":
        return self.filter(kind=kind, object_id=object_id).select_related("event").order_by("-id")

    def write(self, changes: Sequence["AuditChange"], event: AuditEvent) -> None:
        """INSERT of new changes of an event; they get no id. One query for each BATCH."""
        columns = [field for field in self.model._meta.concrete_fields if not field.primary_key]
        for change in changes:
            change.event = event
        for start in range(0, len(changes), BATCH):
            batch = changes[start : start + BATCH]
            insert_rows(
                self.model,
                [{str(field.column): getattr(change, field.attname) for field in columns} for change in batch],
            )

    write.alters_data = True  # type: ignore[attr-defined]  # Django's mark for templates


class AuditChange(models.Model):
    """The change of one object in one event. The object may be deleted."""

    event = models.ForeignKey(AuditEvent, models.CASCADE, related_name="changes", editable=False)
    kind = models.CharField(max_length=60, editable=False)  # "catalog.book": Django's label of the model
    object_id = models.BigIntegerField(editable=False)
    name = models.CharField(max_length=MAX_NAME, editable=False)
    name_folded = models.CharField(max_length=MAX_NAME, editable=False)  # lower case, for the search
    action = models.CharField(max_length=10, choices=Action.choices, editable=False)
    # {"price": ["9.50", "12.00"]}: old and new value as text; "" is no value.
    fields = models.JSONField(default=dict, editable=False)

    objects = AuditChangeQuerySet.as_manager()

    class Meta:
        db_table = "audit_changes"
        verbose_name = "change"
        default_permissions = ()
        indexes = (
            models.Index(fields=["kind", "object_id", "id"], name="ix_audit_changes_object"),
            models.Index(fields=["name_folded"], opclasses=["varchar_pattern_ops"], name="ix_audit_changes_name"),
        )

    def __str__(self) -> str:
        return f"{self.name} {self.get_action_display()}"

    @property
    def differences(self) -> list[tuple[str, str, str]]:
        """(field, from, to), for pages and files."""
        return [(label_of(self.kind, name), *pair) for name, pair in self.fields.items()]
