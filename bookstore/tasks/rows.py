"""Tasks as rows, for a statement that inserts them beside its own: `enqueue` takes a round trip, and a quarter of the
CPU time of a checkout. PostgreSQL only. orders/tests/test_statements.py holds both to the same row.
"""

from typing import Any

from django.utils.timezone import now
from django_tasks_db.models import DBTaskResult, get_date_max

COLUMNS = {field.attname: str(field.column) for field in DBTaskResult._meta.concrete_fields}
NAMES = ", ".join(f'"{column}"' for column in COLUMNS.values())

# `%(tasks)s` is the JSON of a list of `row_of`.
INSERT = f"""
INSERT INTO {DBTaskResult._meta.db_table} ({NAMES})
SELECT {NAMES} FROM jsonb_populate_recordset(NULL::{DBTaskResult._meta.db_table}, %(tasks)s::jsonb)"""  # noqa: S608  # its own names


def row_of(task: Any, *arguments: int | str) -> dict[str, Any]:
    """The row that `task.enqueue(*arguments)` would insert, by column."""
    result: Any = DBTaskResult(
        enqueued_at=now(),
        args_kwargs={"args": list(arguments), "kwargs": {}},
        priority=task.priority,
        task_path=task.module_path,
        queue_name=task.queue_name,
        run_after=task.run_after or get_date_max(),
        backend_name=task.backend,
    )
    return {column: getattr(result, name) for name, column in COLUMNS.items()}
