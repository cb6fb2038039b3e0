"""Cancels orders that were not paid in time: by the task of each, `manage.py clean_up` and `release_orders`."""

from collections.abc import Iterator
from datetime import datetime

from django.db import transaction

from bookstore.audit.actor import Actor
from bookstore.audit.models import AuditEvent
from bookstore.audit.recording import changed, continue_event, record
from bookstore.database import retrying
from orders.exceptions import OrderNotCancellable
from orders.models import Order, Status

NAME = "release_orders"  # the actor in the history


class Releasing:
    """One run. All its cancellations are one event of the history."""

    def __init__(self) -> None:
        self.event: AuditEvent | None = None

    @retrying
    def release(self, order: Order) -> bool:
        """Cancels the order and records it in the history, in one transaction. False when it is no longer unpaid.

        Eleven queries.
        """
        event = self.event
        with transaction.atomic():
            try:
                if not order.cancel(by="system", reason="not paid in time", only=(Status.PLACED,)):
                    return False
            except OrderNotCancellable:
                return False
            changes = [changed(order, {"status": (Status.PLACED, Status.CANCELLED)})]
            if event is None:
                event = record(Actor.of_command(NAME), "Cancelled orders that were not paid in time.", changes)
            else:
                continue_event(event, changes)
        self.event = event
        return True

    def batches(self, moment: datetime, *, size: int) -> Iterator[int]:
        """Cancels the orders that had to be paid by `moment`, oldest first. Yields how many, after each `size`.

        Ends when none is left, not when it cancelled none: another run, or payments, may have taken all of a batch.
        """
        unpaid = Order.objects.unpaid_since(moment).order_by("expires_at", "pk")
        while orders := list(unpaid[:size]):
            yield sum(self.release(order) for order in orders)
