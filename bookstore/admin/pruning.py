"""Deletes old rows of the staff's site: expired sign-ins, and history older than AUDIT_DAYS."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session
from django.db.models import QuerySet
from django.utils.timezone import now

from bookstore.admin.models import BulkAction
from bookstore.audit.models import AuditEvent

ABANDONED = 7  # days


def prune(batch: int) -> tuple[int, int]:
    """Deletes in transactions of about `batch` rows, and returns how many sign-ins and how many events.

    Also empties Django's log: its rows were copied into the history, and nothing writes it any more.
    """
    before = now() - timedelta(days=settings.AUDIT_DAYS)
    sign_ins = sum(in_batches(Session.objects.filter(expire_date__lt=now()).order_by("expire_date"), batch))
    events = sum(in_batches(LogEntry.objects.filter(action_time__lt=before).order_by("pk"), batch))
    # Abandoned actions on many rows.
    BulkAction.objects.filter(created_at__lt=now() - timedelta(days=ABANDONED)).delete()
    while deleted := AuditEvent.objects.prune_batch(before, size=batch):
        events += deleted
    return sign_ins, events


def in_batches(rows: QuerySet[Any], batch: int) -> Iterator[int]:
    while chosen := list(rows.values_list("pk", flat=True)[:batch]):
        deleted, _ = rows.filter(pk__in=chosen).order_by().delete()
        yield deleted
