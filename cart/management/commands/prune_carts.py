"""Deletes carts that nobody has changed for a long time."""

import re
from argparse import ArgumentParser, ArgumentTypeError, RawDescriptionHelpFormatter
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.timezone import now

from cart.cleaning import History
from cart.models import Cart

UNITS = {"d": "days", "h": "hours", "m": "minutes"}
BATCH = 500  # carts; one transaction takes some milliseconds


def age(text: str) -> timedelta:
    """Parses `90d`, `36h` or `30m` into a positive timedelta."""
    match = re.fullmatch(r"([1-9][0-9]{0,4})([dhm])", text, re.ASCII)
    if not match:
        raise ArgumentTypeError(f"{text!r} is not an age: write 90d for days, 36h for hours or 30m for minutes")
    return timedelta(**{UNITS[match[2]]: int(match[1])})


class Command(BaseCommand):
    help = """Deletes carts, with their lines, that nobody has changed for longer than an age.

Works in batches of one short transaction each, and leaves alone a cart that somebody is changing just now, so it may
run beside live traffic and may be interrupted: what is deleted stays deleted, and the next run goes on."""

    def create_parser(self, *args: Any, **options: Any) -> Any:
        return super().create_parser(*args, formatter_class=RawDescriptionHelpFormatter, **options)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--older-than", type=age, required=True, metavar="AGE", help="such as 90d, 36h or 30m")
        parser.add_argument("--dry-run", action="store_true", help="count them, delete nothing")
        parser.add_argument("--batch", type=int, default=BATCH, help=f"carts in one transaction (default {BATCH})")

    def handle(self, *args: Any, older_than: timedelta, dry_run: bool, batch: int, **options: Any) -> None:
        if batch < 1:
            raise CommandError("--batch is a number of carts, from 1.")
        moment = now() - older_than
        stale = Cart.objects.unchanged_since(moment)
        history = History("prune_carts", moment)
        since = history.since
        if dry_run:
            self.stdout.write(f"Carts {since}: {stale.count()} would be deleted.")
            return
        deleted = 0
        try:
            while count := Cart.objects.prune_batch(moment, size=batch, record=history.write):
                deleted += count
                self.stdout.write(f"Carts deleted so far: {deleted} …")
        except KeyboardInterrupt:
            self.stdout.write(self.style.WARNING(f"Interrupted, with {deleted} deleted; run it again to go on."))
            return
        self.stdout.write(self.style.SUCCESS(f"Carts {since}: {deleted} deleted."))
