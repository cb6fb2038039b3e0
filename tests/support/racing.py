"""Two connections to PostgreSQL, of which one waits for the other."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from django.db import connection, transaction

R = TypeVar("R")

WAIT = 10  # seconds, for what takes a fraction of one


def answer_beside(first: Callable[[], Any], second: Callable[[], R], then: Callable[[], Any] = bool) -> R:
    """What `second` answers when it comes after `first` is done and before that is committed.

    It must be one that waits for `first`. While it waits, the transaction of `first` does `then`.
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


def somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")
        return bool(cursor.fetchone()[0])
