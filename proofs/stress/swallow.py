"""A database that accepts data and does not answer: frozen, behind a frozen pooler, or behind a lost network."""

import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from proofs.stress.crowd import percentile
from proofs.stress.overload import ENDS_WITHIN, Health
from proofs.stress.stage import Stage
from tests.support import documented
from tests.support.client import PatientClient
from tests.support.processes import children_of
from tests.support.proxy import SwallowingProxy
from tests.support.server import ROOT
from tools.processes import free_port

CLIENTS = 32
BEFORE = 2.0  # seconds of ordinary service
BACK_WITHIN = 3.0
SECTION = "PgBouncer"


@dataclass
class Link:
    """A way to the database that can be frozen, and the settings of a server that takes it."""

    freeze: Callable[[], None]
    thaw: Callable[[], None]
    settings: dict[str, str] = field(default_factory=dict)


@dataclass
class Seen:
    """One answer, with the moment at which it was asked for."""

    asked: float
    seconds: float
    status: int
    retry_after: bool


class Shopper:
    """Reads and writes, one after the other; all of it asks the database."""

    def __init__(self, port: int, token: str, book: int) -> None:
        self.wire, self.answers = PatientClient(port), list[Seen]()
        self.calls = [
            lambda: self.wire("GET", "/cart", None, token),
            lambda: self.wire("POST", "/cart/items", {"book_id": book}, token),
            lambda: self.wire("GET", "/books?q=volume"),
            lambda: self.wire("GET", "/genres"),
            lambda: self.wire("DELETE", "/cart/items", None, token),
        ]

    def run(self, over: threading.Event) -> None:
        while not over.is_set():
            for call in self.calls:
                asked = time.monotonic()
                answer = call()
                self.answers.append(Seen(asked, answer.seconds, answer.status, "retry-after" in answer.headers))
                time.sleep(0.02)


@contextmanager
def network(stage: Stage) -> Iterator[Link]:
    target = urlsplit(stage.cluster.url)
    with SwallowingProxy("127.0.0.1", stage.cluster.port) as proxy:
        by_proxy = target._replace(netloc=target.netloc.replace(f":{target.port}", f":{proxy.port}"))
        yield Link(proxy.swallows.set, proxy.swallows.clear, {"DATABASE_URL": by_proxy.geturl()})


@contextmanager
def postgres(stage: Stage) -> Iterator[Link]:
    """Every process of it. The kernel goes on taking connections and bytes in its name."""
    master = stage.cluster.pid
    assert master

    def send(number: int) -> None:
        for pid in [master, *children_of(master)]:
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    try:
        yield Link(lambda: send(signal.SIGSTOP), lambda: send(signal.SIGCONT))
    finally:
        send(signal.SIGCONT)


@contextmanager
def pooler(stage: Stage) -> Iterator[Link]:
    """PgBouncer in transaction mode, with the settings that docs/running.md gives for it."""
    target, port = urlsplit(stage.cluster.url), free_port()
    with tempfile.TemporaryDirectory(prefix="bookstore-pgbouncer-") as name:
        folder, password = Path(name), secrets.token_urlsafe(16)
        (folder / "users").write_text(f'"{target.username}" "{password}"\n')
        database = f"postgres = host=127.0.0.1 port={target.port} user={target.username} password={target.password}"
        (folder / "pgbouncer.ini").write_text(
            # Where it stands and whom it knows is ours; all else is as it is written there.
            documented.block_of(ROOT, SECTION, "ini")
            .replace("bookstore = host=10.0.0.20 port=5432", database)
            .replace("/etc/pgbouncer/userlist.txt", str(folder / "users"))
            + f"listen_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n"
        )
        runner, as_user = stage.cluster._user, dict[str, Any]()  # PgBouncer, too, refuses to run as root
        if runner:
            as_user = {"user": runner.pw_uid, "group": runner.pw_gid, "extra_groups": []}
            for path in (folder, *folder.iterdir()):
                os.chown(path, runner.pw_uid, runner.pw_gid)
        process = subprocess.Popen(
            [shutil.which("pgbouncer") or "pgbouncer", str(folder / "pgbouncer.ini")],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            **as_user,
        )
        try:
            settings = documented.settings_of(ROOT, SECTION) | {
                "DATABASE_URL": f"postgresql://{target.username}:{password}@127.0.0.1:{port}/postgres",
                "DATABASE_DIRECT_URL": stage.cluster.url,
            }
            with role_with_timeouts(stage):
                yield Link(
                    lambda: process.send_signal(signal.SIGSTOP), lambda: process.send_signal(signal.SIGCONT), settings
                )
        finally:
            process.kill()
            process.wait()


