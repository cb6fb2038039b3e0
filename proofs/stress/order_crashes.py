"""Checkouts while workers and the whole PostgreSQL are killed: customers send again what was not answered, by the same
key, and at the end every acknowledged order is there once, with its copies."""

import itertools
import random
import threading
import time
from collections import Counter
from dataclasses import dataclass, field

from proofs.stress.crashes import BETWEEN_WORKERS, all_workers, kill_a_worker, kill_the_database
from proofs.stress.stage import Stage
from tests.support.client import Answer, PatientClient

BUYERS = 6
BOOKS, COPIES = 4, 1_000_000  # of each: nobody is refused for them
PAUSE = 0.05  # seconds before something is sent again
CANCELLED = 0.3  # of the orders


@dataclass
class Buyer:
    """Fills the cart, orders it with a new key, and repeats each call until it is answered."""

    wire: PatientClient
    token: str
    books: list[int]
    seed: int
    orders: dict[int, str] = field(default_factory=dict)  # acknowledged: its key
    cancelled: set[int] = field(default_factory=set)  # acknowledged
    statuses: Counter[int] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    repeated: int = 0  # calls that were sent again

    def until_answered(self, method: str, path: str, body: object, **headers: str) -> Answer:
        for again in itertools.count():
            answer = self.wire(method, path, body, self.token, **headers)
            self.statuses[answer.status] += 1
            if answer.status not in {0, 503}:
                return answer
            self.repeated += not again
            time.sleep(PAUSE)
        raise AssertionError("it is repeated until it is answered")

    def step(self, chance: random.Random, number: int) -> None:
        items = [{"book_id": book, "quantity": chance.randint(1, 3)} for book in chance.sample(self.books, 2)]
        self.until_answered("DELETE", "/cart/items", None)
        filled = self.until_answered("POST", "/cart/merge", {"items": items})
        key = f"{self.seed} {number}"
        ordered = self.until_answered("POST", "/orders/checkout", {"note": key}, **{"Idempotency-Key": key})
        if (filled.status, ordered.status) != (200, 201) or ordered.body["note"] != key:
            self.wrong.append(f"{filled.status}, then {ordered.status} {ordered.body}")
            return
        self.orders[ordered.body["id"]] = key
        if chance.random() < CANCELLED:
            answer = self.until_answered("POST", f"/orders/{ordered.body['id']}/cancel", None)
            if answer.status != 200 or answer.body["status"] != "cancelled":
                self.wrong.append(f"cancel: {answer.status} {answer.body}")
            self.cancelled.add(ordered.body["id"])

    def run(self, over: threading.Event) -> None:
        chance = random.Random(self.seed)
        for number in itertools.count():
            if over.is_set():
                return
            self.step(chance, number)


def order_crashes(stage: Stage) -> None:
    """0 acknowledged orders lost, 0 doubled, 0 copies missing, and nothing but 503 while something is away."""
    from django.db import connections

    books = stage.books(BOOKS, stock=COPIES)
    ids = [book.pk for book in books]
    people = stage.customers(BUYERS)
    connections.close_all()
    kills, chance = Counter[str](), random.Random(1)
    with stage.server() as server:
        buyers = [Buyer(PatientClient(server.port), token, ids, seed) for seed, (_, token) in enumerate(people)]
        over = threading.Event()
        threads = [threading.Thread(target=buyer.run, args=(over,)) for buyer in buyers]
        for thread in threads:
            thread.start()
        try:
            last_worker = 0.0
            for number in range(stage.options.crashes):
                kind = ("database", "worker")[number % 2]
                if kind == "worker":
                    time.sleep(max(0.0, last_worker + BETWEEN_WORKERS - time.monotonic()))
                    last_worker = time.monotonic()
                all_workers(stage, server)
                time.sleep(chance.uniform(0.2, 0.6))
                kill = kill_the_database if kind == "database" else kill_a_worker
                kill(stage, server, chance.uniform(0.1, 0.5))
                kills[kind] += 1
        finally:
            over.set()
            for thread in threads:
                thread.join(60)
        stuck = sum(thread.is_alive() for thread in threads)
    wrong = [fault for buyer in buyers for fault in buyer.wrong] + ended(buyers, ids)
    statuses = sum((buyer.statuses for buyer in buyers), Counter[int]())
    acknowledged = sum(len(buyer.orders) for buyer in buyers)
    stage.report(
        "orders: acknowledged and killed",
        f"{kills['database']} × database, {kills['worker']} × worker; {acknowledged} orders acknowledged, "
        f"{sum(len(buyer.cancelled) for buyer in buyers)} of them cancelled, "
        f"{sum(buyer.repeated for buyer in buyers)} calls sent again, {len(wrong)} wrong; "
        f"answers {dict(sorted(statuses.items()))}" + (f"; first: {wrong[0]}" if wrong else ""),
        not wrong and not stuck and acknowledged > kills.total(),
    )


def ended(buyers: list[Buyer], books: list[int]) -> list[str]:
    """What the tables say otherwise than the buyers were told."""
    from django.db.models import Count, Sum

    from catalog.models import Book
    from orders.models import Order, OrderItem

    wrong = []
    stored = dict(Order.objects.values_list("pk", "note"))
    cancelled = set(Order.objects.filter(status="cancelled").values_list("pk", flat=True))
    for buyer in buyers:
        wrong += [f"order {pk} is lost" for pk, key in buyer.orders.items() if stored.get(pk) != key]
        wrong += [f"order {pk} is not cancelled" for pk in buyer.cancelled - cancelled]
    twice = Order.objects.exclude(note="").values("note").annotate(number=Count("*")).filter(number__gt=1)
    wrong += [f"the key {row['note']} made {row['number']} orders" for row in twice]
    standing = OrderItem.objects.exclude(order__status="cancelled").values_list("book")
    ordered = dict(standing.annotate(copies=Sum("quantity")))
    for pk, stock in Book.objects.filter(pk__in=books).values_list("pk", "stock_quantity"):
        if stock + ordered.get(pk, 0) != COPIES:
            wrong.append(f"book {pk}: {COPIES - stock - ordered.get(pk, 0)} copies are missing")
    return wrong
