"""Steady writes while backends, the whole PostgreSQL and workers are killed: what was acknowledged stays."""

import contextlib
import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from scripts.postgres import PostgresError
from torture.stage import Server, Stage, children_of
from torture.wire import Answer, Wire, percentile

WRITERS = 6
BOOKS_EACH = 3
BACK_WITHIN = 3.0  # seconds after the database took connections again
AWAY_WITHIN = 2.0  # seconds in which somebody is told that it is away; and what a loaded machine adds
SLACK = 0.5
# Granian gives up when a worker dies within seconds of its start, so workers are killed no faster than this.
BETWEEN_WORKERS = 7.0


class Writer:
    """A customer who never stops changing a cart, and knows what each line may be.

    That is one state, or two when no answer came. A state is a quantity, or 0 for no line.
    """

    def __init__(self, port: int, token: str, books: list[int], seed: int) -> None:
        self.wire, self.token = Wire(port), token
        self.chance = random.Random(seed)
        self.possible: dict[int, set[int]] = {book: {0} for book in books}
        self.line: dict[int, int] = {}
        self.statuses: Counter[int] = Counter()
        self.slowest_refusal = 0.0
        self.bad: list[str] = []
        self.last_success = 0.0
        self.acknowledged = self.lost = 0

    def ask(self, method: str, path: str, body: Any = None) -> Answer:
        answer = self.wire(method, path, body, self.token)
        self.statuses[answer.status] += 1
        if answer.status == 503:
            self.slowest_refusal = max(self.slowest_refusal, answer.seconds)
            if not answer.headers.get("retry-after"):
                self.bad.append("503 without Retry-After")
        elif answer.status >= 500:
            self.bad.append(f"{answer.status} {answer.body}")
        if 200 <= answer.status < 500:
            self.last_success = time.monotonic()
        return answer

    def settle(self) -> bool:
        """Reads the cart and compares: False when it cannot be read now, which says nothing."""
        answer = self.ask("GET", "/cart")
        if answer.status != 200:
            return False
        found = {item["book_id"]: item for item in answer.body["items"]}
        for book, states in self.possible.items():
            now = found[book]["quantity"] if book in found else 0
            if now not in states:
                self.lost += 1
                self.bad.append(f"book {book} is {now}, and was acknowledged as {sorted(states)}")
            self.possible[book] = {now}
            if book in found:
                self.line[book] = found[book]["id"]
        return True

    def step(self) -> None:
        book = self.chance.choice(list(self.possible))
        if len(self.possible[book]) > 1:
            if not self.settle():
                time.sleep(0.05)
            return
        [now] = self.possible[book]
        wanted = self.chance.randint(1, 999)
        if not now:
            answer = self.ask("POST", "/cart/items", {"book_id": book, "quantity": wanted})
        elif self.chance.random() < 0.6:
            answer = self.ask("PUT", f"/cart/items/{self.line[book]}", {"quantity": wanted})
        else:
            wanted = 0
            answer = self.ask("DELETE", f"/cart/items/{self.line[book]}")
        if answer.status in {200, 201, 204}:
            self.acknowledged += 1
            self.possible[book] = {wanted}
            if answer.status == 201:
                self.line[book] = answer.body["id"]
        elif answer.status in {0, 503}:
            self.possible[book] = {now, wanted}  # nobody knows
            time.sleep(0.02)
        else:
            self.bad.append(f"{answer.status} {answer.body}")

    def run(self, over: threading.Event) -> None:
        while not over.is_set():
            self.step()


def kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def kill_a_backend(stage: Stage, server: Server) -> float:
    """PostgreSQL ends all other backends then, recovers, and takes connections again."""
    import psycopg

    with psycopg.connect(stage.cluster.url, autocommit=True) as connection:
        query = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        pids = [row[0] for row in connection.execute(query)]
    kill(random.choice(pids))
    time.sleep(0.05)
    return database_is_back(stage)


