"""The worker: runs tasks one after the other in a separate process, `manage.py run_tasks`, started by `serve`.

django-tasks-db has the table of tasks, and a worker that leaves a task RUNNING for ever if its process is killed (its
issue 46), and that never retries. This worker recovers and retries tasks: a task is READY until it is claimed, RUNNING
while its worker sends heartbeats, and READY again if the worker dies, so none is lost. Two workers run the same task
only if a process was suspended for more than SILENT seconds; the last one to claim it writes the result.
"""

import json
import logging
import os
import signal
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from traceback import format_exception
from types import FrameType
from typing import Any
from uuid import uuid4

from django.core.exceptions import SuspiciousOperation
from django.db import DatabaseError, InterfaceError, close_old_connections, connection, transaction
from django.db.models.functions import Now
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from bookstore.database import first_line
from bookstore.server.limits import SERVER_PID
from bookstore.tasks import AGAIN_AFTER, GiveUp
from bookstore.tasks.models import EVERY, TaskWorker

logger = logging.getLogger("bookstore.tasks")

POLL = 1.0  # seconds between two polls of the queue
RECOVER_EVERY = 15.0  # seconds

READY, RUNNING, FAILED, SUCCESSFUL = "READY", "RUNNING", "FAILED", "SUCCESSFUL"


class Stopped(BaseException):
    """Raised in the running task on SIGTERM: its transaction is rolled back, and it becomes READY again."""


class Worker:
    def __init__(self) -> None:
        self.id = uuid4().hex
        self.stopping = False

    def run(self) -> None:
        """Runs tasks until `stop`."""
        TaskWorker.objects.create(id=self.id, host=socket.gethostname()[:255], process=os.getpid())
        threading.Thread(target=self.give_signs_of_life, name="signs of life", daemon=True).start()
        recovered_at = -RECOVER_EVERY
        try:
            while not self.stopping:
                close_old_connections()
                try:
                    if time.monotonic() - recovered_at >= RECOVER_EVERY:
                        recover(self.id)
                        recovered_at = time.monotonic()
                    found = self.run_next()
                except (DatabaseError, InterfaceError) as error:
                    logger.warning("Tasks wait for the database: %s", first_line(error))
                    found = False
                if not found and not self.stopping:
                    time.sleep(POLL)
        except Stopped:
            pass
        finally:
            with suppress(DatabaseError):
                TaskWorker.objects.filter(pk=self.id).delete()

    def stop(self, number: int = 0, frame: FrameType | None = None) -> None:
        """Signal handler: ends the wait or the running task."""
        if not self.stopping:
            self.stopping = True
            raise Stopped

    def give_signs_of_life(self) -> None:
        """Heartbeats, in a thread with its own connection, until this process ends."""
        while not self.stopping:
            try:
                close_old_connections()
                mine = TaskWorker.objects.filter(pk=self.id)
                if not mine.update(seen_at=Now()) and not self.stopping:  # another worker found this one dead
                    TaskWorker.objects.create(id=self.id, host=socket.gethostname()[:255], process=os.getpid())
            except (DatabaseError, InterfaceError) as error:
                logger.warning("This task worker could not write its heartbeat: %s", first_line(error))
            time.sleep(EVERY)
        connection.close()

    def run_next(self) -> bool:
        """Claims and runs the next due task. False when there is none."""
        due = DBTaskResult.objects.ready()
        if not due.exists():  # without a lock: on SQLite the next statement takes the write lock
            return False
        with transaction.atomic():
            claimed = due.get_locked()
            if claimed is None:
                return False
            claimed.claim(self.id)
        run_claimed(claimed)
        return True


def run_claimed(claimed: DBTaskResult) -> None:
    try:
        value = claimed.task.call(*claimed.args_kwargs["args"], **claimed.args_kwargs["kwargs"])
        json.dumps(value)  # raises for a value that is not JSON, before a statement does
        finish(claimed, status=SUCCESSFUL, return_value=value, exception_class_path="", traceback="")
    except Stopped:
        if not connection.in_atomic_block:
            connection.close()  # a statement may be running
        finish(claimed, status=READY, worker_ids=claimed.worker_ids[:-1])
        raise
    except BaseException as error:
        fail(claimed, error)


