"""The model of actions on many rows."""

from uuid import uuid4

from django.db import models
from django.db.models.functions import Now


class BulkAction(models.Model):
    """An action on many rows: their ids, the fields that the preview showed, and the progress.

    It is stored so that preview and confirmation have the same rows, each request is short, and the page can be left
    and resumed.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    actor_id = models.BigIntegerField(editable=False)  # only the user who began it may continue it
    kind = models.CharField(max_length=60, editable=False)  # "catalog.book"
    verb = models.CharField(max_length=60, editable=False)
    parameters = models.JSONField(null=True, editable=False)  # null until its form is filled in
    rows = models.JSONField(editable=False)  # [[id, {field: text}], …]
    done = models.IntegerField(default=0, editable=False)  # rows
    changed = models.IntegerField(default=0, editable=False)
    skipped = models.JSONField(default=list, editable=False)  # [[name, reason], …], the first of them
    number_skipped = models.IntegerField(default=0, editable=False)
    event = models.ForeignKey("audit.AuditEvent", models.SET_NULL, null=True, related_name="+", editable=False)
    back = models.CharField(max_length=2000, default="", editable=False)  # the list's query string
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "staff_bulk_actions"
        default_permissions = ()
        indexes = (models.Index(fields=["created_at"], name="ix_staff_bulk_created_at"),)

    def __str__(self) -> str:
        return f"{self.verb}: {self.done} of {len(self.rows)}"

    @property
    def is_over(self) -> bool:
        return self.done >= len(self.rows)
