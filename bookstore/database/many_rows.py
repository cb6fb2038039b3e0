"""Inserts many rows by one INSERT … SELECT whose only parameter is a JSON document.

`bulk_create` prepares every value for itself, and psycopg escapes the quotation marks of a JSON text in an array one by
one: for a batch of an import that takes longer than the database needs to write the rows.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection, models


def insert_rows(
    model: type[models.Model], rows: Sequence[Mapping[str, Any]], *, ignore_conflicts: bool = False
) -> None:
    """Inserts rows, given as the values of JSON by column. All have the columns of the first. One query, or none.

    Calls no `save` and no `pre_save`, and returns no ids. `ignore_conflicts` leaves out rows that are there.
    """
    if not rows:
        return
    quoted = connection.ops.quote_name
    table, columns = quoted(model._meta.db_table), ", ".join(map(quoted, rows[0]))
    if connection.vendor == "postgresql":
        source = f"SELECT {columns} FROM jsonb_populate_recordset(NULL::{table}, %s::jsonb)"  # noqa: S608  # our names
    else:
        values = ", ".join(f"json_extract(value, '$.{name}')" for name in rows[0])
        source = f"SELECT {values} FROM json_each(%s) WHERE true"  # noqa: S608  # our names; without WHERE, ON is a join's
    conflict = " ON CONFLICT DO NOTHING" if ignore_conflicts else ""
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {table} ({columns}) {source}{conflict}", [json.dumps(rows)])