def fail(claimed: DBTaskResult, error: BaseException) -> None:
    """Schedules a retry, or sets FAILED. For any exception, also SystemExit, or a result that is not JSON."""
    attempt, pauses = len(claimed.worker_ids), pauses_of(claimed)
    said = {
        "exception_class_path": f"{type(error).__module__}.{type(error).__qualname__}",
        "traceback": "".join(format_exception(error)),
    }
    if isinstance(error, GiveUp) or attempt > len(pauses):
        logger.error("Task %s failed for good (attempt %d)", claimed.task_name, attempt, exc_info=error)
        finish(claimed, status=FAILED, **said)
    else:
        seconds = pauses[attempt - 1]
        logger.warning(
            "Task %s failed (attempt %d): again in %d s", claimed.task_name, attempt, seconds, exc_info=error
        )
        finish(claimed, status=READY, run_after=timezone.now() + timedelta(seconds=seconds), **said)


def pauses_of(claimed: DBTaskResult) -> tuple[int, ...]:
    """The retry delays in seconds: the task's own (`@retried`), or AGAIN_AFTER, also if its function is gone."""
    try:
        pauses: tuple[int, ...] = getattr(claimed.task.func, "again_after", AGAIN_AFTER)
    except (ImportError, SuspiciousOperation):
        return AGAIN_AFTER
    return pauses


def most_claims(claimed: DBTaskResult) -> int:
    """The most claims of a task, for one that kills its process each time."""
    return 2 * (len(pauses_of(claimed)) + 1)


def finish(claimed: DBTaskResult, **values: Any) -> None:
    """Writes the end of a task, unless another worker has claimed it because this one was silent for too long."""
    if values["status"] != READY:
        values["finished_at"] = timezone.now()
    mine = DBTaskResult.objects.filter(pk=claimed.pk, status=RUNNING, started_at=claimed.started_at)
    if not mine.update(**values):
        logger.error("Task %s was taken over by another worker: this one was silent too long", claimed.task_name)


def recover(me: str = "") -> int:
    """Puts the tasks of dead workers back into the queue, and those of the worker `me`, which runs none now: the
    database was down when it tried to write their end. Returns how many.
    """
    silent = TaskWorker.objects.silent().values_list("pk", flat=True)
    dead = {worker.pk for worker in TaskWorker.objects.all() if not worker.is_alive()} | set(silent)
    alive = set(TaskWorker.objects.exclude(pk__in=dead).values_list("pk", flat=True)) - {me}
    recovered = 0
    for task in DBTaskResult.objects.running():
        if task.worker_ids[-1:] and task.worker_ids[-1] in alive:
            continue
        if len(task.worker_ids) >= most_claims(task):
            logger.error("Task %s ended its worker %d times: it failed for good", task.task_name, len(task.worker_ids))
            finish(task, status=FAILED, exception_class_path="", traceback="Its worker died each time it was run.")
        else:
            logger.warning("Task %s was left by a worker that died: it is run again", task.task_name)
            finish(task, status=READY)
        recovered += 1
    TaskWorker.objects.filter(pk__in=dead).delete()
    return recovered


def run_waiting(due: Callable[[], Any] = DBTaskResult.objects.ready) -> int:
    """Runs all due tasks in this process: for tests and shells. Returns how many."""
    worker, count = Worker(), 0
    while worker.run_next():
        count += 1
    return count


def main(worker: Worker) -> None:
    """Runs tasks until SIGTERM, Ctrl-C, or the end of the process that started this one."""
    # The parent's pid, from `serve`: if it ended during our start, getppid() would already return another one.
    parent = int(os.environ.get(SERVER_PID) or os.getppid())
    # With DEBUG Django keeps 9,000 statements for each request, which a task is not; an import's have a megabyte each.
    connection.queries_log = deque(maxlen=1)
    with suppress(Stopped):  # stopped before the first task
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, worker.stop)
        threading.Thread(target=end_with, args=[parent], name="parent", daemon=True).start()
        worker.run()


def end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    os.kill(os.getpid(), signal.SIGTERM)
