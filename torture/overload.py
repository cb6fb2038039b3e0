"""A table that is locked, ten times the load that can be borne, two hundred clients that send a byte a second."""

import asyncio
import json
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from scripts.nginx import find_nginx, nginx
from torture.stage import ROOT, Stage
from torture.wire import Wire, percentile

ENDS_WITHIN = 6.0
HEALTH_WITHIN = 1.0
CLIENTS = 64
SLOW_CLIENTS = 200
OPEN_AT_ONCE = 900  # requests under way of each of two floods: what a process may open by default is 1,024


class Health:
    """Asks /health ten times a second, on a connection of its own each time, as a load balancer does."""

    def __init__(self, port: int) -> None:
        self.port, self.times, self.bad = port, [0.0][:0], 0
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self) -> None:
        while not self.over.wait(0.1):
            wire = Wire(self.port)
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


def locked_table(stage: Stage, port: int) -> None:
    """With a table locked, every request ends in time and says 503; none hangs."""
    import psycopg

    people, [book] = stage.customers(CLIENTS), stage.books(1)
    answers: list[tuple[int, float]] = []
    over = threading.Event()

    def shop(token: str) -> None:
        wire = Wire(port)
        while not over.is_set():
            answer = wire("POST", "/cart/items", {"book_id": book.pk}, token)
            answers.append((answer.status, answer.seconds))
            time.sleep(0.05)

    with ThreadPoolExecutor(CLIENTS) as pool, psycopg.connect(stage.cluster.url) as holder, Health(port) as health:
        holder.execute("LOCK TABLE cart_items IN ACCESS EXCLUSIVE MODE")
        for _, token in people:
            pool.submit(shop, token)
        time.sleep(stage.options.seconds)
        over.set()
        pool.shutdown(wait=True)
        holder.rollback()
    statuses = Counter(status for status, _ in answers)
    worst = max(seconds for _, seconds in answers)
    after = Wire(port)("POST", "/cart/items", {"book_id": book.pk}, people[0][1])
    stage.report(
        f"a table locked for {stage.options.seconds:.0f} s",
        f"{len(answers)} requests of {CLIENTS} clients: {dict(statuses)}, worst {worst:.2f} s; {health.words}; "
        f"{after.status} at once afterwards",
        worst <= ENDS_WITHIN and set(statuses) == {503} and health.good and after.status in {201, 409},
    )


def sustainable(port: int, token: str) -> float:
    """Requests a second that 16 clients get when each asks again as soon as it has its answer."""
    until = time.monotonic() + 4

    def ask(_: int) -> int:
        wire, count = Wire(port), 0
        while time.monotonic() < until:
            count += wire("GET", "/cart", None, token).status == 200
        return count

    with ThreadPoolExecutor(16) as pool:
        return sum(pool.map(ask, range(16))) / 4


def ten_times(stage: Stage, port: int) -> None:
    """Requests come ten times as fast as they can be answered, whether the last were answered or not."""
    [(_, token)] = stage.customers(1)
    rate = sustainable(port, token)
    wanted, seconds = rate * 10, min(15.0, stage.options.seconds)
    command = [sys.executable, "-m", "torture.overload", str(port), str(wanted / 2), str(seconds), token]
    with Health(port) as health:
        floods = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(2)]
        results = [json.loads(flood.communicate(timeout=120)[0]) for flood in floods]
    statuses: Counter[str] = Counter()
    for result in results:
        statuses.update(result["statuses"])
    worst = max(result["worst"] for result in results)
    sent = sum(result["sent"] for result in results)
    stage.report(
        f"ten times {rate:.0f} requests/s for {seconds:.0f} s",
        f"{sent} sent ({sent / seconds:.0f}/s): {dict(statuses)}, worst {worst:.2f} s; {health.words}",
        worst <= ENDS_WITHIN and set(statuses) <= {"200", "503"} and statuses["200"] > 0 and health.good,
    )


async def flood(port: int, rate: float, seconds: float, token: str) -> dict[str, object]:
    """Sends at a steady rate over as many connections as it takes; runs as a process of its own."""
    request = f"GET /cart HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
    idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
    statuses: Counter[str] = Counter()
    worst, sent = 0.0, 0
    tasks: set[asyncio.Task[None]] = set()

    async def ask() -> None:
        nonlocal worst
        begun = time.perf_counter()
        try:
            if idle:
                reader, writer = idle.pop()
            else:
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(request)
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 20)
            status = head[9:12].decode()
            length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
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
    return {"statuses": statuses, "worst": worst, "sent": sent}


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
    wire, until = Wire(port), time.monotonic() + seconds
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
    port, rate, seconds, token = sys.argv[1:]
    print(json.dumps(asyncio.run(flood(int(port), float(rate), float(seconds), token))))
