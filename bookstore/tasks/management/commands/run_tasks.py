"""`manage.py run_tasks`: see its help."""

from typing import Any

from django.core.management.base import BaseCommand

from bookstore.tasks.worker import Worker, main


class Command(BaseCommand):
    help = (
        "Run background tasks until SIGTERM or Ctrl-C: one after the other, beside those that other processes run. "
        "`manage.py serve` starts one of these (TASK_WORKERS); a unit of its own is for a host that serves nothing."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        main(Worker())