@contextmanager
def role_with_timeouts(stage: Stage) -> Iterator[None]:
    """The role's own, which stand in for the settings where there is a pooler."""
    import psycopg

    user = urlsplit(stage.cluster.url).username or ""
    with psycopg.connect(stage.cluster.url, autocommit=True) as connection:
        connection.execute(documented.block_of(ROOT, SECTION, "sql").replace("bookstore_app", user).encode())
    try:
        yield
    finally:
        with psycopg.connect(stage.cluster.url, autocommit=True) as connection:
            connection.execute(f'ALTER ROLE "{user}" RESET ALL'.encode())


def swallow(stage: Stage) -> None:
    """Every request ends in time, with 503 and Retry-After; /health answers; service again after it, untouched."""
    ways: list[tuple[str, Callable[[Stage], AbstractContextManager[Link]]]] = [
        ("a network that swallows", network),
        ("a frozen PostgreSQL", postgres),
    ]
    if shutil.which("pgbouncer"):
        ways.append(("a frozen PgBouncer", pooler))
    else:
        print("       not run: a frozen PgBouncer, because there is no pgbouncer on PATH (Debian: pgbouncer)")
    for name, way in ways:
        with way(stage) as link, stage.server(**link.settings) as server:
            frozen(stage, name, link, server.port)


def frozen(stage: Stage, name: str, link: Link, port: int) -> None:
    lasts = max(8.0, min(20.0, stage.options.seconds))  # longer than any request may last
    book = stage.books(1)[0].pk
    shoppers = [Shopper(port, token, book) for _, token in stage.customers(CLIENTS)]
    over = threading.Event()
    threads = [threading.Thread(target=shopper.run, args=(over,)) for shopper in shoppers]
    with Health(port) as health:
        for thread in threads:
            thread.start()
        time.sleep(BEFORE)
        link.freeze()
        began = time.monotonic()
        time.sleep(lasts)
        thawed = time.monotonic()
        link.thaw()
        time.sleep(BACK_WITHIN + 3)
        over.set()
        for thread in threads:
            thread.join()
    answers = [answer for shopper in shoppers for answer in shopper.answers]
    during = [each for each in answers if each.asked > began and each.asked + each.seconds < thawed]
    statuses = Counter(each.status for each in during)
    bad = Counter(each.status for each in answers if each.status == 0 or each.status > 503 or each.status == 500)
    bare = sum(each.status == 503 and not each.retry_after for each in answers)
    worst = max(each.seconds for each in answers)
    back = [
        min((each.asked + each.seconds - thawed for each in served_after(shopper, thawed)), default=99.0)
        for shopper in shoppers
    ]
    stage.report(
        f"{name} for {lasts:.0f} s",
        f"{len(during)} answers meanwhile: {dict(statuses)}, worst {worst:.2f} s, {bare} without Retry-After, "
        f"{dict(bad) or 'no'} other 5xx; {health.words}; "
        f"served again after {percentile(back, 0.5):.2f} s (median), {max(back):.2f} s (worst)",
        worst <= ENDS_WITHIN
        and set(statuses) == {503}
        and not bad
        and not bare
        and health.good
        and max(back) <= BACK_WITHIN,
    )


def served_after(shopper: Shopper, moment: float) -> list[Seen]:
    return [each for each in shopper.answers if each.asked + each.seconds > moment and 200 <= each.status < 500]
