"""Deletes tasks that ended long ago."""

from datetime import timedelta

from django.db.models import Q
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

DONE_DAYS, FAILED_DAYS = 7, 30


def prune(batch: int) -> int:
    """Deletes `batch` rows in each transaction. Returns how many in all."""
    now = timezone.now()
    old = DBTaskResult.objects.filter(
        Q(status="SUCCESSFUL", finished_at__lt=now - timedelta(days=DONE_DAYS))
        | Q(status="FAILED", finished_at__lt=now - timedelta(days=FAILED_DAYS))
    )
    total = 0
    while chosen := list(old.order_by("finished_at").values_list("pk", flat=True)[:batch]):
        deleted, _ = old.filter(pk__in=chosen).delete()
        total += deleted
    return total
