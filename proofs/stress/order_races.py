"""Checkouts at the same moment as each other and as everything that may come between, over two hosts.

Each race has books and carts of its own in each round. At every end the stock of a book and the copies of its orders
that stand are what was put in, and each answer that told of an order is there once.
"""

import itertools
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from proofs.stress.crowd import Crowd
from proofs.stress.mixed import deadlocks
from proofs.stress.stage import Stage
from tests.support.client import Answer, PatientClient

CROWD = 16  # requests at once, at most
STOCK = 5  # copies of each book
HOSTS = 2
APART = 0.05  # seconds

Call = Callable[[PatientClient], Answer]


def checkout(token: str, **headers: str) -> Call:
    return lambda wire: wire("POST", "/orders/checkout", {}, token, **headers)


def call(method: str, path: str, token: str, body: Any = None) -> Call:
    return lambda wire: wire(method, path, body, token)


def after(seconds: float, call: Call) -> Call:
    def late(wire: PatientClient) -> Answer:
        time.sleep(seconds)
        return call(wire)

    return late


class OrderRaces:
    """Each race is a method that yields once for each round what was wrong; empty when nothing was."""

    def __init__(self, stage: Stage, crowd: Crowd, rounds: int) -> None:
        self.stage, self.crowd, self.rounds = stage, crowd, rounds
        self.chance = random.Random(rounds)
        self.keys = itertools.count()
        self.statuses: Counter[int] = Counter()
        self.runs = 0
        self.carts: dict[Any, Any] = {}  # by customer
        self.staff = stage.staff()

    # --- the stage of a round ---

    def people(self, count: int) -> list[tuple[Any, str]]:
        """New customers with an empty cart each."""
        from cart.models import Cart

        people = self.stage.customers(count)
        for cart in Cart.objects.bulk_create(Cart(user=user) for user, _ in people):
            self.carts[cart.user] = cart
        return people

    def books(self, count: int, stock: int = STOCK) -> Iterator[list[Any]]:
        """So many new ones for each round."""
        books = self.stage.books(count * self.rounds, stock=stock)
        return iter([books[start : start + count] for start in range(0, len(books), count)])

    def fill(self, wishes: dict[Any, dict[Any, int]]) -> None:
        """The carts of these customers, by SQL: these books (and copies of each), and no other."""
        from cart.models import CartItem

        CartItem.objects.filter(cart__in=[self.carts[user] for user in wishes]).delete()
        CartItem.objects.bulk_create(
            CartItem(cart=self.carts[user], book=book, quantity=copies, price_at_add=book.price)
            for user, lines in wishes.items()
            for book, copies in lines.items()
        )

    def placed(self, user: Any, token: str, lines: dict[Any, int], wire: PatientClient) -> int:
        """The id of an order of these, made before the race."""
        self.fill({user: lines})
        answer = checkout(token)(wire)
        if answer.status != 201:
            raise RuntimeError(f"the stage could not be set: {answer}")
        return int(answer.body["id"])

    def run(self, calls: list[Call]) -> list[Answer]:
        """All at the same moment, or, in every other round, up to APART seconds one after the other, so that each of
        them comes first often enough."""
        self.runs += 1
        if self.runs % 2:
            calls = [after(self.chance.uniform(0, APART), call) for call in calls]
        answers = self.crowd.together(calls)
        self.statuses.update(answer.status for answer in answers)
        return answers

    # --- what must be so at every end ---

    def missing(self, books: list[Any], answers: list[Answer], *, put_in: int = STOCK) -> str:
        """Copies that are neither in stock nor in an order that stands; orders that were told and are not there."""
        from django.db.models import Sum

        from catalog.models import Book
        from orders.models import Order, OrderItem

        ids = [book.pk for book in books]
        standing = OrderItem.objects.filter(book__in=ids).exclude(order__status="cancelled")
        ordered = dict(standing.values_list("book").annotate(copies=Sum("quantity")))
        for pk, stock in Book.objects.filter(pk__in=ids).values_list("pk", "stock_quantity"):
            if stock + ordered.get(pk, 0) != put_in:
                return f"book {pk}: {stock} in stock and {ordered.get(pk, 0)} ordered of {put_in}"
        told = {answer.body["id"] for answer in answers if answer.status == 201}
        there = set(Order.objects.filter(pk__in=told).values_list("pk", flat=True))
        return f"orders {told - there} are not there" if told != there else ""

    def orders_of(self, user: Any) -> int:
        from orders.models import Order

        return Order.objects.filter(user=user).count()

    def cart_of(self, user: Any) -> set[int]:
        from cart.models import CartItem

        return set(CartItem.objects.filter(cart__user=user).values_list("book_id", flat=True))

    # --- the races ---

    def last_copies_of_overlapping_carts(self) -> Iterator[str]:
        from catalog.models import Book

        people = self.people(CROWD)
        for books in self.books(4):
            wishes = [
                {book: self.chance.randint(1, 2) for book in self.chance.sample(books, 2)} for _ in range(len(people))
            ]
            self.fill({user: wish for (user, _), wish in zip(people, wishes, strict=True)})
            answers = self.run([checkout(token) for _, token in people])
            left = dict(Book.objects.filter(pk__in=[book.pk for book in books]).values_list("pk", "stock_quantity"))
            # A stock only falls here: whoever could be served at the end could be served when it was refused.
            refused = [wish for wish, answer in zip(wishes, answers, strict=True) if answer.status == 409]
            in_vain = [wish for wish in refused if all(left[book.pk] >= copies for book, copies in wish.items())]
            yield expect(told(answers, {201: "", 409: "ORDER_INSUFFICIENT_STOCK"}) and not in_vain, answers, left) or (
                self.missing(books, answers)
            )

    def double_clicks_with_a_key(self) -> Iterator[str]:
        [(user, token)] = self.people(1)
        for number, books in enumerate(self.books(2), start=1):
            self.fill({user: dict.fromkeys(books, 2)})
            key = {"Idempotency-Key": f"key {next(self.keys)}"}
            answers = self.run([checkout(token, **key)] * 4)
            same = all(answer.body == answers[0].body for answer in answers)
            found = self.orders_of(user)
            yield expect(told(answers, {201: ""}) and same and found == number, answers, found) or (
                self.missing(books, answers)
            )

    def double_clicks_without_a_key(self) -> Iterator[str]:
        [(user, token)] = self.people(1)
        for number, books in enumerate(self.books(2), start=1):
            self.fill({user: dict.fromkeys(books, 2)})
            answers = self.run([checkout(token)] * 4)
            won = [answer.body["id"] for answer in answers if answer.status == 201]
            named = {answer.body.get("order_id") for answer in answers if answer.status == 422}
            good = told(answers, {201: "", 422: "ORDER_CART_EMPTY"}) and len(won) == 1 and named == set(won)
            yield expect(good and self.orders_of(user) == number, answers, won) or self.missing(books, answers)

    def checkout_against_a_price(self) -> Iterator[str]:
        """Nothing is bought at a price that the customer has not seen."""
        [(user, token)] = self.people(1)
        for books in self.books(2):
            self.fill({user: dict.fromkeys(books, 2)})
            answers = self.run([checkout(token), call("PUT", f"/books/{books[1].pk}", self.staff, {"price": "99.50"})])
            good = told(answers[:1], {201: "", 409: "ORDER_PRICE_CHANGED"}) and answers[1].status == 200
            paid = answers[0].body.get("total_price", "38.00")
            yield expect(good and paid == "38.00", answers, paid) or self.missing(books, answers[:1])

    def checkout_against_a_stock(self) -> Iterator[str]:
        """One takes 2 of 5 copies, and staff take 4 away: one of both is refused."""
        [(user, token)] = self.people(1)
        for books in self.books(2):
            self.fill({user: dict.fromkeys(books, 2)})
            path = f"/books/{books[0].pk}/stock"
            answers = self.run([checkout(token), call("PATCH", path, self.staff, {"change": -4})])
            statuses = [answer.status for answer in answers]
            gone = 4 if statuses[1] == 200 else 0
            wrong = self.missing(books[:1], answers[:1], put_in=STOCK - gone) or self.missing(books[1:], answers[:1])
            yield expect(statuses in ([201, 409], [409, 200]), answers, statuses) or wrong

    def checkout_against_a_withdrawal(self) -> Iterator[str]:
        [(user, token)] = self.people(1)
        for books in self.books(2):
            self.fill({user: dict.fromkeys(books, 2)})
            answers = self.run(
                [checkout(token), call("PUT", f"/books/{books[1].pk}", self.staff, {"is_active": False})]
            )
            good = told(answers[:1], {201: "", 409: "ORDER_ITEMS_UNAVAILABLE"}) and answers[1].status == 200
            yield expect(good, answers, "") or self.missing(books, answers[:1])

    def checkout_against_the_books_deletion(self) -> Iterator[str]:
        """The order has a copy of the deleted book, or never had it."""
        from orders.models import OrderItem

        [(user, token)] = self.people(1)
        for books in self.books(2):
            self.fill({user: dict.fromkeys(books, 2)})
            answers = self.run([checkout(token), call("DELETE", f"/books/{books[1].pk}", self.staff)])
            good = [answer.status for answer in answers] == [201, 204]
            items = OrderItem.objects.filter(order=answers[0].body["id"]).order_by("id") if good else []
            found = [(item.book_id, item.title) for item in items]
            ends = ([(books[0].pk, books[0].title)], [(books[0].pk, books[0].title), (None, books[1].title)])
            yield expect(good and found in ends, answers, found) or self.missing(books[:1], answers[:1])

    def checkout_against_the_users_deletion(self) -> Iterator[str]:
        from bookstore.accounts.models import User
        from orders.models import Order

        people = self.people(self.rounds)
        for (user, token), books in zip(people, self.books(2), strict=True):
            self.fill({user: dict.fromkeys(books, 2)})

            def delete(wire: PatientClient, pk: int = user.pk) -> Answer:
                return here(lambda: User.objects.get(pk=pk).delete())

            answers = self.run([checkout(token), delete])
            good = answers[0].status in {201, 401, 422}  # 422: the cart was deleted, and its user not yet
            person = Order.objects.filter(pk=answers[0].body.get("id")).values_list("user", flat=True).first()
            yield expect(good and person is None, answers, person) or self.missing(books, answers[:1])

    def checkout_against_a_clear(self) -> Iterator[str]:
        [(user, token)] = self.people(1)
        for books in self.books(2):
            self.fill({user: dict.fromkeys(books, 2)})
            answers = self.run([checkout(token), call("DELETE", "/cart/items", token)])
            good = told(answers[:1], {201: "", 422: "ORDER_CART_EMPTY"}) and answers[1].status == 204
            yield expect(good and not self.cart_of(user), answers, "") or self.missing(books, answers[:1])

    def checkout_against_a_merge(self) -> Iterator[str]:
        """The added book is in the order or in the cart, and not in both."""
        [(user, token)] = self.people(1)
        for books in self.books(3):
            self.fill({user: dict.fromkeys(books[:2], 2)})
            merge = {"items": [{"book_id": books[2].pk, "quantity": 1}]}
            answers = self.run([checkout(token), call("POST", "/cart/merge", token, merge)])
            good = [answer.status for answer in answers] == [201, 200]
            ordered = [item["book_id"] for item in answers[0].body.get("items", [])]
            everything = sorted([*ordered, *self.cart_of(user)])
            yield expect(good and everything == sorted(book.pk for book in books), answers, everything) or (
                self.missing(books, answers[:1])
            )

    def checkout_against_a_cancellation(self) -> Iterator[str]:
        """Of another's order, which holds the copies that are wanted; twice, as by a double click."""
        [(alice, alices), (bob, bobs)] = self.people(2)
        wire = self.crowd.wires[0]
        for books in self.books(2):
            order = self.placed(bob, bobs, dict.fromkeys(books, 4), wire)
            self.fill({alice: dict.fromkeys(books, 2)})
            answers = self.run([checkout(alices), *[call("POST", f"/orders/{order}/cancel", bobs)] * 2])
            good = told(answers[:1], {201: "", 409: "ORDER_INSUFFICIENT_STOCK"})
            good = good and [answer.status for answer in answers[1:]] == [200, 200]
            yield expect(good, answers, "") or self.missing(books, answers[:1])

    def checkout_against_a_release(self) -> Iterator[str]:
        [(alice, alices), (bob, bobs)] = self.people(2)
        wire = self.crowd.wires[0]
        for books in self.books(2):
            order = self.placed(bob, bobs, dict.fromkeys(books, 4), wire)
            self.fill({alice: dict.fromkeys(books, 2)})
            answers = self.run([checkout(alices), released(order)])
            good = told(answers[:1], {201: "", 409: "ORDER_INSUFFICIENT_STOCK"})
            yield expect(good and answers[1].status == 200, answers, "") or self.missing(books, answers[:1])

    def payment_against_a_release(self) -> Iterator[str]:
        """One of both, and never a paid order without its copies."""
        from orders.models import Order

        [(user, token)] = self.people(1)
        wire = self.crowd.wires[0]
        for books in self.books(2):
            order = self.placed(user, token, dict.fromkeys(books, 2), wire)
            paid = call("POST", f"/orders/{order}/paid", self.staff, {"reference": "pi_1"})
            answers = self.run([paid, released(order), paid])
            status = Order.objects.values_list("status", flat=True).get(pk=order)
            statuses = [answer.status for answer in answers]
            ends = {("paid", 200, 409, 200), ("cancelled", 409, 200, 409)}
            yield expect((status, *statuses) in ends, answers, status) or self.missing(books, [])


