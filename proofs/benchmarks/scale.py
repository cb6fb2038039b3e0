"""`make bench-scale`: checks that nothing gets slow with a million carts and a million books.

The API's answers under load, and every list page of the staff's site, one at a time.

python -m proofs.benchmarks.scale [--books 1000000] [--carts 1000000] [--csv books.csv] [--rounds 3] [--seconds 5]
                                  [--save]
"""

import argparse
import contextlib
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from urllib.parse import quote

from proofs.benchmarks import admin_pages, books, data, loads, machine
from proofs.benchmarks.database import SETTINGS, Databases
from proofs.benchmarks.run import WORKERS, bounded, say
from proofs.benchmarks.servers import VARIANTS, running
from tools.postgres import PostgresUnavailable, throwaway
from tools.processes import exit_on_signals

HERE = Path(__file__).resolve().parent
PROJECT = VARIANTS[0]
CONNECTIONS = 4
KEPT = 0.85  # of the speed with 1,000 carts
CARTS = """
INSERT INTO users (id, email, password, is_superuser, is_staff, is_active)
SELECT n, 'customer' || n || '@example.com', '!', false, false, true FROM generate_series({first}, {last}) n;
INSERT INTO carts (id, user_id, updated_at)
SELECT n, n, now() - interval '500 days' * (n * 7919::bigint % 10007 / 10007.0) ^ 3
FROM generate_series({first}, {last}) n;
INSERT INTO cart_items (cart_id, book_id, quantity, price_at_add)
SELECT n, (n::bigint * 37 + place * 101) % {books} + 1, place % 3 + 1, 9.99
FROM generate_series({first}, {last}) n, generate_series(0, {last_place}) place;
SELECT setval(pg_get_serial_sequence('users', 'id'), {last}), setval(pg_get_serial_sequence('carts', 'id'), {last});
VACUUM ANALYZE"""


def searches(csv: Path | None) -> dict[str, tuple[str, int]]:
    """What is asked of the catalogue: a path, and the milliseconds that 99% of the answers may take."""
    titles = [title for title, _ in books.sample(csv)]
    first, second = (quote(word.lower()) for word in (titles[1] * 2)[:2])
    return {
        "a page": ("/books", 60),
        "a page by date, newest first": ("/books?sort=date&sort_dir=desc", 60),
        "filtered by genre, price and stock": ("/books?genre_id=3&min_price=5&max_price=10&in_stock=true", 60),
        "filtered: sold out": ("/books?in_stock=false", 60),
        "filtered by author": ("/books?author=jane", 60),
        "filtered by an author whom nobody knows": ("/books?author=zuleika", 60),
        f"two words ({first} {second})": (f"/books?q={first}%20{second}", 60),
        "two common words (of the)": ("/books?q=of%20the", 60),
        "mistyped (hary poter)": ("/books?q=hary%20poter", 100),
        "suggestions (th)": ("/books/suggest?q=th", 20),
        "suggestions (the gi)": ("/books/suggest?q=the%20gi", 20),
        "suggestions (j k rowl)": ("/books/suggest?q=j%20k%20rowl", 20),
        "page 1,000": ("/books?page=1000", 60),
        "page 1,000 by price, of 100": ("/books?sort=price&page=1000&size=100", 60),
        "one letter (a)": ("/books?q=a", 150),
        "one letter (q)": ("/books?q=q", 150),
        "one letter, page 50": ("/books?q=a&page=50", 150),
    }


def load_carts(databases: Databases, name: str, carts: int) -> None:
    """Customers beyond those of `load.py`, each with a cart of five lines: by SQL, as no client would."""
    for statement in CARTS.format(
        first=data.CUSTOMERS + 1, last=carts, books=data.BOOKS, last_place=data.LINES - 1
    ).split(";"):
        databases.execute(statement, name)


def measure_carts(databases: Databases, carts: int, rounds: int, seconds: int) -> list[str]:
    """GET /cart on a database with 1,000 carts and on one with many, in turns."""
    folders = {}
    for name in ("few", "many"):
        databases.create(name)
        databases.python(name, "manage.py", "migrate", "--verbosity", "0")
        folders[name] = databases.folder / name
        folders[name].mkdir()
        databases.python(name, "-m", "proofs.benchmarks.load", "project", str(folders[name]))
    say(f"Loading {carts:,} carts with {carts * data.LINES:,} lines ...")
    load_carts(databases, "many", carts)
    databases.execute("CHECKPOINT")
    rates: dict[str, list[float]] = {"few": [], "many": []}
    tails: dict[str, list[float]] = {"few": [], "many": []}
    with contextlib.ExitStack() as stack:
        servers = {}
        for name in ("few", "many"):
            token = (folders[name] / "get5.txt").read_text().split()[0]
            environ = databases.environ(name)
            servers[name] = stack.enter_context(running(PROJECT, environ, token=token, workers=WORKERS))
            loads.run_wrk(servers[name], "get5", folders[name] / "get5.txt", seconds=1)
        for number in range(rounds):
            for name in ("few", "many") if number % 2 else ("many", "few"):
                sample = loads.run_wrk(servers[name], "get5", folders[name] / "get5.txt", seconds=seconds)
                rates[name].append(sample.rate)
                tails[name].append(sample.p99)
                say(f"{name}: {sample.rate:,.0f}/s, p99 {sample.p99:.1f} ms")
    kept = median(many / few for many, few in zip(rates["many"], rates["few"], strict=True))
    return [
        "| GET /cart | requests/s | p99 ms |",
        "|---|---|---|",
        f"| 1,000 carts | {median(rates['few']):,.0f} | {median(tails['few']):.1f} |",
        f"| {carts:,} carts, {carts * data.LINES:,} lines | {median(rates['many']):,.0f} "
        f"| {median(tails['many']):.1f} |",
        "",
        f"Kept: {kept:.2f} of the speed ({'met' if kept >= KEPT else 'MISSED'}: at least {KEPT}).",
    ]


