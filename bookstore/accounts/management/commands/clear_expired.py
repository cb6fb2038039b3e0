"""`manage.py clear_expired`: see its help."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import QuerySet

from bookstore.accounts.models import EmailChange, LoginSession, ThrottleWindow
from bookstore.admin.pruning import prune
from bookstore.audit.actor import Actor
from bookstore.audit.recording import record
from bookstore.tasks.pruning import prune as prune_tasks

BATCH = 1000  # rows


class Command(BaseCommand):
    help = (
        "Delete what nobody can use any more: sessions whose refresh token has expired, counts of sign-in attempts "
        "whose window is over, and changes of an email that nobody confirmed; of the staff, expired sign-ins and "
        "history older than AUDIT_DAYS; background tasks that ended a week ago, or failed a month ago. Deletes in "
        "batches, each a short transaction of its own: safe beside live traffic, safe to interrupt, safe to run "
        "again. Once a day is plenty; without it the tables only grow."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--batch", type=int, default=BATCH, metavar="ROWS", help="rows deleted at a time (1000)")

    def handle(self, *args: Any, batch: int, **options: Any) -> None:
        if batch < 1:
            raise CommandError("--batch is a number of rows, from 1.")
        sessions = delete_in_batches(LoginSession.objects.expired(), batch)
        windows = delete_in_batches(ThrottleWindow.objects.expired(), batch)
        self.stdout.write(f"Deleted {sessions} expired sessions and {windows} expired counts of attempts.")
        wishes = delete_in_batches(EmailChange.objects.outdated(), batch)
        self.stdout.write(f"Deleted {wishes} changes of an email that nobody confirmed in time.")
        sign_ins, events = prune(batch)
        if events:
            summary = f"Deleted {events:,} events of the history older than {settings.AUDIT_DAYS} days."
            record(Actor.of_command("clear_expired"), summary, [])
        self.stdout.write(f"Deleted {sign_ins} expired sign-ins of staff and {events} old events of their history.")
        self.stdout.write(f"Deleted {prune_tasks(batch)} background tasks that ended long ago.")


def delete_in_batches(expired: QuerySet[Any], batch: int) -> int:
    """Deletes the rows, except a window that began anew meanwhile. Returns how many."""
    total = 0
    while chosen := list(expired.order_by("pk").values_list("pk", flat=True)[:batch]):
        deleted, _ = expired.filter(pk__in=chosen).delete()
        total += deleted
    return total
