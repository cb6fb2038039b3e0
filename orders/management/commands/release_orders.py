"""Cancels the orders that were not paid in time, and gives their copies back."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils.timezone import now

from orders.cleaning import delete_old_keys
from orders.models import Order
from orders.releasing import Releasing

BATCH = 100  # orders, each in its own short transaction
UNPAID = "Orders that were not paid in time"


class Command(BaseCommand):
    help = """Cancels orders that were not paid within ORDER_HOLD_MINUTES; deletes Idempotency-Keys that are a day old.

One short transaction for each order, so it may run beside live traffic and may be interrupted. An order that is paid at
the same moment is left alone."""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="count them, change nothing")

    def handle(self, *args: Any, dry_run: bool, **options: Any) -> None:
        moment = now()
        if dry_run:
            self.stdout.write(f"{UNPAID}: {Order.objects.unpaid_since(moment).count()} would be cancelled.")
            return
        released = 0
        for count in Releasing().batches(moment, size=BATCH):
            released += count
            self.stdout.write(f"Orders cancelled so far: {released} …")
        delete_old_keys(moment, BATCH)
        self.stdout.write(self.style.SUCCESS(f"{UNPAID}: {released} cancelled."))
