"""The process that runs background tasks beside the workers, restarted whenever it ends."""

import logging
import os
import subprocess
import sys
import threading
import time

METRICS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"  # metrics_files.VARIABLE, whose module takes room for the files of a worker

logger = logging.getLogger("_granian")  # whose lines are configured in the main process

# Seconds before a restart, doubled each time if it ended within LASTED seconds.
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
LASTED = 30.0
# Seconds that it has to end, after the workers of the server: it gives its task back at once.
TO_END = 1.5


class TaskProcess:
    """Runs `manage.py run_tasks`, from a thread of the main process."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[bytes] | None = None
        self.ending = threading.Event()
        self.mutex = threading.Lock()

    def start(self) -> None:
        threading.Thread(target=self.keep_running, name="tasks", daemon=True).start()

    def keep_running(self) -> None:
        pause = FIRST_PAUSE
        while True:
            with self.mutex:
                if self.ending.is_set():
                    return
                # Without close_fds it is posix_spawn, which has no pipe of its own to the new process: a worker that
                # the server forks at this moment would keep the pipe open, and this thread would wait for ever.
                self.process = subprocess.Popen(command_line(), close_fds=False, env=environment())  # noqa: S603  # our own code
            began = time.monotonic()
            code = self.process.wait()
            if self.ending.is_set():
                return
            pause = FIRST_PAUSE if time.monotonic() - began > LASTED else min(2 * pause, LONGEST_PAUSE)
            logger.error("The process of background tasks ended (exit code %s): again in %.0f s", code, pause)
            self.ending.wait(pause)

    def stop(self) -> None:
        """Tells it to end, without waiting: safe in a signal handler."""
        self.ending.set()
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()

    def wait(self) -> None:
        """Waits until it has ended, or kills it: its task then runs again in the next process."""
        with self.mutex:
            process = self.process
        if process is None:
            return
        self.stop()
        try:
            process.wait(TO_END)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


# First of all, the socket that the server listens on.
CLOSE_INHERITED = """
import os
os.closerange(3, os.sysconf("SC_OPEN_MAX"))
"""
RUN_TASKS = f"""{CLOSE_INHERITED}
from django.core.management import execute_from_command_line
execute_from_command_line(["manage.py", "run_tasks", "--skip-checks"])
"""


def environment() -> dict[str, str]:
    """Ours, without the folder of the workers' counters: this process counts nothing, and must not be in their sums."""
    return {name: value for name, value in os.environ.items() if name != METRICS_FOLDER}


def command_line() -> list[str]:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bookstore.settings")
    return [sys.executable, "-P", "-c", RUN_TASKS]
