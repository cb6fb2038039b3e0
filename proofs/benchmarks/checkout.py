"""`make bench-checkout`: POST /orders/checkout of 5 lines, this project beside the same written the usual way.

Each customer orders once in a round, so the carts are filled again before each, by SQL; a round in which they did not
suffice fails. `--crowd` has CROWD customers at one book with STOCK copies instead, all at the same moment.
"""

import argparse
import contextlib
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

from proofs.benchmarks import loads, report
from proofs.benchmarks.data import BOOKS, CUSTOMERS, LINES
from proofs.benchmarks.database import SETTINGS, Databases
from proofs.benchmarks.run import WORKERS, bounded, prepare, say
from proofs.benchmarks.servers import VARIANTS, Running, running
from proofs.stress.crowd import Crowd
from tests.support.client import Answer, PatientClient
from tools.postgres import PostgresUnavailable, throwaway
from tools.processes import exit_on_signals

NAMES = ("project", "plain")
BUYERS = range(CUSTOMERS + 1, CUSTOMERS + 6_001)
CROWD, STOCK = 200, 100
TOLD_WITHIN = 2.0  # seconds
TABLES = {"project": ("carts", "cart_items", "books"), "plain": ("plain_cart", "plain_cartitem", "plain_book")}


def add_buyers(variant: str, folder: Path) -> None:
    """Customers with a token each, in this process's database."""
    if variant == "project":
        from datetime import timedelta

        from django.utils import timezone

        from bookstore.accounts import tokens
        from bookstore.accounts.models import LoginSession, User

        users = [User(pk=pk, email=f"buyer{pk}@example.com", password="!") for pk in BUYERS]  # noqa: S106  # no password fits
        User.objects.bulk_create(users)
        expires_at = timezone.now() + timedelta(days=1)
        sessions = [
            LoginSession(user=user, refresh_jti=f"{user.pk:032x}", expires_at=expires_at, credential=user.credential)
            for user in users
        ]
        LoginSession.objects.bulk_create(sessions)
        made = {session.user_id: tokens.issue(session)["access_token"] for session in sessions}
    else:
        from django.contrib.auth.models import User as PlainUser
        from rest_framework_simplejwt.tokens import AccessToken

        people = [PlainUser(pk=pk, username=f"buyer{pk}", password="!") for pk in BUYERS]  # noqa: S106  # the same
        PlainUser.objects.bulk_create(people)
        made = {user.pk: str(AccessToken.for_user(user)) for user in people}
    (folder / "checkout.txt").write_text("".join(f"{token} 0 0\n" for token in made.values()))


def fill(databases: Databases, name: str, *, book: int = 0) -> None:
    """Each buyer's cart: LINES books of any, or one copy of this one."""
    carts, lines, books = TABLES[name]
    which = str(book) if book else f"(b.id * 37 + place * 101) % {BOOKS} + 1"
    last = 0 if book else LINES - 1
    databases.execute(
        f"INSERT INTO {carts} (user_id, created_at, updated_at) SELECT id, now(), now()"  # noqa: S608  # our own names and numbers
        f" FROM generate_series({BUYERS.start}, {BUYERS.stop - 1}) AS id ON CONFLICT (user_id) DO NOTHING",
        name,
    )
    databases.execute(f"DELETE FROM {lines} USING {carts} c WHERE c.id = cart_id AND c.user_id >= {BUYERS.start}", name)  # noqa: S608  # the same
    databases.execute(
        f"INSERT INTO {lines} (cart_id, book_id, quantity, added_at, price_at_add)"  # noqa: S608  # the same
        f" SELECT c.id, k.id, 1 + place % 3, now(), k.price FROM {carts} c"
        f" JOIN LATERAL (SELECT c.user_id AS id) b ON true CROSS JOIN generate_series(0, {last}) AS place"
        f" JOIN {books} k ON k.id = {which} WHERE c.user_id >= {BUYERS.start}",
        name,
    )
    databases.execute(f"UPDATE {books} SET stock_quantity = {STOCK if book else 1_000_000}", name)  # noqa: S608  # the same
    databases.execute("VACUUM ANALYZE", name)


