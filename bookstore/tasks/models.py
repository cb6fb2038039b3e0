"""The processes that run tasks, and their heartbeats. The tasks are in the tables of django-tasks-db."""

import os
import socket
from datetime import timedelta

from django.db import models
from django.db.models.functions import Now

# Seconds between two heartbeats, and without a heartbeat until a process counts as dead: a machine that swaps misses
# some.
EVERY = 5
SILENT = 40


class TaskWorkerQuerySet(models.QuerySet["TaskWorker"]):
    def silent(self) -> "TaskWorkerQuerySet":
        return self.filter(seen_at__lt=Now() - timedelta(seconds=SILENT))


class TaskWorker(models.Model):
    """A process that runs tasks. The row is deleted when it ends, or by another one that found it dead."""

    id = models.CharField(primary_key=True, max_length=64)
    host = models.CharField(max_length=255)
    process = models.BigIntegerField()
    seen_at = models.DateTimeField(db_default=Now())

    objects = TaskWorkerQuerySet.as_manager()

    class Meta:
        db_table = "task_workers"

    def __str__(self) -> str:
        return f"{self.process} on {self.host}"

    def is_alive(self) -> bool:
        """Whether a silent process of this host still exists. True for one of another host, which cannot be checked."""
        if self.host != socket.gethostname():
            return True
        try:
            os.kill(self.process, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            pass
        return True
