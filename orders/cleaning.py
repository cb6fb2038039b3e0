"""What `manage.py clean_up` does to orders: cancels unpaid ones, deletes Idempotency-Keys that are a day old."""

from datetime import datetime

from django.utils.timezone import now

from bookstore.database.deletion import delete_in_batches
from orders.models import KEPT, CheckoutKey
from orders.releasing import Releasing


def clean_up(batch: int) -> str:
    moment = now()
    cancelled = sum(Releasing().batches(moment, size=batch))
    keys = delete_old_keys(moment, batch)
    return f"Orders that were not paid in time: {cancelled} cancelled. Old Idempotency-Keys: {keys} deleted."


def delete_old_keys(moment: datetime, batch: int) -> int:
    old = CheckoutKey.objects.filter(created_at__lte=moment - KEPT)
    return delete_in_batches(old.order_by("created_at"), batch)
