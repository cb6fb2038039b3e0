"""What `manage.py clean_up` deletes of the staff: sign-ins that are over, and history older than AUDIT_DAYS."""

from datetime import timedelta

from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session
from django.utils.timezone import now

from bookstore.admin.models import BulkAction
from bookstore.audit.actor import Actor
from bookstore.audit.models import AuditEvent
from bookstore.audit.recording import record
from bookstore.database.deletion import delete_in_batches

ABANDONED = 7  # days


def clean_up(batch: int) -> str:
    """Deletes in transactions of about `batch` rows.

    Django's own log is emptied as well: what stood in it was copied into the history, and nothing writes it any more.
    """
    before = now() - timedelta(days=settings.AUDIT_DAYS)
    sign_ins = delete_in_batches(Session.objects.filter(expire_date__lt=now()).order_by("expire_date"), batch)
    events = delete_in_batches(LogEntry.objects.filter(action_time__lt=before).order_by("pk"), batch)
    abandoned = BulkAction.objects.filter(created_at__lt=now() - timedelta(days=ABANDONED))
    delete_in_batches(abandoned.order_by("created_at"), batch)  # previews of actions on many rows
    while deleted := AuditEvent.objects.prune_batch(before, size=batch):
        events += deleted
    if events:
        summary = f"Deleted the history older than {settings.AUDIT_DAYS} days (events: {events:,})."
        record(Actor.of_command("clean_up"), summary, [])
    return f"Expired sign-ins of staff: {sign_ins} deleted. Old events of their history: {events} deleted."
