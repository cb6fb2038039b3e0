"""What `manage.py clean_up` deletes of tasks: those that ended long ago."""

from datetime import timedelta

from django.db.models import Q
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from bookstore.database.deletion import delete_in_batches

DONE_DAYS, FAILED_DAYS = 7, 30


def clean_up(batch: int) -> str:
    now = timezone.now()
    old = DBTaskResult.objects.filter(
        Q(status="SUCCESSFUL", finished_at__lt=now - timedelta(days=DONE_DAYS))
        | Q(status="FAILED", finished_at__lt=now - timedelta(days=FAILED_DAYS))
    )
    return f"Background tasks that ended long ago: {delete_in_batches(old.order_by('finished_at'), batch)} deleted."
