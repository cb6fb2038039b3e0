"""Steady writes while backends, PostgreSQL and workers are killed: acknowledged changes must stay."""

import contextlib
import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from proofs.stress.crowd import percentile
from proofs.stress.stage import Stage
from tests.support.client import Answer, PatientClient
from tests.support.processes import children_of
from tests.support.server import Server
from tools.postgres import PostgresError

WRITERS = 6
BOOKS_EACH = 3
BACK_WITHIN = 3.0  # seconds after the database took connections again
AWAY_WITHIN = 2.0  # seconds in which somebody is told that it is away
ENDS_WITHIN = 6.0  # seconds, whatever the answer is
# Which of the outages is the long one, and its seconds: connections time out, and pauses between attempts grow.
LONG_OUTAGE, LONG = 1, 10.0
# Seconds before and after a worker's kill in which its connections may end without an answer: a client learns of the
# end of an idle one from its next request.
AROUND_A_KILL = 1.0
# Granian gives up when a worker dies within seconds of its start, so workers are killed no faster than this.
BETWEEN_WORKERS = 7.0


@dataclass(frozen=True, slots=True)
class Crash:
    """Moments: of the kill; until which the database was certainly away; from which everything was there again."""

    killed: float
    away_until: float
    back: float


@dataclass(frozen=True, slots=True)
class Seen:
    """One answer, with the moment at which it was asked for. Status 0: none came."""

    asked: float
    seconds: float
    status: int

    @property
    def ended(self) -> float:
        return self.asked + self.seconds


class Writer:
    """A customer who never stops changing a cart, and knows what each line may be.

    That is one state, or two when no answer came. A state is a quantity, or 0 for no line.
    """

    def __init__(self, port: int, token: str, books: list[int], seed: int) -> None:
        self.wire, self.token = PatientClient(port), token
        self.chance = random.Random(seed)
        self.possible: dict[int, set[int]] = {book: {0} for book in books}
        self.line: dict[int, int] = {}
        self.answers: list[Seen] = []
        self.bad: list[str] = []
        self.last_success = 0.0
        self.acknowledged = self.lost = 0

    def ask(self, method: str, path: str, body: Any = None) -> Answer:
        asked = time.monotonic()
        answer = self.wire(method, path, body, self.token)
        self.answers.append(Seen(asked, answer.seconds, answer.status))
        if answer.status == 503:
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


class Clock:
    """How much too late this process itself wakes up: no more than that of a time measured here is its own doing."""

    def __init__(self) -> None:
        self.latest = 0.0

    def run(self, over: threading.Event) -> None:
        while not over.is_set():
            begun = time.perf_counter()
            time.sleep(0.01)
            self.latest = max(self.latest, time.perf_counter() - begun - 0.01)


def kill_a_backend(stage: Stage, server: Server, lasts: float) -> Crash:
    """PostgreSQL ends all other backends then, recovers, and takes connections again."""
    import psycopg

    with psycopg.connect(stage.cluster.url, autocommit=True) as connection:
        query = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        pids = [row[0] for row in connection.execute(query)]
    killed = time.monotonic()
    kill(random.choice(pids))
    time.sleep(0.05)
    return Crash(killed, killed, database_is_back(stage))


def kill_the_database(stage: Stage, server: Server, lasts: float) -> Crash:
    """kill -9 of the postmaster and of everything that it started; then as an init system would start it again."""
    cluster = stage.cluster
    assert cluster.pid
    for pid in [cluster.pid, *children_of(cluster.pid)]:
        kill(pid)
    process, cluster._process = cluster._process, None
    assert process
    process.wait()
    killed = time.monotonic()
    time.sleep(lasts)
    away_until = time.monotonic()
    for _ in range(20):
        said = cluster._launch()  # not start(): that takes another port
        if not said:
            return Crash(killed, away_until, database_is_back(stage))
        time.sleep(0.2)  # its shared memory is still there for a moment
    raise PostgresError(said)


def kill_a_worker(stage: Stage, server: Server, lasts: float) -> Crash:
    killed, worker = time.monotonic(), random.choice(server.workers())
    kill(worker)
    # It takes a while to die: until then it would be counted as one that the next crash has killed.
    while worker in server.workers():
        time.sleep(0.005)
    return Crash(killed, killed, time.monotonic())


