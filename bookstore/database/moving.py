"""Copies all rows of an SQLite file into an empty, migrated PostgreSQL. `manage.py copy_from_sqlite` calls it.

Table by table with COPY, in one transaction with deferred foreign keys. Django's `dumpdata` and `loaddata` fail at it:
their order breaks foreign keys, and rows that migrations have made conflict.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from django.apps import apps
from django.core.management.color import no_style
from django.db import connections
from django.db.migrations.recorder import MigrationRecorder
from django.db.models import Model

SOURCE = "sqlite_to_copy"  # alias
ROWS_AT_A_TIME = 2000


class CannotCopy(Exception):
    """Nothing was changed; the message says why."""


@contextmanager
def opened(file: Path) -> Iterator[Any]:
    """A connection that only reads the file. Raises CannotCopy when it is no database of this shop."""
    try:
        with file.open("rb") as opened_file:
            if opened_file.read(15) != b"SQLite format 3":
                raise CannotCopy(f"{file} is no SQLite database.")
    except OSError as error:
        raise CannotCopy(f"{file} cannot be read: {error.strerror}.") from error
    connections.settings[SOURCE] = connections.configure_settings(
        {
            "default": {},
            SOURCE: {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": f"file:{quote(str(file.absolute()))}?mode=ro",
                "OPTIONS": {"uri": True},
            },
        }
    )[SOURCE]
    try:
        yield connections[SOURCE]
    finally:
        connections[SOURCE].close()
        del connections[SOURCE]
        del connections.settings[SOURCE]


def tables() -> list[type[Model]]:
    """Every model with a table, those of many-to-many fields too."""
    models = apps.get_models(include_auto_created=True)
    return [model for model in models if model._meta.managed and not model._meta.proxy]


def copy_all(file: Path, target: Any) -> dict[str, int]:
    """Rows by table, for those that have some.

    Raises CannotCopy, or DatabaseError for a row that PostgreSQL refuses; then nothing is changed.
    """
    with opened(file) as source:
        check_same_migrations(source, target)
        # Its transaction has no statement_timeout.
        with target.schema_editor(), target.cursor() as cursor:
            check_empty(cursor)
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")
            with source.cursor() as reading:
                reading.execute("BEGIN")  # one state of the file
                filled = [model for model in tables() if has_rows(model, reading)]
                for model in filled:
                    cursor.execute(f'DELETE FROM "{model._meta.db_table}"')  # noqa: S608  # names of our models
                copied = {model._meta.db_table: copy(model, reading, cursor, target) for model in filled}
                reading.execute("ROLLBACK")
            for statement in target.ops.sequence_reset_sql(no_style(), tables()):
                cursor.execute(statement)
            # Here and not by COMMIT, so that a row with a broken foreign key is reported as any other error.
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        return copied


def has_rows(model: type[Model], reading: Any) -> bool:
    """In the file. A table without rows keeps those that migrations have made: SQLite has no stamp of the catalogue."""
    reading.execute(f'SELECT EXISTS (SELECT 1 FROM "{model._meta.db_table}")')  # noqa: S608  # names of our models
    return bool(reading.fetchone()[0])


def copy(model: type[Model], reading: Any, writing: Any, target: Any) -> int:
    """How many rows. Values go through the fields, which know both databases: JSON, UUIDs, times, decimals."""
    fields = [field for field in model._meta.local_concrete_fields if not field.generated]
    source = connections[SOURCE]
    columns = ", ".join(f'"{field.column}"' for field in fields)
    expressions = [field.get_col(model._meta.db_table) for field in fields]
    converters = [[*source.ops.get_db_converters(each), *each.get_db_converters(source)] for each in expressions]
    reading.execute(f'SELECT {columns} FROM "{model._meta.db_table}"')  # noqa: S608  # names of our models
    number = 0
    with target.wrap_database_errors, writing.copy(f'COPY "{model._meta.db_table}" ({columns}) FROM STDIN') as into:
        while rows := reading.fetchmany(ROWS_AT_A_TIME):
            for row in rows:
                values = []
                for value, field, expression, convert in zip(row, fields, expressions, converters, strict=True):
                    for converter in convert:
                        value = converter(value, expression, source)
                    values.append(field.get_db_prep_save(value, target))
                into.write_row(values)
            number += len(rows)
    return number


def check_same_migrations(source: Any, target: Any) -> None:
    here, there = (set(MigrationRecorder(each).applied_migrations()) for each in (source, target))
    if not here:
        raise CannotCopy("The file has no table of migrations: it is no database of this shop.")
    apart = sorted(
        f"{app}.{name}" for app, name in here ^ there if app in {config.label for config in apps.get_app_configs()}
    )
    if apart:
        raise CannotCopy(
            f"The two databases have different migrations ({', '.join(apart[:3])}): run `manage.py migrate` on both, "
            "with the same release."
        )


def check_empty(cursor: Any) -> None:
    """Books, customers and orders of another shop would be lost. Keeps others from writing until the end.

    What staff may see counts: other tables have rows that migrations made.
    """
    shown = [
        f'"{model._meta.db_table}"'
        for model in tables()
        if model._meta.default_permissions and not model.__module__.startswith("django.contrib.")
    ]
    cursor.execute(f"LOCK TABLE {', '.join(shown)} IN EXCLUSIVE MODE")
    for table in shown:
        cursor.execute(f"SELECT EXISTS (SELECT FROM {table})")  # noqa: S608  # names of our models
        if cursor.fetchone()[0]:
            raise CannotCopy(f"The PostgreSQL database has rows in {table}: only an empty one is filled.")
