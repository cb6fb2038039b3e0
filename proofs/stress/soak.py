"""Memory, descriptors and threads of the workers under long mixed traffic: they rise, and then stay.

`make stress ARGS="soak --seconds 1800"`: half an hour of catalogue and carts, with mistyped searches, then pages of the
admin; with `--requests 1000000` instead, as long as these take. A worker may have 90 MB at the end of the first and 150
MB at the end of the second, and may not grow by more than GROWTH after WARM requests. 30 s, the usual length of a part,
are too short for that: the row says so, and holds only the limits.

With SERVE_PYTHON=<a virtual environment of requirements.txt>/bin/python the server has the packages of a deployment.
Beside the development packages it imports some of them, 7 MB: requests and pygments, which REST framework uses where it
finds them.
"""

import os
import random
import time
from pathlib import Path
from threading import Event, Thread
from typing import NamedTuple

from proofs.stress.stage import Options, Stage
from tests.support.client import PatientClient
from tests.support.server import Server

WARM = 50_000  # requests of all workers, after which nothing may grow
GROWTH = 2_000_000  # bytes: the allocator's pages come and go
OF_API, OF_ADMIN = 90_000_000, 150_000_000  # bytes of one worker
SAMPLES = 60
WORKERS = 2
CLIENTS = 8
CUSTOMERS = 5_000  # more than a worker keeps tokens of
# One letter wrong, two letters wrong, a word too many: all that corrects searches is imported.
MISTYPED = ("volmue", "vollumme", "jane+austin", "volume+austin+zzzzzz")


class Sample(NamedTuple):
    """The largest of the workers, and the requests that were answered by then."""

    requests: int
    memory: int  # bytes
    descriptors: int
    threads: int


def sample(server: Server, requests: int) -> Sample:
    workers = [Path(f"/proc/{worker}") for worker in server.workers()]
    memory = [int((worker / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") for worker in workers]
    descriptors = [len(list((worker / "fd").iterdir())) for worker in workers]
    threads = [len(list((worker / "task").iterdir())) for worker in workers]
    return Sample(requests, max(memory), max(descriptors), max(threads))


class Traffic:
    """Each client on a connection of its own, until `end`: reads and searches of the catalogue, changes of carts."""

    def __init__(self, port: int, tokens: list[str], books: list[int]) -> None:
        self.port, self.books = port, books
        self.answered = [0] * CLIENTS
        self.wrong: list[int] = []
        self.end = Event()
        self.threads = [Thread(target=self.run, args=(number, tokens[number::CLIENTS])) for number in range(CLIENTS)]

    def run(self, number: int, tokens: list[str]) -> None:
        chance, wire = random.Random(number), PatientClient(self.port)  # the same calls each time
        while not self.end.is_set():
            book = chance.choice(self.books)
            method, path, body = chance.choice(
                [
                    ("GET", f"/books?page={chance.randint(1, 5)}&sort=price", None),
                    ("GET", f"/books?q=volume+{chance.randint(1, 99)}", None),
                    ("GET", f"/books?q={chance.choice(MISTYPED)}", None),
                    ("GET", f"/books/{book}", None),
                    ("GET", "/genres", None),
                    ("GET", "/cart", None),
                    ("POST", "/cart/items", {"book_id": book, "quantity": 1}),
                    ("DELETE", "/cart/items", None),
                    ("POST", "/cart/items", {"book_id": "x"}),
                ]
            )
            status = wire(method, path, body, chance.choice(tokens)).status
            self.answered[number] += 1
            if status >= 500:
                self.wrong.append(status)
        wire.close()

    def progress(self, options: Options, begun: float) -> float:
        """From 0 to 1, which is the end: by `--requests`, else by `--seconds`."""
        if options.requests:
            return sum(self.answered) / options.requests
        return (time.monotonic() - begun) / options.seconds


def samples(server: Server, traffic: Traffic, options: Options) -> list[Sample]:
    """Taken at equal distances until the end, or until no client is left."""
    seen, begun = [], time.monotonic()
    for number in range(1, SAMPLES + 1):
        while traffic.progress(options, begun) < number / SAMPLES and any(map(Thread.is_alive, traffic.threads)):
            time.sleep(0.1)
        seen.append(sample(server, sum(traffic.answered)))
    return seen


def soak(stage: Stage) -> None:
    tokens = [token for _, token in stage.customers(CUSTOMERS)]
    books = [book.pk for book in stage.books(200, stock=1_000)]
    with stage.server(WORKERS=str(WORKERS)) as server:
        traffic = Traffic(server.port, tokens, books)
        for thread in traffic.threads:
            thread.start()
        begun = time.monotonic()
        seen = samples(server, traffic, stage.options)
        seconds = time.monotonic() - begun
        traffic.end.set()
        for thread in traffic.threads:
            thread.join()
        shown = use_the_admin(stage, server)
        after_admin = sample(server, seen[-1].requests)
    warm = [each for each in seen if each.requests >= WARM]
    last = seen[-1]
    grown = last.memory - min(warm[0].memory, last.memory) if warm else 0
    steady = not warm or (warm[0].descriptors, warm[0].threads) >= (last.descriptors - 4, last.threads - 1)
    growth = (
        f"{grown / 1e6:+.1f} MB since request {warm[0].requests:,}"
        if warm
        else f"fewer than {WARM:,} requests: no growth is told"
    )
    stage.report(
        f"soak: {last.requests:,} requests in {seconds:.0f} s",
        f"{last.memory / 1e6:.0f} MB a worker ({growth}), {last.descriptors} descriptors, {last.threads} threads, "
        f"{len(traffic.wrong)} 5xx; {after_admin.memory / 1e6:.0f} MB after {shown} pages of the admin",
        last.memory <= OF_API
        and after_admin.memory <= OF_ADMIN
        and grown <= GROWTH
        and steady
        and last.requests >= stage.options.requests
        and not traffic.wrong
        and shown > 100,
    )


def use_the_admin(stage: Stage, server: Server) -> int:
    """The overview, lists and searches of books and carts, by a member of staff, forty of each: how many were shown."""
    from django.test import Client

    user, _ = stage.customers(1, is_staff=True, is_superuser=True)[0]
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(user)
    cookie = f"sessionid={client.cookies['sessionid'].value}"
    lists = ("/admin/", "/admin/catalog/book/", "/admin/catalog/book/?q=volume", "/admin/cart/cart/")
    with PatientClient(server.port) as browser:
        return sum(browser("GET", path, cookie=cookie).status == 200 for path in lists * 40)
