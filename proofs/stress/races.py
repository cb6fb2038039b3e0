"""Concurrent requests, a thousand rounds each: exactly one succeeds, and the responses are true."""

import itertools
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from proofs.stress.crowd import Crowd
from proofs.stress.mixed import deadlocks
from proofs.stress.stage import Stage
from proofs.stress.workers import UNKNOWN, Workers
from tests.support.client import Answer, PatientClient

BOUND = 5  # lines of a cart, for these servers
CROWD = 6  # requests at once, at most
ROUNDS_OF_A_CONNECTION = 25
WHILE_IT_RUNS = 0.006  # seconds: about what a change of a cart takes, step by step
MEET = 0.9  # of the rounds must be answered by two workers or more: one alone does one thing after the other

Race = Callable[["Races", int], str]  # what was wrong in this round; empty when nothing was


def post(path: str, body: Any, token: str = "") -> Callable[[PatientClient], Answer]:
    return lambda wire: wire("POST", path, body, token)


def call(method: str, path: str, token: str, body: Any = None) -> Callable[[PatientClient], Answer]:
    return lambda wire: wire(method, path, body, token)


class Races:
    """`set_the_stage` makes what all rounds of a race need at once; each race is a method that runs one round."""

    def __init__(self, stage: Stage, crowd: Crowd, workers: Workers, rounds: int) -> None:
        self.stage, self.crowd, self.workers, self.rounds = stage, crowd, workers, rounds
        self.chance = random.Random(rounds)
        self.statuses: Counter[int] = Counter()
        self.met: Counter[int] = Counter()  # rounds, by how many workers answered; UNKNOWN of them

    def run(self, calls: list[Callable[[PatientClient], Answer]]) -> list[Answer]:
        if self.met.total() % ROUNDS_OF_A_CONNECTION == 0:
            self.workers.renew(self.crowd)
        answers, workers = self.workers.together(self.crowd, calls)
        self.met[UNKNOWN if UNKNOWN in workers else len(workers)] += 1
        self.statuses.update(answer.status for answer in answers)
        return answers

    def lines_of(self, user: Any) -> list[tuple[int, int]]:
        from cart.models import CartItem

        return list(CartItem.objects.filter(cart__user=user).order_by("id").values_list("book_id", "quantity"))

    def fill(self, users: list[Any], books: list[Any]) -> dict[int, list[Any]]:
        """A cart with a line for each of these books, for each user, by SQL: the rounds are what is tested."""
        from cart.models import Cart, CartItem

        carts = Cart.objects.bulk_create(Cart(user=user) for user in users)
        lines = CartItem.objects.bulk_create(
            CartItem(cart=cart, book=book, quantity=1, price_at_add=book.price) for cart in carts for book in books
        )
        of_cart: dict[int, list[Any]] = {}
        for line in lines:
            of_cart.setdefault(line.cart.user_id, []).append(line)
        return of_cart

    # --- the races: each yields once when its stage is set, then once for each round what was wrong ---

    def first_adds_of_different_books(self) -> Iterator[str]:
        people, books = self.stage.customers(self.rounds), self.stage.books(4)
        for user, token in people:
            answers = self.run([post("/cart/items", {"book_id": book.pk}, token) for book in books])
            lines = self.lines_of(user)
            yield expect(
                [a.status for a in answers] == [201] * 4 and sorted(b for b, _ in lines) == sorted(b.pk for b in books),
                answers,
                lines,
            )

    def adds_of_the_same_book(self) -> Iterator[str]:
        people, [book] = self.stage.customers(self.rounds), self.stage.books(1)
        # Half of them have a cart. In the other half it is the making of the cart that one waits for.
        self.fill([user for user, _ in people[::2]], [])
        for user, token in people:
            answers = self.run([post("/cart/items", {"book_id": book.pk}, token)] * 4)
            won = [a for a in answers if a.status == 201]
            lost = [a for a in answers if (a.status, a.code) == (409, "CART_ITEM_DUPLICATE")]
            told = {a.body.get("item_id") for a in lost} <= {a.body["id"] for a in won}
            lines = self.lines_of(user)
            yield expect((len(won), len(lost)) == (1, 3) and told and lines == [(book.pk, 1)], answers, lines)

    def put_against_delete(self) -> Iterator[str]:
        people, books = self.stage.customers(self.rounds), self.stage.books(1)
        lines_of = self.fill([user for user, _ in people], books)
        for user, token in people:
            path = f"/cart/items/{lines_of[user.pk][0].pk}"
            answers = self.run(
                [
                    call("PUT", path, token, {"quantity": 7}),
                    call("DELETE", path, token),
                    call("PUT", path, token, {"quantity": 8}),
                    call("DELETE", path, token),
                ]
            )
            puts, deletes = answers[::2], answers[1::2]
            good = {a.status for a in puts} <= {200, 404} and sorted(a.status for a in deletes) == [204, 404]
            lines = self.lines_of(user)
            yield expect(good and lines == [], answers, lines)

    def merges_an_add_and_a_clear(self) -> Iterator[str]:
        people, books = self.stage.customers(self.rounds), [book.pk for book in self.stage.books(3)]
        one = [(books[0], 3), (books[1], 1)]
        two = [(books[0], 2), (books[2], 5)]

        def merge(token: str, entries: list[tuple[int, int]]) -> Callable[[PatientClient], Answer]:
            return post("/cart/merge", {"items": [{"book_id": b, "quantity": q} for b, q in entries]}, token)

        for user, token in people:
            answers = self.run(
                [
                    merge(token, one),
                    merge(token, two),
                    post("/cart/items", {"book_id": books[1], "quantity": 4}, token),
                    call("DELETE", "/cart/items", token),
                ]
            )
            lines = dict(self.lines_of(user))
            added = answers[2].status == 201
            good = [a.status for a in (*answers[:2], answers[3])] == [200, 200, 204] and answers[2].status in {201, 409}
            yield expect(good and (added, lines) in serial_ends(one, two, books[1]), answers, lines)

    def adds_at_the_bound(self) -> Iterator[str]:
        people, books = self.stage.customers(self.rounds), self.stage.books(BOUND - 1)
        rivals = self.stage.books(4)
        self.fill([user for user, _ in people], books)
        for user, token in people:
            answers = self.run([post("/cart/items", {"book_id": book.pk}, token) for book in rivals])
            full = [a for a in answers if a.code == "CART_LIMIT_EXCEEDED"]
            lines = self.lines_of(user)
            good = len(full) == 3 and sum(a.status == 201 for a in answers) == 1
            yield expect(good and len(lines) == BOUND, answers, lines)

    def adds_against_the_books_deletion(self) -> Iterator[str]:
        from cart.models import CartItem

        staff = self.stage.staff()
        alice, bob = self.stage.customers(2)
        for book in self.stage.books(self.rounds):
            add = {"book_id": book.pk}
            answers = self.run(
                [
                    post("/cart/items", add, alice[1]),
                    call("DELETE", f"/books/{book.pk}", staff),
                    post("/cart/items", add, bob[1]),
                ]
            )
            good = answers[1].status == 204 and {answers[0].status, answers[2].status} <= {201, 404}
            left = CartItem.objects.filter(book_id=book.pk).count()
            yield expect(good and left == 0, answers, left)

    def adds_against_the_users_deletion(self) -> Iterator[str]:
        from django.db import connection

        """The add of who has no cart yet; then each change of a cart, with and without the version that was seen."""
        from bookstore.accounts.models import User
        from cart.models import Cart, CartItem

        held, book = self.stage.books(2)
        people = self.stage.customers(self.rounds)
        lines = self.fill([user for user, _ in people[1::2]], [held])
        changes = itertools.cycle(itertools.product(("add", "merge", "PUT", "DELETE", "clear"), (False, True)))
        for user, token in people:
            request = post("/cart/items", {"book_id": book.pk}, token)
            if user.pk in lines:
                change, seen = next(changes)
                version = Cart.objects.with_lines().of(user).version
                request = change_of(lines[user.pk][0].pk, book.pk, change, token, version if seen else None)

            def delete(wire: PatientClient, pk: int = user.pk) -> Answer:
                try:
                    time.sleep(self.chance.uniform(0, WHILE_IT_RUNS))
                    User.objects.get(pk=pk).delete()
                finally:
                    connection.close()
                return Answer(204, None)

            answers = self.run([request, delete])
            left = CartItem.objects.filter(cart__user_id=user.pk).count() + User.objects.filter(pk=user.pk).count()
            yield expect(answers[0].status in {200, 201, 204, 401, 404, 412} and left == 0, answers, left)

    def registers_of_the_same_email(self) -> Iterator[str]:
        from bookstore.accounts.models import User

        for number in range(self.rounds):
            email = f"racer{self.stage.made + number}@example.com"
            spellings = [email, email.upper(), email.title(), f" {email}".strip().capitalize()]
            answers = self.run(
                [post("/auth/register", {"email": s, "password": "correct horse battery"}) for s in spellings]
            )
            users = User.objects.filter(email__iexact=email).count()
            good = sorted(a.status for a in answers) == [201, 409, 409, 409]
            yield expect(good and users == 1, answers, users)

    def refreshes_of_the_same_token(self) -> Iterator[str]:
        self.stage.customers(self.rounds)
        for refresh in self.stage.refresh_tokens:
            answers = self.run([post("/auth/refresh", {"refresh_token": refresh})] * 6)
            # In the grace all get the one successor.
            successors = {a.body.get("refresh_token") for a in answers}
            good = {a.status for a in answers} == {200} and len(successors) == 1
            yield expect(good, answers, len(successors))


