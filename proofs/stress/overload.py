"""A locked table, ten times the sustainable load, two hundred clients that send a byte a second."""

import asyncio
import json
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from proofs.stress.crowd import percentile
from proofs.stress.stage import Stage
from tests.support.client import Answer, PatientClient
from tests.support.server import ROOT
from tools.nginx import find_nginx, nginx

ENDS_WITHIN = 6.0
HEALTH_WITHIN = 1.0
CLIENTS = 64
TIMES = 10
REALLY_SENT = 0.9  # of what was due: less is not ten times the load
MEASURED_FOR = 4.0  # seconds
SLOW_CLIENTS = 200
FLOODS = 2  # processes
OPEN_AT_ONCE = 900  # requests under way of each of them: what a process may open by default is 1,024


class Health:
    """Asks /health ten times a second, on a connection of its own each time, as a load balancer does."""

    def __init__(self, port: int) -> None:
        self.port, self.times, self.bad = port, [0.0][:0], 0
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self) -> None:
        while not self.over.wait(0.1):
            wire = PatientClient(self.port)
            answer = wire("GET", "/health")
            wire.close()
            self.times.append(answer.seconds)
            self.bad += answer.status != 200

    def __enter__(self) -> "Health":
        self.thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.over.set()
        self.thread.join()

    @property
    def words(self) -> str:
        return f"/health asked {len(self.times)} times, worst {max(self.times, default=0):.2f} s, {self.bad} bad"

    @property
    def good(self) -> bool:
        return bool(self.times) and not self.bad and max(self.times) <= HEALTH_WITHIN


def overload(stage: Stage) -> None:
    with stage.server() as server:
        locked_table(stage, server.port)
        ten_times(stage, server.port)
        crowd_of_readers(stage, server.port)


def locked_table(stage: Stage, port: int) -> None:
    """With a table locked, every read and every write of it ends in time and says 503; none hangs."""
    import psycopg

    people, [book] = stage.customers(CLIENTS), stage.books(1)
    answers: list[tuple[str, Answer]] = []
    over = threading.Event()

    def shop(token: str) -> None:
        wire = PatientClient(port)
        while not over.is_set():
            answers.append(("POST", wire("POST", "/cart/items", {"book_id": book.pk}, token)))
            answers.append(("GET", wire("GET", "/cart", None, token)))
            time.sleep(0.05)

    with ThreadPoolExecutor(CLIENTS) as pool, psycopg.connect(stage.cluster.url) as holder, Health(port) as health:
        holder.execute("LOCK TABLE cart_items IN ACCESS EXCLUSIVE MODE")
        for _, token in people:
            pool.submit(shop, token)
        time.sleep(stage.options.seconds)
        over.set()
        pool.shutdown(wait=True)
        holder.rollback()
    statuses = {
        method: Counter(answer.status for asked, answer in answers if asked == method) for method in ("POST", "GET")
    }
    worst = max(answer.seconds for _, answer in answers)
    bare = sum(bool(answer.status == 503 and not answer.headers.get("retry-after")) for _, answer in answers)
    after = PatientClient(port)("POST", "/cart/items", {"book_id": book.pk}, people[0][1])
    stage.report(
        f"a table locked for {stage.options.seconds:.0f} s",
        f"{len(answers)} requests of {CLIENTS} clients: "
        + ", ".join(f"{method} {dict(seen)}" for method, seen in statuses.items())
        + f", {bare} without Retry-After, worst {worst:.2f} s; {health.words}; {after.status} at once afterwards",
        worst <= ENDS_WITHIN
        and all(set(seen) == {503} for seen in statuses.values())
        and not bare
        and health.good
        and after.status in {201, 409},
    )


def sustainable(port: int, method: str, path: str, body: Any, token: str = "") -> float:
    """Requests a second that 16 clients get when each asks again as soon as it has its answer."""
    until = time.monotonic() + MEASURED_FOR

    def ask(_: int) -> int:
        wire, count = PatientClient(port), 0
        while time.monotonic() < until:
            count += wire(method, path, body, token).status == 200
        return count

    with ThreadPoolExecutor(16) as pool:
        return sum(pool.map(ask, range(16))) / MEASURED_FOR


def ten_times(stage: Stage, port: int) -> None:
    """Logins come ten times as fast as they can be answered, whether the last were answered or not.

    A login costs the server a hash of Argon2, and its client next to nothing: so this machine can send ten times as
    many as it can answer, which it cannot of anything cheaper.
    """
    body = {"email": "crowd@example.com", "password": "correct horse battery"}
    assert PatientClient(port)("POST", "/auth/register", body).status == 201
    rate = sustainable(port, "POST", "/auth/login", body)
    found = flooded(stage, port, rate * TIMES, "POST", "/auth/login", body)
    stage.report(
        f"ten times {rate:.0f} logins/s for {found.seconds:.0f} s",
        found.words,
        found.kept and found.sent >= REALLY_SENT * found.due,
    )


def crowd_of_readers(stage: Stage, port: int) -> None:
    """As many reads as this machine can send and still answer some, with 1,800 under way at once."""
    [(_, token)] = stage.customers(1)
    rate = sustainable(port, "GET", "/cart", None, token)
    found = flooded(stage, port, rate * TIMES, "GET", "/cart", None, token)
    stage.report(
        f"as many carts read as can be sent, where {rate:.0f}/s can be answered, for {found.seconds:.0f} s",
        found.words,
        found.kept and found.sent >= OPEN_AT_ONCE * FLOODS,
    )


