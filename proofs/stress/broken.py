"""What is broken in each sabotage, and which row of which proof must see it, with sizes that suffice."""

from proofs.stress.sabotage import Patch, Sabotage

NO_STATEMENTS: list[Patch] = [
    # The verbs of models.py do the work, as on other databases.
    ("cart/statements.py", 'connection.vendor != "postgresql" or', "True or"),
]
NO_LOCK: list[Patch] = [
    *NO_STATEMENTS,
    ("cart/models.py", "Cart.objects.select_for_update().filter(pk=self.pk)", "Cart.objects.filter(pk=self.pk)"),
]
ENDLESS_WAIT: list[Patch] = [
    (
        "bookstore/database/deadlines.py",
        "        seconds = _own.ends_at - monotonic()\n"
        "        if seconds > self.answer_timeout:\n"
        "            seconds = self.answer_timeout\n",
        "        seconds = INFINITE\n",
    )
]
UNCAUGHT_IN_STATEMENTS: Patch = ("cart/statements.py", "    except IntegrityError:", "    except ZeroDivisionError:")


def of_race(race: str, patches: list[Patch], rounds: int = 100) -> Sabotage:
    return Sabotage("races", f"race: {race}", patches, {"race": race, "rounds": rounds})


SABOTAGES = {
    "cart-made-unguarded": of_race(
        "first adds of different books", [("cart/querysets.py", ", ignore_conflicts=True)", ")")]
    ),
    "check-then-insert": of_race(
        "adds of the same book",
        [*NO_LOCK, ("cart/models.py", 'if violated(error, "uq_cart_items_cart_book"', 'if violated(error, "nothing"')],
    ),
    "save-not-update": of_race(
        "put against delete",
        [
            *NO_LOCK,
            (
                "cart/models.py",
                "if not this_line.update(quantity=quantity, price_at_add=models.Subquery(price)):\n"
                "                raise CartItemNotFound",
                "self.quantity = quantity\n            self.save()",
            ),
        ],
    ),
    "no-lock": of_race("merges an add and a clear", NO_LOCK),
    "no-version": of_race("adds at the bound", [("cart/statements.py", " AND carts.updated_at = seen.updated_at", "")]),
    "book-gone-uncaught": of_race(
        "adds against the books deletion",
        [
            UNCAUGHT_IN_STATEMENTS,
            ("cart/models.py", 'if violated(error, "fk_cart_items_book_id"):', 'if violated(error, "nothing"):'),
        ],
        400,
    ),
    "user-gone-uncaught": of_race(
        "adds against the users deletion",
        [UNCAUGHT_IN_STATEMENTS, ("cart/querysets.py", "raise UserInactive from error", "raise")],
        400,
    ),
    "unguarded-register": of_race(
        "registers of the same email", [("bookstore/accounts/models.py", "raise EmailConflict from error", "raise")], 50
    ),
    "any-token-wins": of_race(
        "refreshes of the same token",
        [
            (
                "bookstore/accounts/models.py",
                "filter(pk=self.pk, refresh_jti=jti, ended_at=None).update",
                "filter(pk=self.pk).update",
            )
        ],
        50,
    ),
    "cached-cart": Sabotage(
        "reads",
        "read after write",
        [
            (
                "cart/statements.py",
                "from functools import cache\n",
                "from functools import cache\nfrom time import time\n",
            ),
            (
                "cart/statements.py",
                "    rows = READ.rows(session_id=claims.session_id, user_id=claims.user_id)\n",
                "    held = globals().setdefault('held', {})\n"
                "    key = (claims.session_id, int(time()))\n"  # good for a second, in this process
                "    if key not in held:\n"
                "        held[key] = READ.rows(session_id=claims.session_id, user_id=claims.user_id)\n"
                "    rows = held[key]\n",
            ),
        ],
        {"rounds": 40},
    ),
    "early-answer": Sabotage(
        "reads",
        "read after write",
        [
            # A thread of its own changes the line, a moment after the answer.
            (
                "cart/statements.py",
                "    row = _run(CHANGE, caller, item_id=item_id, quantity=quantity)\n"
                "    return line_json(*row) if row else None",
                "    from threading import Timer\n\n"
                "    claims = caller.claims\n"
                "    rows = READ.rows(session_id=claims.session_id, user_id=claims.user_id)\n"
                "    Timer(0.01, _run, (CHANGE, caller), {'item_id': item_id, 'quantity': quantity}).start()\n"
                "    return line_json(*next(row[1:] for row in rows if row[1] == item_id))",
            ),
        ],
        {"rounds": 40},
    ),
    "line-before-cart": Sabotage(
        "mixed",
        "mixed operations",
        [
            *NO_STATEMENTS,
            (
                "cart/models.py",
                "        try:\n            with transaction.atomic():\n                there_was_none = False\n",
                "        try:\n            with transaction.atomic():\n                there_was_none = False\n"
                "                if self.is_stored:\n"
                "                    list(CartItem.objects.select_for_update().filter(cart=self.pk).order_by('?'))\n",
            ),
        ],
        {"rounds": 60, "seconds": 10},
    ),
    "books-as-sent": Sabotage(
        "mixed",
        "mixed operations",
        [
            ("cart/models.py", "                    Book.objects.keep(books)\n", "                    pass\n"),
            ("catalog/admin/books.py", '"pk").select_for_update(no_key=True)', '"pk").select_for_update()'),
        ],
        {"rounds": 60, "seconds": 10},
    ),
    "user-read-again": of_race(
        "adds against the users deletion",
        [
            ("cart/models.py", "Cart.objects.for_user(user).pk", "Cart.objects.for_user(self.user).pk"),
            (
                "cart/models.py",
                "now = Cart.objects.with_lines().of(user)",
                "now = Cart.objects.with_lines().of(self.user)",
            ),
        ],
        400,
    ),
    "lazy-commit": Sabotage(
        "crashes",
        "crashes: acknowledged writes",
        [("bookstore/database/base.py", "SET {name} = {milliseconds}", "SET synchronous_commit = off")],
        {"crashes": 12},
    ),
    "dead-connection-kept": Sabotage(
        "crashes",
        "crashes: back after a",
        [
            (
                "bookstore/database/base.py",
                "        connection = self.connection\n        if connection is None or connection.closed:\n"
                "            return False\n",
                "        return True\n        connection = self.connection\n",
            )
        ],
        {"crashes": 3},
    ),
    "no-retry-after": Sabotage(
        "crashes",
        "crashes: acknowledged writes",
        [("bookstore/api/errors.py", '    headers = {"Retry-After": str(RETRY_AFTER)}', "    headers = {}")],
        {"crashes": 6},
    ),
    "no-timeouts": Sabotage(
        "overload",
        "a table locked",
        [
            ("bookstore/database/base.py", "SET {name} = {milliseconds}", "SET {name} = 0"),
            *ENDLESS_WAIT,  # either alone keeps the promise
        ],
        {"seconds": 10},
    ),
    "endless-patience": Sabotage(
        "overload",
        "ten times",
        [
            ("bookstore/server/slots.py", "PATIENCE = 1.8", "PATIENCE = 600.0"),
            # The bound of a request would end the waiting, too.
            ("bookstore/wsgi.py", "longest=settings.REQUEST_TIMEOUT", 'longest=float("inf")'),
        ],
        {"seconds": 12},
    ),
    "endless-wait": Sabotage("swallow", "a network that swallows", ENDLESS_WAIT, {"seconds": 8}),
    "no-request-bound": Sabotage(
        "swallow",
        "a network that swallows",
        [("bookstore/wsgi.py", "longest=settings.REQUEST_TIMEOUT", 'longest=float("inf")')],
        {"seconds": 12},
    ),
    "one-thread": Sabotage(
        "slow",
        "200 slow clients, server alone",
        [("bookstore/server/main.py", "LARGEST_QUEUE + 1", "1")],
        {"seconds": 8},
    ),
    "stock-checked-wrongly": Sabotage(
        "model",
        "model:",
        [("cart/issues.py", "elif quantity > stock:", "elif quantity >= stock:")],
        {"seeds": 1, "operations": 400, "clients": 8},
    ),
    "quick-refusal": Sabotage(
        "login",
        "login: time of known",
        [
            (
                "bookstore/accounts/models.py",
                "known = (user or User(password=NOBODYS_PASSWORD)).check_password(password)",
                "known = user is not None and user.check_password(password)",
            )
        ],
        {"rounds": 100},
    ),
    "throttle-in-each-process": Sabotage(
        "login",
        "login: guesses",
        [
            (
                "bookstore/accounts/throttling.py",
                "    return count_in_database(key, limit, seconds)",
                "    held = globals().setdefault('held', {})\n"
                "    held[key] = held.get(key, 0) + 1\n"
                "    return 0 if held[key] <= limit else seconds",
            )
        ],
        {"rounds": 100},
    ),
    "forwarded-for-believed": Sabotage(
        "login",
        "login: guesses",
        [
            ("bookstore/accounts/throttling.py", "    if trusted(client):\n        for", "    if True:\n        for"),
            # The account's own count would hide it.
            ("bookstore/accounts/throttling.py", ', ("account", normalise_email(account))', ","),
        ],
        {"rounds": 100},
    ),
    "addresses-not-counted": Sabotage(
        "login",
        "login: guesses at a different",
        [
            (
                "bookstore/accounts/throttling.py",
                '(("address", client_of(request)), ("account", normalise_email(account)))',
                '(("account", normalise_email(account)),)',
            )
        ],
        {"rounds": 100},
    ),
    "slow-refusal": Sabotage(
        "crashes",
        "crashes: slowest 503",
        [
            (
                "bookstore/api/errors.py",
                '    headers = {"Retry-After": str(RETRY_AFTER)}\n',
                '    headers = {"Retry-After": str(RETRY_AFTER)}\n\n'
                "    def __init__(self, *args, **kwargs):\n        __import__('time').sleep(2.1)\n"
                "        super().__init__(*args, **kwargs)\n",
            )
        ],
        {"crashes": 6},
    ),
    "status-undocumented": Sabotage(
        "schema",
        "schemathesis",
        [
            (
                "catalog/views.py",
                '        operation_id="delete_book",\n        tags=["catalogue"],\n        summary="Delete a book",\n'
                "        responses={204: None, **errors_of(BookNotFound)},",
                '        operation_id="delete_book",\n        tags=["catalogue"],\n        summary="Delete a book",\n'
                "        responses={204: None},",
            ),
            (
                "catalog/views.py",
                "        - 204: it is gone.\n        - 404 BOOK_NOT_FOUND: there is none with this id (any more).\n",
                "        - 204: it is gone.\n",
            ),
        ],
        {"cases": 500},
    ),
    "locks-for-long": Sabotage(
        "migrations",
        "migration cart.0002_price_at_add",
        [
            (
                "cart/migrations/0002_price_at_add.py",
                "    operations = [\n",
                # The lock of the first is held while the second works, as a rewrite of a large table does.
                "    operations = [\n"
                "        migrations.RunSQL('ALTER TABLE cart_items ALTER quantity SET DEFAULT 1'),\n"
                "        migrations.RunSQL('SELECT pg_sleep(4)'),\n",
            )
        ],
    ),
    "dump-without-lines": Sabotage(
        "backup",
        "backup",
        [
            (
                "docs/running.md",
                "pg_dump --format=custom --no-owner --file=",
                "pg_dump --format=custom --no-owner --exclude-table-data=public.cart_items --file=",
            )
        ],
    ),
    "lines-outside-the-log": Sabotage(
        "recovery",
        "recovery: base backup and archive",
        [
            (
                "cart/migrations/0001_carts.py",
                '        CascadeInDatabase("cart", "user", name="fk_carts_user_id"),\n',
                "        migrations.RunSQL('ALTER TABLE cart_items SET UNLOGGED'),\n"
                '        CascadeInDatabase("cart", "user", name="fk_carts_user_id"),\n',
            )
        ],
    ),
}