def here(verb: Callable[[], Any], status: int = 204) -> Answer:
    """A verb that this process calls, on a connection of its own."""
    from django.db import connection

    from bookstore.api.errors import ApiError

    try:
        verb()
    except ApiError as error:
        return Answer(error.status_code, {"code": error.code})
    finally:
        connection.close()
    return Answer(status, {})


def released(order: int) -> Call:
    """What the task and `manage.py release_orders` do to an order whose time is over."""

    def release() -> None:
        from orders.exceptions import OrderNotCancellable
        from orders.models import Order
        from orders.releasing import Releasing

        if not Releasing().release(Order.objects.get(pk=order)):
            raise OrderNotCancellable

    return lambda wire: here(release, status=200)


def told(answers: list[Answer], allowed: dict[int, str]) -> bool:
    """Whether each has one of these statuses, with its code."""
    return all(answer.status in allowed and answer.code == allowed[answer.status] for answer in answers)


def expect(good: bool, answers: list[Answer], found: Any) -> str:
    return "" if good else f"{[(answer.status, answer.code) for answer in answers]} left {found}"


NAMES = [name for name in vars(OrderRaces) if name.startswith(("last_", "double_", "checkout_", "payment_"))]


def chosen(part_of_name: str) -> list[str]:
    return [name for name in NAMES if part_of_name.replace(" ", "_") in name]


def order_races(stage: Stage) -> None:
    """0 oversold, 0 lost, 0 doubled, 0 copies missing, 0 answers of 500 or more, 0 deadlocks."""
    rounds, before = stage.options.rounds, deadlocks(stage)
    with stage.server() as one, stage.server() as other:
        crowd = Crowd(one.port, CROWD, other.port)
        try:
            for name in chosen(stage.options.race):
                races = OrderRaces(stage, crowd, rounds)
                faults = list(getattr(races, name)())
                wrong = [fault for fault in faults if fault]
                bad = {status: n for status, n in sorted(races.statuses.items()) if status == 0 or status >= 500}
                stage.report(
                    f"orders, {HOSTS} hosts: {name.replace('_', ' ')}",
                    f"{len(faults)} rounds, answers {dict(sorted(races.statuses.items()))}, {len(wrong)} wrong"
                    + (f"; first: {wrong[0]}" if wrong else ""),
                    len(faults) == rounds and not wrong and not bad,
                )
        finally:
            crowd.close()
    found = deadlocks(stage) - before
    stage.report("orders: deadlocks", f"{found}", not found)