@dataclass
class Flood:
    """What came of a steady rate of requests."""

    seconds: float
    due: int
    results: list[dict[str, Any]]
    health: Health

    @property
    def sent(self) -> int:
        return sum(result["sent"] for result in self.results)

    @property
    def worst(self) -> float:
        return max(float(result["worst"]) for result in self.results)

    @property
    def bare(self) -> int:
        """Answers of 503 that do not say when to come again."""
        return sum(result["bare"] for result in self.results)

    @property
    def statuses(self) -> Counter[str]:
        return sum((Counter(result["statuses"]) for result in self.results), Counter[str]())

    @property
    def words(self) -> str:
        return (
            f"{self.due} due, {self.sent} sent ({self.sent / self.seconds:.0f}/s), {self.due - self.sent} not sent: "
            f"{dict(self.statuses)}, {self.bare} without Retry-After, worst {self.worst:.2f} s; {self.health.words}"
        )

    @property
    def kept(self) -> bool:
        return (
            self.worst <= ENDS_WITHIN
            and set(self.statuses) <= {"200", "503"}
            and self.statuses["200"] > 0
            and not self.bare
            and self.statuses.total() == self.sent
            and self.health.good
        )


def flooded(stage: Stage, port: int, rate: float, method: str, path: str, body: Any, token: str = "") -> Flood:
    seconds = min(15.0, stage.options.seconds)
    content = "" if body is None else json.dumps(body)
    request = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    if content:
        request += f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n"
    if token:
        request += f"Authorization: Bearer {token}\r\n"
    command = [sys.executable, "-m", "proofs.stress.overload", str(port), str(rate / FLOODS), str(seconds)]
    with Health(port) as health:
        floods = [
            subprocess.Popen([*command, f"{request}\r\n{content}"], cwd=ROOT, stdout=subprocess.PIPE, text=True)
            for _ in range(FLOODS)
        ]
        results = [json.loads(flood.communicate(timeout=120)[0]) for flood in floods]
    return Flood(seconds, int(rate * seconds), results, health)


async def flood(port: int, rate: float, seconds: float, request: bytes) -> dict[str, object]:
    """Sends at a steady rate over as many connections as it takes; runs as a process of its own."""
    idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
    statuses: Counter[str] = Counter()
    worst, sent, bare = 0.0, 0, 0
    tasks: set[asyncio.Task[None]] = set()

    async def ask() -> None:
        nonlocal worst, bare
        begun = time.perf_counter()
        try:
            if idle:
                reader, writer = idle.pop()
            else:
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(request)
            head = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 20)).lower()
            status = head[9:12].decode()
            bare += status == "503" and b"\r\nretry-after: " not in head
            length = int(head.split(b"content-length:")[1].split(b"\r\n")[0])
            await reader.readexactly(length)
            idle.append((reader, writer))
        except (OSError, TimeoutError, asyncio.IncompleteReadError, IndexError) as error:
            status = type(error).__name__
        statuses[status] += 1
        worst = max(worst, time.perf_counter() - begun)

    started = time.perf_counter()
    while (now := time.perf_counter() - started) < seconds:
        due = int(now * rate) - sent
        for _ in range(min(due, 200, OPEN_AT_ONCE - len(tasks))):
            sent += 1
            task = asyncio.create_task(ask())
            tasks.add(task)
            task.add_done_callback(tasks.discard)
        await asyncio.sleep(0.002)
    while tasks:
        await asyncio.wait(tasks)
    return {"statuses": statuses, "worst": worst, "sent": sent, "bare": bare}


def slow(stage: Stage) -> None:
    """Two hundred sockets that send one byte a second: to the server itself, and to the nginx of compose.yaml."""
    [(_, token)] = stage.customers(1)
    with stage.server() as server:
        beside_slow_clients(stage, server.port, token, "server alone")
        if program := find_nginx():
            with nginx(program, server.port) as port:
                beside_slow_clients(stage, port, token, "behind deploy/nginx.conf")
        else:
            print("       not run: slow clients of nginx, because there is no nginx on PATH (Debian: nginx)")


def beside_slow_clients(stage: Stage, port: int, token: str, which: str) -> None:
    """A normal client while half of the slow ones send a header, and half a body."""
    seconds = min(20.0, stage.options.seconds)
    body = b'{"email": "slow@example.com", "password": "correct horse battery"}' + b" " * 500
    head = (
        f"POST /auth/login HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode()
    times: list[float] = []
    bad = 0
    sockets = [socket.create_connection(("127.0.0.1", port)) for _ in range(SLOW_CLIENTS)]
    for number, each in enumerate(sockets):
        if number % 2:
            each.sendall(head)
    over = threading.Event()

    def drip() -> None:
        position = 0
        while not over.wait(1):
            for number, each in enumerate(sockets):
                text = body if number % 2 else head
                try:
                    each.send(text[position : position + 1])
                except OSError:
                    continue  # the server has had enough of it: its right
            position += 1

    dripping = threading.Thread(target=drip)
    dripping.start()
    wire, until = PatientClient(port), time.monotonic() + seconds
    time.sleep(1)
    while time.monotonic() < until:
        answer = wire("GET", "/cart", None, token)
        times.append(answer.seconds)
        bad += answer.status != 200
        if len(times) % 10 == 0:
            wire.close()  # a new client has to be served, too
    over.set()
    dripping.join()
    for each in sockets:
        each.close()
    p99 = percentile(times, 0.99)
    stage.report(
        f"{SLOW_CLIENTS} slow clients, {which}",
        f"{len(times)} requests of a normal client in {seconds:.0f} s, p99 {p99 * 1000:.0f} ms, "
        f"worst {max(times):.2f} s, {bad} bad",
        p99 < 1 and not bad and len(times) > 50,
    )


if __name__ == "__main__":
    port, rate, seconds, request = sys.argv[1:]
    print(json.dumps(asyncio.run(flood(int(port), float(rate), float(seconds), request.encode()))))
