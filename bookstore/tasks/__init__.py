"""Work that outlasts a request, by Django's tasks: imports, mails, whatever an app decorates.

    from bookstore.tasks import task

    @task()
    def load(import_id: int) -> None: ...

    load.enqueue(import_id)

`enqueue` is one INSERT, and part of the caller's transaction: a task is run once that is committed, never otherwise.
`manage.py serve` runs the tasks in a process of its own (`bookstore/tasks/worker.py`), so a task is run at least once:
after its process was killed it begins again. It must be safe to repeat; a long one does its work in batches, each a
transaction that leaves a mark of how far it came. Arguments and result are JSON: ids, not objects.

A task that raises is run again, three times at most, after 10 s, a minute and ten. `GiveUp` fails it at once.
"""

from importlib.util import find_spec

if find_spec("django.tasks"):  # from Django 6.0 on
    from django.tasks import task
else:
    from django_tasks import task  # type: ignore[no-redef,unused-ignore]  # one of the two, by the version of Django

__all__ = ["GiveUp", "task"]


class GiveUp(Exception):
    """Raised by a task that would fail in the same way again."""
