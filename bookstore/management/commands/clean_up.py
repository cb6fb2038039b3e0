"""`manage.py clean_up`: see its help. Each app says in its `cleaning.py` what of its tables only grows."""

from argparse import ArgumentParser
from importlib import import_module
from typing import Any

from django.apps import apps
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from django.utils.module_loading import module_has_submodule

from bookstore.database import first_line
from bookstore.management.commands.serve import check_migrations

BATCH = 500  # rows: a transaction of some milliseconds


class Command(BaseCommand):
    help = (
        "Everything that keeps the tables from growing, once a day: cancels orders that were not paid in time; deletes "
        "carts that nobody has changed for CART_DAYS, expired sessions of customers and of staff, counts of attempts "
        "whose window is over, Idempotency-Keys of yesterday, files of old imports, background tasks that ended long "
        "ago, and history older than AUDIT_DAYS. Works in short transactions: safe beside live traffic, safe to "
        "interrupt, safe to run again. Exit code 1 when a part of it failed; the other parts are done all the same."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--batch", type=int, default=BATCH, metavar="ROWS", help=f"rows at a time ({BATCH})")

    def handle(self, *args: Any, batch: int, **options: Any) -> None:
        if batch < 1:
            raise CommandError("--batch is a number of rows, from 1.")
        check_migrations()
        failed = []
        for config in apps.get_app_configs():
            if not config.module or not module_has_submodule(config.module, "cleaning"):
                continue
            try:
                self.stdout.write(import_module(f"{config.name}.cleaning").clean_up(batch))
            except DatabaseError as error:
                failed.append(f"{config.label} ({first_line(error)})")
        if failed:
            raise CommandError(f"Not cleaned up: {', '.join(failed)}. Run it again later.")