def measure(
    databases: Databases, servers: Sequence[Running], pools: dict[str, Path], options: argparse.Namespace
) -> int:
    samples: dict[str, list[loads.Sample]] = {server.variant.name: [] for server in servers}
    for number in range(options.rounds + 1):
        for server in servers if number % 2 else reversed(servers):
            name = server.variant.name
            fill(databases, name)
            databases.execute("CHECKPOINT")
            seconds = options.seconds if number else 1  # the first is a warm-up
            sample = loads.run_wrk(server, "checkout", pools[name] / "checkout.txt", seconds=seconds)
            if sample.requests > len(BUYERS):
                sys.exit(f"error: {sample.requests} checkouts of {len(BUYERS)} filled carts: take fewer seconds")
            if number:
                samples[name].append(sample)
                say(f"round {number}: {server.variant.title}: {sample.rate:,.0f}/s, p99 {sample.p99:.1f} ms")
    rates = {name: report.Row(name, name, {"checkout": taken}).facts("checkout") for name, taken in samples.items()}
    for name, facts in rates.items():
        print(f"{name}: {facts['rate']:,.0f}/s ({facts['lowest']:,.0f} to {facts['highest']:,.0f}), "
              f"p50 {facts['p50']} ms, p99 {facts['p99']} ms")  # fmt: skip
    if set(samples) == set(NAMES):
        pairs = zip(samples["project"], samples["plain"], strict=True)
        print(f"{median(mine.rate / theirs.rate for mine, theirs in pairs):.1f} × plain, median of the rounds")
    return 0


def crowd(databases: Databases, server: Running, pool: Path) -> int:
    """CROWD customers want the STOCK copies of one book at once: all are told within TOLD_WITHIN, and none a 5xx."""
    fill(databases, "project", book=1)
    tokens = [row.split()[0] for row in pool.read_text().splitlines()[:CROWD]]
    people = Crowd(server.port, CROWD)

    def ask(token: str) -> Callable[[PatientClient], Answer]:
        return lambda wire: wire("POST", "/orders/checkout", {}, token)

    answers = people.together([ask(token) for token in tokens])
    people.close()
    statuses = Counter((answer.status, answer.code) for answer in answers)
    slowest = max(answer.seconds for answer in answers)
    [(orders,)] = databases.execute("SELECT count(*) FROM order_items WHERE book_id = 1", "project")
    [(left,)] = databases.execute("SELECT stock_quantity FROM books WHERE id = 1", "project")
    print(f"{CROWD} customers, {STOCK} copies: {dict(statuses)}, {orders} orders, {left} left; "
          f"slowest answer {slowest:.2f} s")  # fmt: skip
    expected = {(201, ""): STOCK, (409, "ORDER_INSUFFICIENT_STOCK"): CROWD - STOCK}
    good = statuses == expected and orders == STOCK and left == 0 and slowest <= TOLD_WITHIN
    return 0 if good else 1


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m proofs.benchmarks.checkout", description=__doc__)
    parser.add_argument("--rounds", type=bounded(1, 20), default=3)
    parser.add_argument("--seconds", type=bounded(1, 20), default=4)
    parser.add_argument("--crowd", action="store_true", help=f"{CROWD} customers at one book, once")
    parser.add_argument("--add-buyers", nargs=2, metavar=("VARIANT", "FOLDER"), help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    if options.add_buyers:
        variant, folder = options.add_buyers
        settings = {"project": "bookstore.settings", "plain": "proofs.benchmarks.plain.settings"}
        os.environ["DJANGO_SETTINGS_MODULE"] = settings[variant]
        import django

        django.setup()
        add_buyers(variant, Path(folder))
        return 0
    loads.find_wrk()
    exit_on_signals()
    names = NAMES[:1] if options.crowd else NAMES
    try:
        with (
            throwaway(durable=True, settings=SETTINGS) as cluster,
            tempfile.TemporaryDirectory(prefix="bench-") as name,
            contextlib.ExitStack() as stack,
        ):
            databases = Databases(cluster, Path(name))
            say("Loading books, carts and buyers ...")
            pools = prepare(databases, set(names))
            servers = []
            for variant in (each for each in VARIANTS if each.name in names):
                module = ("-m", "proofs.benchmarks.checkout", "--add-buyers", variant.name, str(pools[variant.name]))
                databases.python(variant.name, *module)
                token = (pools[variant.name] / "checkout.txt").read_text().split()[0]
                environ = databases.environ(variant.name)
                servers.append(stack.enter_context(running(variant, environ, token=token, workers=WORKERS)))
            if options.crowd:
                return crowd(databases, servers[0], pools["project"] / "checkout.txt")
            return measure(databases, servers, pools, options)
    except PostgresUnavailable as error:
        sys.exit(f"error: {error}. The benchmark needs a PostgreSQL, 15 if it can be had.")


if __name__ == "__main__":
    sys.exit(main())
