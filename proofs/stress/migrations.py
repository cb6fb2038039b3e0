"""Every migration on large tables, under the load of the previous release: no error, and no write that waits."""

import threading
import time
from typing import Any

from proofs.stress.stage import Stage

STALLS_AT_MOST = 2.0
AROUND = 1.5  # seconds of load before and after each migration
WRITERS = 4

# In a small table a rewrite, or an index that shuts writers out, is over before anybody notices.
# One statement for each table, in an order in which what a row points to is there; it names only columns of the first
# migration that makes the table, and whatever a later one adds has a default.
FILLED = {
    "users": """
        INSERT INTO users (password, email, is_superuser, is_staff, is_active)
        SELECT '!', 'reader' || n || '@example.com', false, false, true FROM generate_series(1, %s) n""",
    "books": """
        INSERT INTO books (title, author, price, title_folded, author_folded, publish_date, stock_quantity)
        SELECT 'Volume ' || n, 'Jane Austen', 1 + n %% 50, 'volume ' || n, 'jane austen',
               date '2000-01-01' + n %% 9000, 5
        FROM generate_series(1, %s) n""",
    "carts": "INSERT INTO carts (user_id) SELECT id FROM users ORDER BY id LIMIT %s",
    "cart_items": """
        INSERT INTO cart_items (cart_id, book_id, quantity)
        SELECT cart.id, book.id, 1
        FROM (SELECT id, row_number() OVER (ORDER BY id) AS place FROM carts) cart
        JOIN (SELECT id, row_number() OVER (ORDER BY id) AS place FROM books) book USING (place)
        LIMIT %s""",
}


class OldRelease:
    """Writes through the models as they were, as a process of the previous release does."""

    def __init__(self, apps: Any, number: int) -> None:
        self.apps, self.number = apps, number
        self.longest, self.writes = 0.0, 0
        self.errors: list[str] = []

    def write(self) -> bool:
        """False when there is no table yet to write to."""
        name = f"{self.number}-{self.writes}-{time.monotonic_ns()}"
        models = {model._meta.label: model for model in self.apps.get_models()}
        book = user = None
        if "catalog.Book" in models:
            book = models["catalog.Book"].objects.create(title=name, author="Jane Austen", price="9.50")
            models["catalog.Book"].objects.filter(pk=book.pk).update(stock_quantity=3)
        if "accounts.User" in models:
            user = models["accounts.User"].objects.create(email=f"{name}@example.com", password="!")  # noqa: S106  # no password fits
        if "cart.CartItem" in models and user and book:
            cart = models["cart.Cart"].objects.create(user=user)
            line = models["cart.CartItem"].objects.create(cart=cart, book=book, quantity=1)
            models["cart.CartItem"].objects.filter(pk=line.pk).update(quantity=2)
            models["cart.CartItem"].objects.filter(pk=line.pk).delete()
        return bool(book or user)

    def run(self, over: threading.Event) -> None:
        from django.db import connection

        while not over.is_set():
            begun = time.perf_counter()
            try:
                if not self.write():
                    over.wait(0.05)
                    continue
                self.writes += 1
            except Exception as error:  # whatever it is, a customer would have seen it
                self.errors.append(f"{type(error).__name__} {str(error).partition(chr(10))[0]}")
                over.wait(0.05)
            self.longest = max(self.longest, time.perf_counter() - begun)
        connection.close()


def migrations(stage: Stage) -> None:
    """By `manage.py migrate` of the build that is proved, one migration after the other."""
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    ours = {"accounts", "catalog", "cart"}
    executor = MigrationExecutor(connection)
    plan = [step for step, _ in executor.migration_plan(executor.loader.graph.leaf_nodes(), clean_start=True)]
    executor.migrate([(app, None) for app in sorted(ours)])
    steps = [step for step in plan if step.app_label in ours]
    for step in steps:
        executor = MigrationExecutor(connection)
        before = executor.loader.project_state(list(executor.loader.applied_migrations)).apps
        under_load(stage, step, before, fill(stage.cluster.url, stage.options.rows))
    empty(stage.cluster.url)
    # What stands on ours went with them (the admin's log): the parts that follow need all.
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())


def under_load(stage: Stage, step: Any, before: Any, rows: dict[str, int]) -> None:
    writers = [OldRelease(before, number) for number in range(WRITERS)]
    over = threading.Event()
    threads = [threading.Thread(target=writer.run, args=(over,)) for writer in writers]
    for thread in threads:
        thread.start()
    fault, seconds = "", 0.0
    try:
        time.sleep(AROUND)
        begun = time.monotonic()
        ran = stage.manage("migrate", step.app_label, step.name, "-v0")
        seconds = time.monotonic() - begun
        if ran.returncode:
            fault = f"migrate ended with {ran.returncode}: {(ran.stderr.strip().splitlines() or ['nothing said'])[-1]}"
        time.sleep(AROUND)
    finally:
        over.set()
        for thread in threads:
            thread.join(30)
    errors = [error for writer in writers for error in writer.errors] + ([fault] if fault else [])
    longest, writes = max(writer.longest for writer in writers), sum(writer.writes for writer in writers)
    tables = ", ".join(f"{count:,} {table}" for table, count in rows.items()) or "no table"
    stage.report(
        f"migration {step.app_label}.{step.name}",
        f"beside {tables}: {seconds:.1f} s, {writes} rounds of writes by the release before it, {len(errors)} errors, "
        f"longest {longest:.2f} s" + (f"; first: {errors[0]}" if errors else ""),
        # Before the first there is nothing to write to.
        not errors
        and longest <= STALLS_AT_MOST
        and (writes > 0 or not rows)
        and all(count >= stage.options.rows for count in rows.values()),
    )


def fill(url: str, wanted: int) -> dict[str, int]:
    """Rows of each table that is there by now, after those that were empty were filled."""
    import psycopg  # and not Django's connection: that gives up what takes longer than a request may

    found: dict[str, int] = {}
    with psycopg.connect(url, autocommit=True) as connection:
        there = {name for (name,) in connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")}
        for table, statement in FILLED.items():
            if table in there and count(connection, table) < wanted:
                connection.execute(statement.encode(), [wanted])
                connection.execute(f'ANALYZE "{table}"'.encode())
            if table in there:
                found[table] = count(connection, table)
    return found


def count(connection: Any, table: str) -> int:
    [(rows,)] = connection.execute(f'SELECT count(*) FROM "{table}"').fetchall()  # noqa: S608  # a name from above
    return int(rows)


def empty(url: str) -> None:
    """The parts that follow compare whole tables, and need none of this."""
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("TRUNCATE users, books CASCADE")
