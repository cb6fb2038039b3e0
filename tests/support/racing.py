"""Makes two callers race at a given point, each on its own connection, so that one try shows the race.

- `answer_beside(first, second)`: `second` waits for a lock of the open transaction of `first`.
- `meet(first, second, at=…)`: `second` runs just before `first` calls a named function, so that everything that `first`
  has read is outdated. For code that checks and then acts.

The code under test runs in threads of its own: use `@pytest.mark.django_db(transaction=True)`.
"""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event, current_thread
from typing import Any, TypeVar
from unittest import mock

from django.db import connection, transaction

R = TypeVar("R")
S = TypeVar("S")

WAIT = 60  # seconds, for what takes a fraction of one


def answer_beside(first: Callable[[], Any], second: Callable[[], R], then: Callable[[], Any] = bool) -> R:
    """Runs `second` after `first` and before its commit. Returns what `second` returns.

    `second` must wait for a lock of `first`. While it waits, the transaction of `first` runs `then`.
    """

    def on_its_own_connection() -> R:
        try:
            return second()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            first()
            answer = pool.submit(on_its_own_connection)
            deadline = time.monotonic() + WAIT
            while not somebody_waits():
                assert not answer.done(), "nobody waited"
                assert time.monotonic() < deadline
                time.sleep(0.01)
            then()
        return answer.result(timeout=WAIT)


def meet(first: Callable[[], R], second: Callable[[], S], *, at: tuple[object, str]) -> tuple[R, S]:
    """Runs `second` just before `first` calls `at`, an owner and an attribute of it. Returns what both return.

    If `second` waits for a lock of `first`, `first` continues, and `second` after it: the check was under the lock.
    Raises what either raised, and AssertionError if `first` never calls `at`.
    """
    owner, name = at
    original = getattr(owner, name)
    first_thread: list[Any] = []
    reached, go_on = Event(), Event()

    def stop_there(*args: Any, **options: Any) -> Any:
        if current_thread() in first_thread and not reached.is_set():
            reached.set()
            assert go_on.wait(WAIT), "the other caller never ended"
        return original(*args, **options)

    def on_its_own_connection(call: Callable[[], Any], *, is_first: bool) -> Any:
        if is_first:
            first_thread.append(current_thread())
        try:
            return call()
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool, mock.patch.object(owner, name, stop_there):
        answer_of_first = pool.submit(on_its_own_connection, first, is_first=True)
        deadline = time.monotonic() + WAIT
        while not reached.wait(0.01):
            assert not answer_of_first.done(), answer_of_first.exception() or f"nobody called {name}"
            assert time.monotonic() < deadline, f"nobody called {name}"
        try:
            answer_of_second = pool.submit(on_its_own_connection, second, is_first=False)
            while not answer_of_second.done() and not somebody_waits():
                assert time.monotonic() < deadline, "the second neither ended nor waited for a lock"
                time.sleep(0.01)
        finally:
            go_on.set()
        return answer_of_first.result(timeout=WAIT), answer_of_second.result(timeout=WAIT)


def somebody_waits() -> bool:
    """Whether a connection to this database waits for a lock of another."""
    if connection.vendor != "postgresql":
        return False
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")  # or the transaction sees old activity
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock')"
        )
        return bool(cursor.fetchone()[0])