def change_of(line: int, book: int, change: str, token: str, version: str | None) -> Callable[[PatientClient], Answer]:
    """One request that changes a cart, of this line or with this book, as If-Match if there is a version."""
    method, path, body = {
        "add": ("POST", "/cart/items", {"book_id": book}),
        "merge": ("POST", "/cart/merge", {"items": [{"book_id": book}]}),
        "PUT": ("PUT", f"/cart/items/{line}", {"quantity": 3}),
        "DELETE": ("DELETE", f"/cart/items/{line}", None),
        "clear": ("DELETE", "/cart/items", None),
    }[change]
    headers = {} if version is None else {"If-Match": f'"{version}"'}
    return lambda wire: wire(method, path, body, token, **headers)


def serial_ends(one: Any, two: Any, added: int) -> list[tuple[bool, dict[int, int]]]:
    """How two merges, an add of 4 copies and a clear may end, one after the other in any order."""
    ends = []
    for order in itertools.permutations(("one", "two", "add", "clear")):
        lines: dict[int, int] = {}
        won = False
        for step in order:
            if step == "clear":
                lines = {}
            elif step == "add":
                won = added not in lines
                lines.setdefault(added, 4)
            else:
                for book, quantity in one if step == "one" else two:
                    lines[book] = max(quantity, lines.get(book, 0))
        ends.append((won, lines))
    return ends


