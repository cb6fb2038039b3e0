"""Every migration under the load of the release before it: no error, and no write that waits for long."""

import threading
import time
from typing import Any

from torture.stage import Stage

STALLS_AT_MOST = 2.0
AROUND = 1.5  # seconds of load before and after each migration
WRITERS = 4


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
            user = models["accounts.User"].objects.create(email=f"{name}@example.com", password="!")  # noqa: S106
        if "cart.CartItem" in models and user and book:
            cart = models["cart.Cart"].objects.create(user=user)
            line = models["cart.CartItem"].objects.create(cart=cart, book=book, quantity=1)
            models["cart.CartItem"].objects.filter(pk=line.pk).update(quantity=2)
            models["cart.CartItem"].objects.filter(pk=line.pk).delete()
        return bool(book or user)

    def run(self, over: threading.Event) -> None:
        from django.db import DatabaseError, connection

        while not over.is_set():
            begun = time.perf_counter()
            try:
                if not self.write():
                    over.wait(0.05)
                    continue
                self.writes += 1
            except DatabaseError as error:
                self.errors.append(f"{type(error).__name__} {str(error).splitlines()[0]}")
            self.longest = max(self.longest, time.perf_counter() - begun)
        connection.close()


def migrations(stage: Stage) -> None:
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    ours = {"accounts", "catalog", "cart"}
    executor = MigrationExecutor(connection)
    plan = [step for step, _ in executor.migration_plan(executor.loader.graph.leaf_nodes(), clean_start=True)]
    executor.migrate([(app, None) for app in sorted(ours)])
    steps = [step for step in plan if step.app_label in ours]
    first = steps[0]
    for step in steps:
        executor = MigrationExecutor(connection)
        before = executor.loader.project_state(list(executor.loader.applied_migrations)).apps
        writers = [OldRelease(before, number) for number in range(WRITERS)]
        over = threading.Event()
        threads = [threading.Thread(target=writer.run, args=(over,)) for writer in writers]
        for thread in threads:
            thread.start()
        fault = ""
        try:
            time.sleep(AROUND)
            executor.migrate([(step.app_label, step.name)])
            time.sleep(AROUND)
        except Exception as error:
            fault = f"{type(error).__name__}: {error}"
        finally:
            over.set()
            for thread in threads:
                thread.join(30)
        errors = [error for writer in writers for error in writer.errors] + ([fault] if fault else [])
        longest, writes = max(writer.longest for writer in writers), sum(writer.writes for writer in writers)
        stage.report(
            f"migration {step.app_label}.{step.name}",
            f"{writes} rounds of writes by the release before it, {len(errors)} errors, longest {longest:.2f} s"
            + (f"; first: {errors[0]}" if errors else ""),
            # Before the first there is nothing to write to.
            not errors and longest <= STALLS_AT_MOST and (writes > 0 or step is first),
        )
    # What stands on ours went with them (the admin's log): the parts that follow need all.
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())
