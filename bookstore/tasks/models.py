"""Which processes run tasks, and when each was last heard of. The tasks themselves are django-tasks-db's."""

import os
import socket
from datetime import timedelta

from django.db import models
from django.db.models.functions import Now

# Seconds between two signs of life, and after which a silent process is taken for dead: a machine that swaps is silent
# for a while, too.
EVERY = 5
SILENT = 40


class TaskWorkerQuerySet(models.QuerySet["TaskWorker"]):
    def silent(self) -> "TaskWorkerQuerySet":
        return self.filter(seen_at__lt=Now() - timedelta(seconds=SILENT))


class TaskWorker(models.Model):
    """A process that runs tasks. Its row goes when it ends, or when another one has found it dead."""

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
        """Of a silent one nobody knows; of one on this machine the system does. Not for one of another host."""
        if self.host != socket.gethostname():
            return True
        try:
            os.kill(self.process, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            pass
        return True