def measure_admin(databases: Databases, carts: int, rounds: int) -> list[str]:
    """Every list page of the staff's site on a database with many carts, sessions and users."""
    name = "admin"
    databases.create(name)
    databases.python(name, "manage.py", "migrate", "--verbosity", "0")
    folder = databases.folder / name
    folder.mkdir()
    databases.python(name, "-m", "proofs.benchmarks.load", "project", str(folder))
    say(f"Loading {carts:,} carts with {carts * data.LINES:,} lines, and as many customers and sessions ...")
    load_carts(databases, name, carts)
    password = admin_pages.make_staff(databases, name)
    admin_pages.load_shop(databases, name)
    databases.execute("CHECKPOINT")
    return [f"The staff's site with {carts:,} carts:", "", *admin_pages.measure(databases, name, password, rounds)]


def measure_books(databases: Databases, count: int, csv: Path | None, rounds: int, seconds: int) -> list[str]:
    name = "books"
    databases.create(name)
    databases.python(name, "manage.py", "migrate", "--verbosity", "0")
    say(f"Loading {count:,} books ...")
    databases.python(name, "-m", "proofs.benchmarks.load_books", str(count), *([str(csv)] if csv else []))
    databases.execute("CHECKPOINT")
    lines = [
        f"| GET /books, {count:,} books, {CONNECTIONS} connections | requests/s | p50 ms | p99 ms | at most |",
        "|---|---|---|---|---|",
    ]
    asked = searches(csv)
    samples: dict[str, list[loads.Sample]] = {title: [] for title in asked}
    with running(PROJECT, databases.environ(name), token="", workers=WORKERS, ready="/ready") as server:
        for path, _ in asked.values():
            loads.run_wrk_on(server, path, seconds=1, connections=CONNECTIONS)
        for number in range(rounds):
            for title in asked if number % 2 else reversed(asked):
                sample = loads.run_wrk_on(server, asked[title][0], seconds=seconds, connections=CONNECTIONS)
                samples[title].append(sample)
                say(f"{title}: {sample.rate:,.0f}/s, p99 {sample.p99:.1f} ms")
    for title, (_, bound) in asked.items():
        rate, p50, p99 = (median(getattr(each, fact) for each in samples[title]) for fact in ("rate", "p50", "p99"))
        met = "met" if p99 <= bound else "MISSED"
        lines.append(f"| {title} | {rate:,.0f} | {p50:.1f} | {p99:.1f} | {bound}: {met} |")
    return lines


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m proofs.benchmarks.scale", description=__doc__)
    parser.add_argument("--books", type=bounded(1000, 5_000_000), default=1_000_000)
    parser.add_argument("--carts", type=bounded(2000, 5_000_000), default=1_000_000)
    parser.add_argument("--csv", type=Path, help="titles and authors to take the words from, else a list that is here")
    parser.add_argument("--rounds", type=bounded(1, 20), default=3)
    parser.add_argument("--seconds", type=bounded(1, 60), default=5)
    parser.add_argument("--only", choices=("books", "carts", "admin"))
    parser.add_argument("--save", action="store_true", help="write last-scale.md beside this file")
    options = parser.parse_args(argv)
    if options.only != "admin":
        loads.find_wrk()
    books.sample(options.csv)  # a CSV that cannot be read stops here, not after minutes
    exit_on_signals()
    lines: list[str] = []
    try:
        with (
            throwaway(durable=True, settings=SETTINGS) as cluster,
            tempfile.TemporaryDirectory(prefix="bench-") as folder,
        ):
            databases = Databases(cluster, Path(folder))
            facts = machine.describe(str(cluster.installation))
            if options.only in {None, "carts"}:
                lines += [*measure_carts(databases, options.carts, options.rounds, options.seconds), ""]
            if options.only in {None, "admin"}:
                lines += [*measure_admin(databases, options.carts, options.rounds), ""]
            if options.only in {None, "books"}:
                lines += measure_books(databases, options.books, options.csv, options.rounds, options.seconds)
    except PostgresUnavailable as error:
        sys.exit(f"error: {error}. The benchmark needs a PostgreSQL, 15 if it can be had.")
    except KeyboardInterrupt:
        say("\nInterrupted: nothing is left running.")
        return 130
    text = "\n".join([*lines, "", machine.in_words(facts)])
    print(text)
    if options.save:
        (HERE / "last-scale.md").write_text(text + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
