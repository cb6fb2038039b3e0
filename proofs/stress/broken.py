"""The sabotages: what each breaks, and the row of the proof that must fail, with small sizes.

Nothing of the product is imported here: this file is read at the start of each process of the build.
"""

import functools
import math
import time
from collections.abc import Callable, Sequence
from typing import Any

from proofs.stress.sabotage import Break, Sabotage

Function = Callable[..., Any]


def instead(module: str, attribute: str, function: Function) -> Break:
    return Break(module, attribute, lambda original: function)


def value(module: str, attribute: str, new: Any) -> Break:
    return Break(module, attribute, lambda original: new)


# --- carts ---


def no_row(*args: Any, **values: Any) -> None:
    """A statement that never finds anything to do: the verbs do the work, as on other databases."""


def without_lock(cart: Any) -> bool:
    return bool(cart.is_stored and type(cart).objects.filter(pk=cart.pk).exists())


def not_recognised(*names: str) -> Callable[[Function], Function]:
    """`violated`, which takes these constraints for others."""

    def make(original: Function) -> Function:
        return lambda error, name, *columns: name not in names and original(error, name, *columns)

    return make


def bulk_create_unguarded(original: Function) -> Function:
    return lambda rows, objects, **options: original(rows, objects, **{**options, "ignore_conflicts": False})


def save_instead_of_update(line: Any, quantity: int, **options: Any) -> None:
    line.quantity = quantity
    line.save()


def kept_for_a_second(original: Function) -> Function:
    kept: dict[Any, Any] = {}

    def rows(**values: Any) -> Any:
        key = (values["session_id"], int(time.time()))
        if key not in kept:
            kept[key] = original(**values)
        return kept[key]

    return rows


def answered_before_it_is_done(original: Function) -> Function:
    def change_quantity(caller: Any, item_id: int, quantity: int) -> Any:
        from threading import Timer

        from cart import statements

        Timer(0.01, original, (caller, item_id, quantity)).start()
        return statements.read(caller)

    return change_quantity


def lines_before_cart(original: Function) -> Function:
    def lock(cart: Any) -> bool:
        if cart.is_stored:
            list(cart.items.select_for_update().order_by("?"))
        return bool(original(cart))

    return lock


def shared_lock_in_no_order(original: Function) -> Function:
    return lambda books, ids, *, unchanged=False: original(books, ids, unchanged=True) if unchanged else None


def lock_with_key(original: Function) -> Function:
    """FOR UPDATE where FOR NO KEY UPDATE does."""
    return lambda rows, *args, **options: original(rows, *args, **{**options, "no_key": False})


class ReadAgain:
    """The user that a change names by id is read: it may be gone."""

    def __init__(self, model: Any) -> None:
        self.model, self.objects = model, model.objects

    def __call__(self, pk: int) -> Any:
        return self.model.objects.get(pk=pk)


def one_copy_more(original: Function) -> Function:
    return lambda quantity, **facts: original(quantity + 1, **facts)


def take_what_was_seen(copies: Any) -> bool:
    from catalog.models import Book

    for book in Book.objects.filter(pk__in=copies):
        Book.objects.filter(pk=book.pk).update(stock_quantity=max(0, book.stock_quantity - copies[book.pk]))
    return True


def twice(original: Function) -> Function:
    def give_back(copies: Any) -> None:
        original(copies)
        original(copies)

    return give_back


NO_STATEMENTS = [instead("cart.statements", "run", no_row)]
NO_LOCK = [*NO_STATEMENTS, instead("cart.models", "Cart._lock", without_lock)]
# What the code waits for never comes, so that what does come is a 500.
UNCAUGHT_IN_STATEMENTS = value("cart.statements", "IntegrityError", ZeroDivisionError)


# --- the database, the server, the accounts ---


def at_once_on_the_server_only(original: Function) -> Function:
    """Commits are answered before they are on the disk."""

    def set_timeouts(wrapper: Any, connection: Any) -> bool:
        original(wrapper, connection)
        with connection.cursor() as cursor:
            cursor.execute("SET synchronous_commit = off")
        return True

    return set_timeouts


def patient(original: Function) -> Function:
    @functools.wraps(original)
    def init(*args: Any, **options: Any) -> None:
        original(*args, **{**options, "patience": 600.0})

    return init


def late(original: Function) -> Function:
    def init(*args: Any, **options: Any) -> None:
        time.sleep(2.1)
        original(*args, **options)

    return init


def only_of_somebody(original: Function) -> Function:
    """Nothing is hashed for an email that nobody has."""
    return lambda user, password: user.pk is not None and original(user, password)


def counted_in_this_process(key: str, limit: int, seconds: int, counts: dict[str, int] | None = None) -> int:
    counts = _counts if counts is None else counts
    counts[key] = counts.get(key, 0) + 1
    return 0 if counts[key] <= limit else seconds


