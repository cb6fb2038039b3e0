"""`python -m proofs.cluster.shards`: carts split between two PostgreSQL by user, and what that does to the statements.

The catalogue is written on shard A and comes to B by logical replication; users, their sessions, carts and lines live
on the shard of their id. It prints what docs/scaling.md quotes: the plans of the hot statements on one shard, the plan
of one that crosses shards by postgres_fdw, what a plain split breaks, and the bytes of a row. Takes half a minute.
"""

import argparse
import os
import secrets
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from tools.postgres import Cluster, PostgresUnavailable, exit_on_signals, throwaway

ROOT = Path(__file__).resolve().parents[2]
SHARDS = 2
BOOKS, LINES = 10_000, 5
TABLES = ("books", "users", "login_sessions", "carts", "cart_items")

# Ids tell the shard: those of shard n leave the rest n - 1, so no id is on two shards, and none is asked for.
INTERLEAVE = """
DO $$ DECLARE name text; BEGIN
  FOREACH name IN ARRAY ARRAY['users', 'carts', 'cart_items', 'login_sessions'] LOOP
    EXECUTE format('ALTER TABLE %I ALTER COLUMN id SET INCREMENT BY {shards} RESTART WITH {first}', name);
  END LOOP;
END $$"""
CUSTOMERS = """
INSERT INTO users (email, password, is_superuser, is_staff, is_active)
SELECT
    'customer' || n || '@example.com', repeat('x', 75) || left(md5(n::text), 22), false, false, true
FROM generate_series(1, {users}) n
WHERE n % {shards} = {rest};
INSERT INTO login_sessions (user_id, refresh_jti, credential, expires_at)
SELECT id, md5(id::text), right(password, 22), now() + interval '7 days' FROM users;
INSERT INTO carts (user_id) SELECT id FROM users;
INSERT INTO cart_items (cart_id, book_id, quantity, price_at_add)
SELECT carts.id, (carts.id * 37 + place * 101) % {books} + 1, place % 3 + 1, 9.99
FROM carts, generate_series(0, {last}) place;"""
CATALOGUE = """
INSERT INTO genres (name, name_folded) SELECT 'Genre ' || n, 'genre ' || n FROM generate_series(1, 20) n;
INSERT INTO books (title, author, title_folded, author_folded, price, stock_quantity, is_active, genre_id)
SELECT 'The Volume ' || n, 'Jane Austen', 'the volume ' || n, 'jane austen', 9.99, 10, true, n % 20 + 1
FROM generate_series(1, {books}) n;"""


class Shard:
    def __init__(self, name: str, cluster: Cluster) -> None:
        self.name, self.cluster = name, cluster
        self.connection = psycopg.connect(cluster.url, autocommit=True)

    def run(self, text: str, **values: Any) -> None:
        self.connection.execute(sql.SQL(text.format(**values) if values else text))

    def rows(self, text: str) -> list[Any]:
        return self.connection.execute(sql.SQL(text)).fetchall()

    def explain(self, text: str, *, analyze: bool = False) -> str:
        options = "ANALYZE, COSTS OFF, TIMING OFF, BUFFERS OFF" if analyze else "COSTS OFF, VERBOSE"
        return "\n".join(row[0] for row in self.rows(f"EXPLAIN ({options}) {text}"))

    @property
    def conninfo(self) -> str:
        return f"host=127.0.0.1 port={self.cluster.port} user=postgres password={self.cluster.password} dbname=postgres"


def manage(shard: Shard, *command: str) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "DATABASE_URL": shard.cluster.url,
        "DEBUG": "1",
        "SECRET_KEY": secrets.token_urlsafe(50),
    }
    subprocess.run([sys.executable, "manage.py", *command], cwd=ROOT, env=environment, check=True)


