"""What `manage.py clean_up` deletes of carts: those that nobody has changed for CART_DAYS."""

from datetime import datetime, timedelta

from django.conf import settings
from django.utils.timezone import now

from bookstore.audit.actor import Actor
from bookstore.audit.models import AuditEvent
from bookstore.audit.recording import continue_event, deleted_as, record
from cart.models import Cart


class History:
    """The event of one run, created with the first batch. Has users by id, because an email would outlive the
    account."""

    def __init__(self, command: str, moment: datetime) -> None:
        self.command = command
        self.since = f"not changed since {moment:%Y-%m-%d %H:%M} UTC"
        self.event: AuditEvent | None = None

    def write(self, carts: list[Cart]) -> None:
        """In the transaction of the batch, which may be rolled back and run again, and with it the event."""
        changes = [deleted_as(cart, f"Cart of user {cart.user_id}") for cart in carts]
        if self.event is None or not AuditEvent.objects.filter(pk=self.event.pk).exists():
            self.event = record(Actor.of_command(self.command), f"Deleted carts {self.since}.", changes)
        else:
            continue_event(self.event, changes)


def clean_up(batch: int) -> str:
    if not settings.CART_DAYS:
        return "CART_DAYS is 0: no cart is deleted."
    moment, deleted = now() - timedelta(days=settings.CART_DAYS), 0
    history = History("clean_up", moment)
    while count := Cart.objects.prune_batch(moment, size=batch, record=history.write):
        deleted += count
    return f"Carts that nobody has changed for {settings.CART_DAYS} days: {deleted} deleted."
