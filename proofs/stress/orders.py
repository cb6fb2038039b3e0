"""Checkouts of the same last copies, double clicks, cancellations, releases, payments and staff, all at once.

At every end each book's stock and the copies of its orders that stand are what was put in, and every order that was
acknowledged is there once.
"""

import itertools
import random
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

from proofs.stress.crowd import Crowd
from proofs.stress.stage import Stage
from tests.support.client import Answer, PatientClient

CUSTOMERS, BOOKS, COPIES = 12, 6, 4
CROWD = 8
REFUSED = {
    409: {"ORDER_INSUFFICIENT_STOCK", "ORDER_ITEMS_UNAVAILABLE", "ORDER_PRICE_CHANGED", "ORDER_NOT_CANCELLABLE"}
    | {"ORDER_NOT_PAYABLE", "CART_BOOK_OUT_OF_STOCK"},
    412: {"CART_CHANGED"},
    422: {"ORDER_CART_EMPTY"},
}

Call = Callable[[PatientClient], Answer]


class Market:
    def __init__(self, stage: Stage) -> None:
        self.books = stage.books(BOOKS, stock=COPIES)
        self.people = [token for _, token in stage.customers(CUSTOMERS)]
        self.staff = stage.staff()
        self.chance = random.Random(7)
        self.keys = itertools.count()
        self.orders: dict[int, str] = {}  # acknowledged: whose token
        self.wrong: list[str] = []
        self.statuses: Counter[int] = Counter()

    # --- one call each ---

    def fill(self, token: str) -> Call:
        chosen = self.chance.sample(self.books, 2)
        body = {"items": [{"book_id": book.pk, "quantity": self.chance.randint(1, 2)} for book in chosen]}

        def call(wire: PatientClient) -> Answer:
            wire("DELETE", "/cart/items", None, token)
            return wire("POST", "/cart/merge", body, token)

        return call

    def checkout(self, token: str, key: str = "") -> Call:
        """Of the cart as it was just read, or, for a double click, of whatever it is."""

        def call(wire: PatientClient) -> Answer:
            headers = (
                {"Idempotency-Key": key} if key else {"If-Match": wire("GET", "/cart", None, token).headers["etag"]}
            )
            answer = wire("POST", "/orders/checkout", {}, token, **headers)
            if answer.status == 201:
                self.orders[answer.body["id"]] = token
            return answer

        return call

    def of_order(self, verb: str) -> Call:
        if not self.orders:
            return self.fill(self.chance.choice(self.people))
        order_id, token = self.chance.choice(list(self.orders.items()))
        if verb == "paid":
            body = {"reference": f"pi_{self.chance.randint(1, 2)}"}
            return lambda wire: wire("POST", f"/orders/{order_id}/paid", body, self.staff)
        return lambda wire: wire("POST", f"/orders/{order_id}/cancel", None, token)

    def by_staff(self) -> Call:
        book = self.chance.choice(self.books)
        body = self.chance.choice(
            [{"price": f"{self.chance.randint(1, 99)}.50"}, {"is_active": False}, *[{"is_active": True}] * 4]
        )
        return lambda wire: wire("PUT", f"/books/{book.pk}", body, self.staff)

    def release(self) -> Call:
        """What the task does, in this process and on a connection of its own: any placed order's time is over."""

        def call(wire: PatientClient) -> Answer:
            from django.db import connection
            from django.utils.timezone import now

            from orders.releasing import Releasing

            try:
                next(Releasing().batches(now() + timedelta(days=1), size=1), None)
            finally:
                connection.close()
            return Answer(200, None)

        return call

    # --- one round ---

    def calls(self, buyers: list[str]) -> list[Call]:
        key = f"key-{next(self.keys)}"
        double = [self.checkout(buyers[0], key), self.checkout(buyers[0], key)]
        others = [self.checkout(token) for token in buyers[1:]]
        rest = [self.of_order("cancel"), self.of_order("paid"), self.by_staff()]
        rest.append(self.release() if self.chance.random() < 0.2 else self.of_order("cancel"))
        return [*double, *others, *rest][:CROWD]

    def round(self, crowd: Crowd) -> None:
        buyers = self.chance.sample(self.people, 3)
        crowd.together([self.fill(token) for token in buyers])
        calls = self.calls(buyers)
        answers = crowd.together(calls)
        self.statuses.update(answer.status for answer in answers)
        first, second = answers[:2]
        if first.status == second.status == 201 and first.body["id"] != second.body["id"]:
            self.wrong.append(f"a double click made the orders {first.body['id']} and {second.body['id']}")
        for answer in answers:
            if answer.status >= 400 and answer.code not in REFUSED.get(answer.status, set()):
                self.wrong.append(f"{answer.status} {answer.code}")
        self.balance()

    def balance(self) -> None:
        from django.db.models import Sum

        from catalog.models import Book
        from orders.models import Order, OrderItem

        standing = OrderItem.objects.exclude(order__status="cancelled").values("book").annotate(n=Sum("quantity"))
        ordered = {row["book"]: row["n"] for row in standing}
        for book_id, stock in Book.objects.filter(pk__in=[b.pk for b in self.books]).values_list(
            "pk", "stock_quantity"
        ):
            if stock + ordered.get(book_id, 0) != COPIES:
                self.wrong.append(f"book {book_id}: {stock} in stock and {ordered.get(book_id, 0)} ordered of {COPIES}")
        there = set(Order.objects.values_list("pk", flat=True))
        if there != self.orders.keys():
            self.wrong.append(f"acknowledged {sorted(self.orders.keys() - there)} are not there, or others are")


def orders(stage: Stage) -> None:
    """0 oversold, 0 lost, 0 doubled, 0 copies missing."""
    rounds = stage.options.rounds
    with stage.server(ORDER_HOLD_MINUTES="60", TASK_WORKERS="0") as server:
        crowd, market = Crowd(server.port, CROWD), Market(stage)
        try:
            for _ in range(rounds):
                market.round(crowd)
                if market.wrong:
                    break
        finally:
            crowd.close()
    from orders.models import Order

    bad = {status: n for status, n in market.statuses.items() if status == 0 or status >= 500}
    states = Counter(Order.objects.values_list("status", flat=True))
    stage.report(
        "orders: the same last copies",
        f"{rounds} rounds, {market.statuses.total()} answers, {len(market.orders)} orders {dict(states)}, "
        f"{len(market.wrong)} wrong, {bad or 'no'} 5xx" + (f"; first: {market.wrong[0]}" if market.wrong else ""),
        not market.wrong and not bad and bool(market.orders),
    )
