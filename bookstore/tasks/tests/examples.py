"""Tasks for the tests. What they did is in their list, or in the files that they are given."""

import os
import signal
import time
from pathlib import Path

from bookstore.tasks import GiveUp, retried, task

done: list[str] = []


@task()
def greet(name: str) -> str:
    done.append(name)
    return f"Hello, {name}"


@task()
def fail(name: str) -> None:
    done.append(name)
    raise LookupError(f"nobody is called {name}")


@task()
@retried(10, *[60] * 7, 3600)
def fail_patiently(name: str) -> None:
    raise ConnectionError("the mail server is away")


@task()
def give_up() -> None:
    raise GiveUp("it would fail again")


@task()
def end_the_process() -> None:
    raise SystemExit(3)


@task()
def answer_what_is_no_json() -> object:
    return object()


@task()
def stop_in_the_middle() -> None:
    """As SIGTERM does, which comes while a task is run."""
    from bookstore.tasks.worker import Stopped

    done.append("begun")
    raise Stopped


@task()
def write_slowly(folder: str, seconds: float) -> None:
    """Two marks, the second some time after the first: a process that is killed between leaves one."""
    with Path(folder, "begun").open("a") as file:
        file.write("x")
    time.sleep(seconds if Path(folder, "begun").stat().st_size == 1 else 0)
    with Path(folder, "ended").open("a") as file:
        file.write("x")


@task()
def kill_its_process() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