def all_workers(stage: Stage, server: Server) -> set[int]:
    """Once the one that was killed has its successor."""
    deadline = time.monotonic() + 10
    while len(found := set(server.workers())) < stage.options.workers and time.monotonic() < deadline:
        time.sleep(0.05)
    return found


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
    kinds: list[tuple[str, Callable[[Stage, Server, float], Crash]]] = [
        ("backend", kill_a_backend),
        ("database", kill_the_database),
        ("worker", kill_a_worker),
    ]
    books = [book.pk for book in stage.books(BOOKS_EACH)]
    people = stage.customers(WRITERS)
    connections.close_all()
    done: dict[str, list[Crash]] = {name: [] for name, _ in kinds}
    back: dict[str, list[float]] = {name: [] for name, _ in kinds}
    replaced = 0  # workers that are others after a death of the database, or of a part of it
    clock = Clock()
    with stage.server() as server:
        writers = [Writer(server.port, token, books, seed) for seed, (_, token) in enumerate(people)]
        over = threading.Event()
        threads = [threading.Thread(target=run, args=(over,)) for run in (clock.run, *(each.run for each in writers))]
        for thread in threads:
            thread.start()
        last_worker = 0.0
        try:
            for number in range(total):
                name, crash = kinds[number % 3]
                if name == "worker":
                    time.sleep(max(0.0, last_worker + BETWEEN_WORKERS - time.monotonic()))
                    last_worker = time.monotonic()
                workers = all_workers(stage, server)
                time.sleep(random.uniform(0.3, 0.8))
                this = crash(stage, server, LONG if number == LONG_OUTAGE else random.uniform(0.3, 1.5))
                deadline = time.monotonic() + 15
                while min(writer.last_success for writer in writers) < this.back and time.monotonic() < deadline:
                    time.sleep(0.01)
                seconds = min(writer.last_success for writer in writers) - this.back
                back[name].append(seconds if seconds >= 0 else 15.0)
                done[name].append(this)
                if name != "worker":
                    replaced += len(workers - set(server.workers()))
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
    report(stage, writers, done)
    answers = [answer for writer in writers for answer in writer.answers]
    refusal = max((answer.seconds for answer in answers if answer.status == 503), default=0.0)
    slowest = max(answer.seconds for answer in answers)
    stage.report(
        "crashes: slowest 503, and slowest answer of all",
        f"{refusal:.2f} s and {slowest:.2f} s; this client itself was at most {clock.latest:.2f} s late",
        refusal <= AWAY_WITHIN and slowest <= ENDS_WITHIN,
    )
    stage.report("crashes: workers that had to be replaced when the database died", f"{replaced}", not replaced)
    for name, times in back.items():
        if times:
            figures = (
                f"every client served again after {percentile(times, 0.5):.2f} s (median), {max(times):.2f} s (worst)"
            )
            stage.report(f"crashes: back after a {name}'s death", figures, max(times) <= BACK_WITHIN and alive)


def report(stage: Stage, writers: list[Writer], done: dict[str, list[Crash]]) -> None:
    """What was lost, what was answered, and what was not."""
    answers = [answer for writer in writers for answer in writer.answers]
    bad = [fault for writer in writers for fault in writer.bad]
    lost = sum(writer.lost for writer in writers)
    acknowledged = sum(writer.acknowledged for writer in writers)
    kills = ", ".join(f"{len(crashes)} × {name}" for name, crashes in done.items())
    total = sum(map(len, done.values()))
    statuses = Counter(answer.status for answer in answers)
    stage.report(
        "crashes: acknowledged writes",
        f"{kills}; {acknowledged} acknowledged, {lost} lost; answers {dict(sorted(statuses.items()))}"
        + (f"; first fault: {bad[0]}" if bad else ""),
        not lost and not bad and acknowledged > total,
    )
    # Only a worker takes requests with it into its grave.
    unexplained = [
        answer
        for answer in answers
        if answer.status == 0
        and not any(
            answer.asked <= crash.killed + AROUND_A_KILL and answer.ended >= crash.killed - AROUND_A_KILL
            for crash in done["worker"]
        )
    ]
    stage.report(
        "crashes: requests without an answer",
        f"{statuses[0]}, {len(unexplained)} of them not around a worker's death",
        not unexplained,
    )
    outages = done["database"]
    while_away = Counter(
        answer.status
        for answer in answers
        for crash in outages
        if answer.asked > crash.killed and answer.ended < crash.away_until
    )
    longest = max((crash.away_until - crash.killed for crash in outages), default=0.0)
    stage.report(
        f"crashes: while the database is away, {longest:.0f} s at the longest",
        f"answers {dict(while_away)}",
        set(while_away) == ({503} if outages else set()),
    )
