"""Operations of every kind on the same books and carts, by customers and staff: no deadlock."""

import json
import os
import random
import subprocess
import sys
import time
from collections import Counter
from functools import partial

from proofs.stress.crowd import Crowd
from proofs.stress.staff import VISITORS
from proofs.stress.stage import Stage
from tests.support.client import PatientClient
from tests.support.server import ROOT

CLIENTS, BOOKS, LINES = 8, 60, 40  # LINES: of one merge, in any order
STAY = 4  # customers whom nobody deletes
START = 4.0  # seconds until the staff's process has begun its work


def deadlocks(stage: Stage) -> int:
    """So many were met in this PostgreSQL, also by what was tried again and then went well.

    A backend tells its own at its end at the latest, so all others must have ended: their server must be stopped.
    """
    import psycopg

    others = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
    from django.db import connections

    connections.close_all()
    deadline = time.monotonic() + 5
    with psycopg.connect(stage.cluster.url, autocommit=True) as connection:
        while connection.execute(others).fetchone() != (0,) and time.monotonic() < deadline:
            time.sleep(0.05)
        ((count,),) = connection.execute("SELECT sum(deadlocks)::int FROM pg_stat_database").fetchall()
    return int(count)


class Catalogue:
    """The ids of the books as far as a client knows: those that are deleted elsewhere it learns of by 404."""

    def __init__(self, stage: Stage) -> None:
        self.books = [book.pk for book in stage.books(BOOKS)]
        self.made = 0

    def change(self, wire: PatientClient, chance: random.Random, staff: str) -> int:
        """One thing that staff do by the API; its status."""
        book, number, kind = chance.choice(self.books), chance.randint(1, 9), chance.random()
        if kind < 0.4:
            return wire("PATCH", f"/books/{book}/stock", {"quantity": number - 1}, staff).status
        if kind < 0.6:
            return wire("PUT", f"/books/{book}", {"price": f"{number}.50"}, staff).status
        if kind < 0.75:
            return wire("DELETE", f"/books/{book}", None, staff).status
        self.made += 1
        title = f"Volume {book}.{chance.random()}"
        new = {"title": title, "author": "Jane Austen", "price": "9.50", "stock_quantity": 5}
        answer = wire("POST", "/books", new, staff)
        if answer.status == 201:
            self.books = [*self.books[-BOOKS * 2 :], answer.body["id"]]
        return answer.status


class Client:
    def __init__(self, tokens: list[str], staff: str, catalogue: Catalogue, seed: int) -> None:
        self.tokens, self.staff, self.catalogue = tokens, staff, catalogue
        self.chance = random.Random(seed)
        self.lines = [1]
        self.statuses: Counter[int] = Counter()

    def step(self, wire: PatientClient) -> int:
        chance = self.chance
        token, quantity, kind = chance.choice(self.tokens), chance.randint(1, 9), chance.random()
        books = self.catalogue.books
        if kind < 0.2:
            answer = wire("POST", "/cart/items", {"book_id": chance.choice(books), "quantity": quantity}, token)
            self.lines += [answer.body["id"]] if answer.status == 201 else []
        elif kind < 0.35:
            answer = wire("PUT", f"/cart/items/{chance.choice(self.lines[-20:])}", {"quantity": quantity}, token)
        elif kind < 0.45:
            answer = wire("DELETE", f"/cart/items/{chance.choice(self.lines[-20:])}", None, token)
        elif kind < 0.75:
            some = chance.sample(books, min(LINES, len(books)))
            entries = [{"book_id": book, "quantity": quantity} for book in some]
            answer = wire("POST", "/cart/merge", {"items": entries}, token)
            if answer.status == 200:
                self.lines += [item["id"] for item in answer.body["items"][-3:]]
        elif kind < 0.85:
            answer = wire("DELETE", "/cart/items", None, token)
        elif kind < 0.88:  # one who comes, and whom the staff delete
            email = f"{VISITORS}{chance.randrange(10**9)}@example.com"
            answer = wire("POST", "/auth/register", {"email": email, "password": "correct horse battery"})
            if answer.status == 201:
                self.tokens = [*self.tokens[:STAY], *self.tokens[STAY:][-2:], answer.body["access_token"]]
        else:
            return self.catalogue.change(wire, chance, self.staff)
        return answer.status

    def run(self, steps: int, wire: PatientClient) -> None:
        for _ in range(steps):
            self.statuses[self.step(wire)] += 1


def mixed(stage: Stage) -> None:
    """No deadlock over operations of every kind, of one book and of many, on the same books and carts."""
    total = stage.options.rounds * 10
    people, staff = stage.customers(STAY), stage.staff()
    catalogue, tokens = Catalogue(stage), [token for _, token in people]
    clients = [Client(list(tokens), staff, catalogue, seed) for seed in range(CLIENTS)]
    before = deadlocks(stage)
    environ = os.environ | {"DATABASE_URL": stage.cluster.url, **stage.environ}
    seconds = START + min(stage.options.seconds, 120)
    with stage.server() as server:
        office = subprocess.Popen(
            [sys.executable, "-m", "proofs.stress.staff", str(seconds)],
            cwd=ROOT,
            env=environ,
            stdout=subprocess.PIPE,
            text=True,
        )
        crowd = Crowd(server.port, CLIENTS)
        while office.poll() is None or sum(client.statuses.total() for client in clients) < total:
            crowd.together([partial(client.run, 25) for client in clients])
        crowd.close()
        said = office.communicate()[0]
    if office.returncode:
        raise RuntimeError("the staff's process ended with an error")
    work = json.loads(said)
    met = deadlocks(stage) - before
    statuses = sum((client.statuses for client in clients), Counter[int]())
    bad = {status: n for status, n in statuses.items() if status == 0 or status >= 500}
    done = sum(n for status, n in statuses.items() if 200 <= status < 300)
    errors = work["errors"]
    stage.report(
        "mixed operations",
        f"{statuses.total()} answers, {done} of them done, {bad or 'no'} 5xx; the staff: {work['done']}, "
        f"{len(errors)} errors{f' ({errors[0]})' if errors else ''}; {met} deadlocks",
        not met and not bad and not errors and done > statuses.total() / 3 and len(work["done"]) == 4,
    )
