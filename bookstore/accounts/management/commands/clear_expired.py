"""`manage.py clear_expired`: see its help."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from bookstore.accounts import cleaning as accounts
from bookstore.admin import cleaning as staff
from bookstore.tasks import cleaning as tasks

BATCH = 1000  # rows


class Command(BaseCommand):
    help = (
        "Delete what nobody can use any more: sessions whose refresh token has expired, counts of sign-in attempts "
        "whose window is over, and changes of an email that nobody confirmed; of the staff, expired sign-ins and "
        "history older than AUDIT_DAYS; background tasks that ended a week ago, or failed a month ago. Deletes in "
        "batches, each a short transaction of its own: safe beside live traffic, safe to interrupt, safe to run again. "
        "A part of `clean_up`, which does all that a shop needs once a day."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--batch", type=int, default=BATCH, metavar="ROWS", help="rows deleted at a time (1000)")

    def handle(self, *args: Any, batch: int, **options: Any) -> None:
        if batch < 1:
            raise CommandError("--batch is a number of rows, from 1.")
        for part in (accounts, staff, tasks):
            self.stdout.write(part.clean_up(batch))
