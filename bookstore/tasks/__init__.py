"""Background tasks by Django's task API, such as imports and mails.

    from bookstore.tasks import task

    @task()
    def load(import_id: int) -> None: ...

    load.enqueue(import_id)

`enqueue` is one INSERT in the caller's transaction: the task runs after the commit, and never after a rollback.
`manage.py serve` runs the tasks in a separate process (`bookstore/tasks/worker.py`). A task runs at least once: if its
process is killed, it starts again. So it must be safe to repeat; a long one works in batches, each a transaction that
also stores the progress. Arguments and result are JSON: ids, not objects.

A task that raises is retried three times at most, after 10 s, 1 and 10 minutes, or after the pauses of its `@retried`.
`GiveUp` fails it at once.
"""

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any, TypeVar

if find_spec("django.tasks"):  # from Django 6.0 on
    from django.tasks import task
else:
    from django_tasks import task  # type: ignore[no-redef,unused-ignore]  # one of the two, by the version of Django

__all__ = ["AGAIN_AFTER", "GiveUp", "retried", "task"]

# Retry delays in seconds of a task that raised; after the last one it is FAILED.
AGAIN_AFTER = (10, 60, 600)

Function = TypeVar("Function", bound=Callable[..., Any])


class GiveUp(Exception):
    """Raised by a task for which a retry is useless."""


def retried(*pauses: int) -> Callable[[Function], Function]:
    """Sets retry delays in seconds in place of AGAIN_AFTER, to outlast an outage of another server. Write it below
    `@task()`."""

    def mark(function: Function) -> Function:
        function.again_after = pauses  # type: ignore[attr-defined]  # a mark on a function
        return function

    return mark