def expect(good: bool, answers: list[Answer], found: Any) -> str:
    return "" if good else f"{[(a.status, a.code) for a in answers]} left {found}"


NAMES = [
    name for name in vars(Races) if name.startswith(("first_", "adds_", "put_", "merges_", "registers_", "refreshes_"))
]


def chosen(part_of_name: str) -> list[str]:
    """The races with this in their name."""
    return [name for name in NAMES if part_of_name.replace(" ", "_") in name]


def races(stage: Stage) -> None:
    """0 answers of 500 or more, 0 lost, 0 doubled, 0 resurrected, one winner where there is one."""
    rounds = stage.options.rounds
    before, met = deadlocks(stage), Counter[int]()
    with stage.server(CART_MAX_LINES=str(BOUND)) as server:
        crowd, workers = Crowd(server.port, CROWD), Workers(server)
        try:
            for name in chosen(stage.options.race):
                race = Races(stage, crowd, workers, rounds)
                faults = list(getattr(race, name)())
                done, wrong = len(faults), [fault for fault in faults if fault]
                bad = {status: n for status, n in sorted(race.statuses.items()) if status == 0 or status >= 500}
                figures = f"{done} rounds, {race.statuses.total()} answers, {len(wrong)} wrong, {bad or 'no'} 5xx"
                stage.report(
                    f"race: {name.replace('_', ' ')}",
                    figures + (f"; first: {wrong[0]}" if wrong else ""),
                    done == rounds and not wrong and not bad,
                )
                met += race.met
        finally:
            crowd.close()
    if met[UNKNOWN]:
        print("       not known: which workers met, because there is neither /proc nor lsof here")
    else:
        apart = met.total() - met[1]
        figures = f"{apart} of {met.total()} rounds by two or more; rounds by how many: {dict(sorted(met.items()))}"
        stage.report("races: workers that answered", figures, apart >= met.total() * MEET)
    found = deadlocks(stage) - before
    stage.report("races: deadlocks", f"{found}", not found)