_counts: dict[str, int] = {}


def without_kind(kind: str) -> Callable[[Function], Function]:
    """Attempts are not counted by this: each has a key of its own."""

    def make(original: Function) -> Function:
        def key_of(scope: str, counted_by: str, counted: str) -> Any:
            return original(scope, counted_by, str(time.monotonic_ns()) if counted_by == kind else counted)

        return key_of

    return make


ENDLESS_WAIT = [instead("bookstore.database.deadlines", "Connection.seconds_to_answer", lambda connection: math.inf)]
NO_REQUEST_BOUND = [instead("bookstore.database.deadlines", "request_timeout", lambda seconds: math.inf)]


# --- the documents, and the migrations ---


def without_errors_of(code: str) -> Callable[[Function], Function]:
    def make(original: Function) -> Function:
        return lambda *errors: original(*(error for error in errors if error.code != code))

    return make


def first_sql(*statements: str) -> Callable[[Sequence[Any]], list[Any]]:
    def make(operations: Sequence[Any]) -> list[Any]:
        from django.db.migrations import RunSQL

        return [*(RunSQL(sql) for sql in statements), *operations]

    return make


def last_sql(sql: str) -> Callable[[Sequence[Any]], list[Any]]:
    def make(operations: Sequence[Any]) -> list[Any]:
        from django.db.migrations import RunSQL

        return [*operations, RunSQL(sql)]

    return make


def dump_without_lines(original: Function) -> Function:
    def commands_of(*named: Any) -> list[str]:
        return [each.replace("pg_dump", "pg_dump --exclude-table-data=public.cart_items") for each in original(*named)]

    return commands_of


def of_race(race: str, breaks: Sequence[Break], rounds: int = 100) -> Sabotage:
    return Sabotage("races", f"race: {race}", breaks, {"race": race, "rounds": rounds})