def kill_the_database(stage: Stage, server: Server) -> float:
    """kill -9 of the postmaster and of everything that it started; then as an init system would start it again."""
    cluster = stage.cluster
    assert cluster.pid
    for pid in [cluster.pid, *children_of(cluster.pid)]:
        kill(pid)
    process, cluster._process = cluster._process, None
    assert process
    process.wait()
    time.sleep(random.uniform(0.3, 1.5))
    for _ in range(20):
        said = cluster._launch()  # not start(): that takes another port
        if not said:
            return database_is_back(stage)
        time.sleep(0.2)  # its shared memory is still there for a moment
    raise PostgresError(said)


def kill_a_worker(stage: Stage, server: Server) -> float:
    kill(random.choice(server.workers()))
    return time.monotonic()


def database_is_back(stage: Stage) -> float:
    import psycopg

    while True:
        with contextlib.suppress(psycopg.OperationalError), psycopg.connect(stage.cluster.url, connect_timeout=2):
            return time.monotonic()
        time.sleep(0.01)


def crashes(stage: Stage) -> None:
    """0 acknowledged writes lost; while the database is away only 503; service again within 3 s, without a restart."""
    from django.db import connections

    total = stage.options.crashes
    kinds: list[tuple[str, Callable[[Stage, Server], float]]] = [
        ("backend", kill_a_backend),
        ("database", kill_the_database),
        ("worker", kill_a_worker),
    ]
    books = [book.pk for book in stage.books(BOOKS_EACH)]
    people = stage.customers(WRITERS)
    connections.close_all()
    done: Counter[str] = Counter()
    back: dict[str, list[float]] = {name: [] for name, _ in kinds}
    with stage.server() as server:
        writers = [Writer(server.port, token, books, seed) for seed, (_, token) in enumerate(people)]
        over = threading.Event()
        threads = [threading.Thread(target=writer.run, args=(over,)) for writer in writers]
        for thread in threads:
            thread.start()
        last_worker = 0.0
        try:
            for number in range(total):
                name, crash = kinds[number % 3]
                if name == "worker":
                    time.sleep(max(0.0, last_worker + BETWEEN_WORKERS - time.monotonic()))
                    last_worker = time.monotonic()
                time.sleep(random.uniform(0.3, 0.8))
                since = crash(stage, server)
                deadline = time.monotonic() + 15
                while min(writer.last_success for writer in writers) < since and time.monotonic() < deadline:
                    time.sleep(0.01)
                back[name].append(min(writer.last_success for writer in writers) - since)
                if back[name][-1] < 0:
                    back[name][-1] = 15.0
                done[name] += 1
        finally:
            over.set()
            for thread in threads:
                thread.join(30)
        for writer in writers:
            for _ in range(50):
                if writer.settle():
                    break
                time.sleep(0.2)
            else:
                writer.bad.append("the cart could not be read at the end")
        alive = server.process.poll() is None
    statuses = sum((writer.statuses for writer in writers), Counter[int]())
    bad = [fault for writer in writers for fault in writer.bad]
    lost = sum(writer.lost for writer in writers)
    acknowledged = sum(writer.acknowledged for writer in writers)
    refusal = max(writer.slowest_refusal for writer in writers)
    kills = ", ".join(f"{count} × {name}" for name, count in done.items())
    stage.report(
        "crashes: acknowledged writes",
        f"{kills}; {acknowledged} acknowledged, {lost} lost; answers {dict(sorted(statuses.items()))}"
        + (f"; first fault: {bad[0]}" if bad else ""),
        not lost and not bad and acknowledged > total,
    )
    stage.report("crashes: slowest 503", f"{refusal:.2f} s", refusal <= AWAY_WITHIN + SLACK)
    for name, times in back.items():
        if times:
            figures = (
                f"every client served again after {percentile(times, 0.5):.2f} s (median), {max(times):.2f} s (worst)"
            )
            stage.report(f"crashes: back after a {name}'s death", figures, max(times) <= BACK_WITHIN and alive)
