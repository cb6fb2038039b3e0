"""`manage.py copy_from_sqlite`: see its help."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections

from bookstore.database.moving import CannotCopy, copy_all
from bookstore.management.commands.migrate import in_one_line, past_the_pooler


class Command(BaseCommand):
    help = (
        "Move in: copy every row of an SQLite file into the PostgreSQL of DATABASE_URL (of DATABASE_DIRECT_URL, where "
        "it is set), as the owner of the tables. PostgreSQL is migrated and has no books and no accounts; the shop is "
        "stopped. Ids, passwords, carts, orders and sign-ins stay as they are. All or nothing: after an error run it "
        "again. The file is only read."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="the SQLite file, such as bookstore.sqlite3")

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        with past_the_pooler(DEFAULT_DB_ALIAS):
            target = connections[DEFAULT_DB_ALIAS]
            if target.vendor != "postgresql":
                raise CommandError("DATABASE_URL names SQLite: name the PostgreSQL that is to be filled.")
            try:
                copied = copy_all(file, target)
            except CannotCopy as error:
                raise CommandError(str(error)) from error
            except DatabaseError as error:
                known = in_one_line(error, target)
                if known is error:
                    known = CommandError(f"PostgreSQL refuses a row, and nothing was copied: {error}")
                raise known from error
        for table, rows in copied.items():
            self.stdout.write(f"{rows:>10,} {table}")
        self.stdout.write(self.style.SUCCESS(f"{sum(copied.values()):,} rows of {len(copied)} tables were copied."))