SABOTAGES = {
    "cart-made-unguarded": of_race(
        "first adds of different books", [Break("cart.querysets", "CartQuerySet.bulk_create", bulk_create_unguarded)]
    ),
    "check-then-insert": of_race(
        "adds of the same book",
        [*NO_LOCK, Break("cart.models", "violated", not_recognised("uq_cart_items_cart_book"))],
    ),
    "save-not-update": of_race(
        "put against delete",
        [*NO_LOCK, instead("cart.models", "CartItem.change_quantity", save_instead_of_update)],
    ),
    "no-lock": of_race("merges an add and a clear", NO_LOCK),
    "no-version": of_race("adds at the bound", [value("cart.statements", "UNCHANGED", "true")]),
    "book-gone-uncaught": of_race(
        "adds against the books deletion",
        [UNCAUGHT_IN_STATEMENTS, Break("cart.models", "violated", not_recognised("fk_cart_items_book_id"))],
        400,
    ),
    "user-gone-uncaught": of_race(
        "adds against the users deletion",
        [UNCAUGHT_IN_STATEMENTS, value("cart.querysets", "UserInactive", RuntimeError)],
        400,
    ),
    "unguarded-register": of_race(
        "registers of the same email", [value("bookstore.accounts.querysets", "EmailConflict", RuntimeError)], 50
    ),
    "unlocked-refresh": of_race(
        "refreshes of the same token", [value("bookstore.accounts.sessions", "lock", no_row)], 50
    ),
    "cached-cart": Sabotage(
        "reads", "read after write", [Break("cart.statements", "READ.rows", kept_for_a_second)], {"rounds": 40}
    ),
    "early-answer": Sabotage(
        "reads",
        "read after write",
        [Break("cart.statements", "change_quantity", answered_before_it_is_done)],
        {"rounds": 40},
    ),
    "line-before-cart": Sabotage(
        "mixed",
        "mixed operations",
        [*NO_STATEMENTS, Break("cart.models", "Cart._lock", lines_before_cart)],
        {"rounds": 60, "seconds": 10},
    ),
    "books-as-sent": Sabotage(
        "mixed",
        "mixed operations",
        [
            *NO_STATEMENTS,
            Break("catalog.querysets", "BookQuerySet.lock_shared", shared_lock_in_no_order),
            Break("catalog.querysets", "BookQuerySet.select_for_update", lock_with_key),
        ],
        {"rounds": 60, "seconds": 10},
    ),
    "user-read-again": of_race("adds against the users deletion", [Break("cart.changing", "User", ReadAgain)], 400),
    "stock-not-guarded": Sabotage(
        "orders",
        "orders: the same last copies",
        # Looked at without a lock, and taken whatever it is by then.
        [
            instead("catalog.querysets", "BookQuerySet.lock", lambda books, ids: None),
            instead("orders.views", "buy", lambda caller, asked: None),
            instead("orders.steps", "take", take_what_was_seen),
        ],
        {"rounds": 150},
    ),
    "order-statement-without-lock": Sabotage(
        "order_races",
        "orders, 2 hosts: last copies of overlapping carts",
        [Break("orders.statements", "WRITE", lambda sql: sql.replace("FOR NO KEY UPDATE OF books", ""))],
        {"rounds": 20},
    ),
    "given-back-twice": Sabotage(
        "orders",
        "orders: the same last copies",
        [Break("orders.models", "give_back", twice)],
        {"rounds": 60},
    ),
    "lazy-commit": Sabotage(
        "crashes",
        "crashes: acknowledged writes",
        [Break("bookstore.database.base", "DatabaseWrapper.set_timeouts", at_once_on_the_server_only)],
        {"crashes": 12},
    ),
    "dead-connection-kept": Sabotage(
        "crashes",
        "crashes: back after a",
        [instead("bookstore.database.base", "DatabaseWrapper.is_usable", lambda wrapper: True)],
        {"crashes": 3},
    ),
    "no-retry-after": Sabotage(
        "crashes",
        "crashes: acknowledged writes",
        [value("bookstore.api.errors", "ServiceUnavailable.headers", {})],
        {"crashes": 6},
    ),
    "no-timeouts": Sabotage(
        "overload",
        "a table locked",
        # Either alone keeps the promise.
        [
            instead("bookstore.database.base", "DatabaseWrapper.set_timeouts", lambda wrapper, connection: False),
            *ENDLESS_WAIT,
        ],
        {"seconds": 10},
    ),
    "endless-patience": Sabotage(
        "overload",
        "ten times",
        # The bound of a request would end the waiting, too.
        [Break("bookstore.server.slots", "Slots.__init__", patient), *NO_REQUEST_BOUND],
        {"seconds": 12},
    ),
    "endless-wait": Sabotage("swallow", "a network that swallows", ENDLESS_WAIT, {"seconds": 8}),
    "no-request-bound": Sabotage("swallow", "a network that swallows", NO_REQUEST_BOUND, {"seconds": 12}),
    "one-thread": Sabotage(
        "slow",
        "200 slow clients, server alone",
        [value("bookstore.server.main", "LARGEST_QUEUE", 0)],
        {"seconds": 8},
    ),
    "stock-checked-wrongly": Sabotage(
        "model",
        "model:",
        [Break("cart.issues", "blocking_issue", one_copy_more)],
        {"seeds": 1, "operations": 400, "clients": 8},
    ),
    "quick-refusal": Sabotage(
        "login",
        "login: time of known",
        [Break("bookstore.accounts.models", "User.check_password", only_of_somebody)],
        {"rounds": 100},
    ),
    "throttle-in-each-process": Sabotage(
        "login",
        "login: guesses",
        [instead("bookstore.accounts.throttling", "count", counted_in_this_process)],
        {"rounds": 100},
    ),
    "forwarded-for-believed": Sabotage(
        "login",
        "login: guesses",
        [
            instead("bookstore.api.forwarded", "trusted", lambda address: True),
            # The account's own count would hide it.
            Break("bookstore.accounts.throttling", "key_of", without_kind("account")),
        ],
        {"rounds": 100},
    ),
    "addresses-not-counted": Sabotage(
        "login",
        "login: guesses at a different",
        [Break("bookstore.accounts.throttling", "key_of", without_kind("address"))],
        {"rounds": 100},
    ),
    "slow-refusal": Sabotage(
        "crashes",
        "crashes: slowest 503",
        [Break("bookstore.api.errors", "ServiceUnavailable.__init__", late)],
        {"crashes": 6},
    ),
    "status-undocumented": Sabotage(
        "schema",
        "schemathesis",
        [Break("bookstore.api.operations", "errors_of", without_errors_of("BOOK_NOT_FOUND"))],
        {"cases": 500},
    ),
    "locks-for-long": Sabotage(
        "migrations",
        "migration cart.0002_price_at_add",
        [
            Break(
                "cart.migrations.0002_price_at_add",
                "Migration.operations",
                # The lock of the first is held while the second works, as a rewrite of a large table does.
                first_sql("ALTER TABLE cart_items ALTER quantity SET DEFAULT 1", "SELECT pg_sleep(4)"),
            )
        ],
    ),
    "dump-without-lines": Sabotage(
        "backup",
        "backup",
        [Break("tests.support.documented", "commands_of", dump_without_lines)],
        in_harness=True,
    ),
    "lines-outside-the-log": Sabotage(
        "recovery",
        "recovery: base backup and archive",
        [Break("cart.migrations.0001_carts", "Migration.operations", last_sql("ALTER TABLE cart_items SET UNLOGGED"))],
    ),
}