def cart_statement(user: int) -> str:
    """What GET /cart sends, with the values of one customer put in."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bookstore.settings")
    os.environ["DEBUG"] = "1"
    import django

    django.setup()
    from bookstore.accounts.models import LoginSession
    from cart.representation import FACTS

    facts = (f"user__carts__items__{fact}" for fact in FACTS)
    query = (
        LoginSession.objects.good()
        .filter(user_id=user)
        .order_by("user__carts__items__id")
        .values_list("user__carts__updated_at", *facts)
    )
    from django.db import connection

    text, parameters = query.query.get_compiler(connection=connection).as_sql()
    literals = [sql.Literal(value).as_string(None) for value in parameters]
    return str(text) % tuple(literals)


def heading(text: str) -> None:
    print(f"\n## {text}\n", flush=True)


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m proofs.cluster.shards", description=__doc__)
    parser.add_argument("--users", type=int, default=20_000, help="over both shards (20000)")
    options = parser.parse_args(argv)
    exit_on_signals()
    with ExitStack() as stack:
        try:
            clusters = [
                stack.enter_context(throwaway(settings={"wal_level": "logical", "full_page_writes": "on"}))
                for _ in range(SHARDS)
            ]
        except PostgresUnavailable as error:
            print(f"skipped: {error} (Debian: apt-get install postgresql)", file=sys.stderr)
            return 0
        os.environ["DATABASE_URL"] = clusters[1].url
        shards = [Shard(name, cluster) for name, cluster in zip("AB", clusters, strict=True)]
        try:
            show(*shards, users=options.users)
        finally:
            for shard in shards:
                shard.connection.close()
    return 0


def show(a: Shard, b: Shard, *, users: int) -> None:
    for shard in (a, b):
        manage(shard, "migrate", "--verbosity", "0")
    a.run(CATALOGUE, books=BOOKS)
    replicate_catalogue(a, b)
    for rest, shard in enumerate((a, b)):
        shard.run(INTERLEAVE, shards=SHARDS, first=rest or SHARDS)
        shard.run(CUSTOMERS, users=users, shards=SHARDS, rest=rest, books=BOOKS, last=LINES - 1)
        shard.run("VACUUM ANALYZE")
    heading("What is where")
    for shard in (a, b):
        counts = [f"{shard.rows(f'SELECT count(*) FROM {table}')[0][0]:,} {table}" for table in TABLES]
        print(f"shard {shard.name}: {', '.join(counts)}")
    ids = [{row[0] for row in shard.rows("SELECT id FROM users UNION ALL SELECT id FROM carts")} for shard in (a, b)]
    print(f"ids of users and carts that are on both: {len(ids[0] & ids[1])}")
    plans(a, b)
    breakages(a, b)
    sizes(b)


def replicate_catalogue(a: Shard, b: Shard) -> None:
    a.run("CREATE PUBLICATION catalogue FOR TABLE genres, books")
    b.run(f"CREATE SUBSCRIPTION catalogue CONNECTION '{a.conninfo}' PUBLICATION catalogue")
    wait(b, f"SELECT count(*) = {BOOKS} FROM books")
    # The generated column is not sent: each shard computes its own.
    [(searchable,)] = b.rows("SELECT count(*) FROM books WHERE search_document IS NOT NULL")
    if searchable != BOOKS:
        raise SystemExit(f"error: {searchable} of {BOOKS} replicated books can be searched")


def wait(shard: Shard, condition: str) -> None:
    shard.run(
        f"DO $$ BEGIN FOR n IN 1..600 LOOP IF ({condition}) THEN RETURN; END IF; PERFORM pg_sleep(0.05); COMMIT; "
        "END LOOP; RAISE EXCEPTION 'it did not come'; END $$"
    )


def plans(a: Shard, b: Shard) -> None:
    [(user, cart, line)] = b.rows(
        "SELECT carts.user_id, carts.id, min(cart_items.id) FROM carts JOIN cart_items ON cart_id = carts.id "
        "GROUP BY carts.id ORDER BY carts.id OFFSET 100 LIMIT 1"
    )
    heading("GET /cart on one shard: everything is local")
    print(b.explain(cart_statement(user), analyze=True))
    heading("A line is found by its id: which the shard can be told from")
    print(f"line {line} of cart {cart} of user {user}: rests {line % SHARDS}, {cart % SHARDS}, {user % SHARDS}")
    heading("A statement that crosses shards: the books of a cart of B, when they are a foreign table of A")
    b.run("CREATE EXTENSION postgres_fdw; CREATE SCHEMA elsewhere")
    b.run(
        f"CREATE SERVER a FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '127.0.0.1', port '{a.cluster.port}', "
        "dbname 'postgres', use_remote_estimate 'true')"
    )
    b.run(f"CREATE USER MAPPING FOR postgres SERVER a OPTIONS (user 'postgres', password '{a.cluster.password}')")
    b.run("IMPORT FOREIGN SCHEMA public LIMIT TO (books, carts, cart_items) FROM SERVER a INTO elsewhere")
    of_cart = (
        "SELECT line.id, line.quantity, book.title, book.price FROM cart_items line JOIN {books} book "
        f"ON book.id = line.book_id WHERE line.cart_id = {cart} ORDER BY line.id"
    )
    print(b.explain(of_cart.format(books="elsewhere.books")))
    for name, books in (("replicated", "books"), ("foreign", "elsewhere.books")):
        print(f"{name} books: {milliseconds(b, of_cart.format(books=books)):.2f} ms, the median of 200")
    heading("One that must ask every shard: the books that most carts hold, as the admin's overview does")
    print(
        b.explain(
            "SELECT book_id, count(*) FROM (SELECT book_id FROM cart_items UNION ALL "
            "SELECT book_id FROM elsewhere.cart_items) line GROUP BY book_id ORDER BY 2 DESC LIMIT 5"
        )
    )


def milliseconds(shard: Shard, text: str) -> float:
    from statistics import median
    from time import perf_counter

    times = []
    for _ in range(200):
        begun = perf_counter()
        shard.rows(text)
        times.append(1000 * (perf_counter() - begun))
    return median(times)


def breakages(a: Shard, b: Shard) -> None:
    heading("What a plain split breaks")
    for shard in (a, b):
        shard.run(
            "INSERT INTO users (email, password, is_superuser, is_staff, is_active) "
            "VALUES ('alice@example.com', '!', false, false, true)"
        )
    [(both,)] = a.rows("SELECT count(*) FROM users WHERE email = 'alice@example.com'")
    [(there,)] = b.rows("SELECT count(*) FROM users WHERE email = 'alice@example.com'")
    print(f"alice@example.com registered on A ({both}) and on B ({there}): each shard's unique constraint sees its own")
    [(book, before)] = b.rows("SELECT book_id, count(*) FROM cart_items GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 1")
    a.run(f"DELETE FROM books WHERE id = {book}")
    wait(b, f"SELECT NOT EXISTS (SELECT 1 FROM books WHERE id = {book})")
    [(left,)] = b.rows(f"SELECT count(*) FROM cart_items WHERE book_id = {book}")
    [(on_a,)] = a.rows(f"SELECT count(*) FROM cart_items WHERE book_id = {book}")
    print(
        f"book {book} deleted on A: its lines on A: {on_a}; on B {left} of {before} are left, without a "
        "book: replication applies changes without asking foreign keys"
    )
    try:
        b.run("INSERT INTO cart_items (cart_id, book_id, quantity, price_at_add) SELECT id, 0, 1, 1 FROM carts LIMIT 1")
        print("a line of a book that is not there was accepted")
    except psycopg.errors.ForeignKeyViolation:
        print("a line of a book that is not there is refused on B, too, which has the replicated books")


def sizes(shard: Shard) -> None:
    heading("Bytes of a row, with its share of every index")
    for table in TABLES:
        [(rows, total)] = shard.rows(f"SELECT count(*), pg_total_relation_size('{table}') FROM {table}")
        print(f"{table:<15} {total / rows:6.0f} bytes ({rows:,} rows, {total / 2**20:.1f} MiB)")
    print("write-ahead log of a changed line and its stamped cart, which are on pages of their own:")
    shard.run("CHECKPOINT")
    for when in ("right after a checkpoint, when each page is written whole", "again"):
        before = position(shard)
        shard.run(
            "UPDATE cart_items SET quantity = quantity + 1 "
            "WHERE id IN (SELECT min(id) FROM cart_items GROUP BY cart_id)"
        )
        shard.run("UPDATE carts SET updated_at = now()")
        [(changed,)] = shard.rows("SELECT count(*) FROM carts")
        print(f"  {(position(shard) - before) / changed:,.0f} bytes {when}")


def position(shard: Shard) -> int:
    """Bytes of write-ahead log since the beginning."""
    return int(shard.rows("SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn")[0][0])


if __name__ == "__main__":
    sys.exit(main())
