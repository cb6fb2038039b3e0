"""Builds that are broken on purpose: a proof that passes on one of these proves nothing.

    python -m torture races --rounds 200 --sabotage no-version

exits with 0 when the proof failed there, as it must.
"""

from pathlib import Path

Patch = tuple[str, str, str]  # the file, what is there (exactly once), and what is put in its place

NO_STATEMENTS: list[Patch] = [
    # The verbs of models.py do the work, as on other databases.
    ("cart/statements.py", 'connection.vendor != "postgresql" or', "True or"),
]

ENDLESS_WAIT: list[Patch] = [
    ("bookstore/database/deadlines.py", "return wait(self, gen, interval, seconds)", "return wait(self, gen)")
]

PATCHES: dict[str, list[Patch]] = {
    # races: adds at the bound
    "no-version": [("cart/statements.py", " AND carts.updated_at = seen.updated_at", "")],
    # races: put against delete
    "save-not-update": [
        *NO_STATEMENTS,
        (
            "cart/models.py",
            "if not this_line.update(quantity=quantity, price_at_add=models.Subquery(price)):\n"
            "                raise CartItemNotFound",
            "self.quantity = quantity\n            self.save()",
        ),
        ("cart/models.py", "Cart.objects.select_for_update().filter(pk=self.pk)", "Cart.objects.filter(pk=self.pk)"),
    ],
    # races: merges, an add and a clear; adds at the bound; adds of the same book
    "no-lock": [
        *NO_STATEMENTS,
        ("cart/models.py", "Cart.objects.select_for_update().filter(pk=self.pk)", "Cart.objects.filter(pk=self.pk)"),
    ],
    # races: adds of the same book
    "check-then-insert": [
        *NO_STATEMENTS,
        ("cart/models.py", "Cart.objects.select_for_update().filter(pk=self.pk)", "Cart.objects.filter(pk=self.pk)"),
        ("cart/models.py", 'if violated(error, "uq_cart_items_cart_book"', 'if violated(error, "nothing"'),
    ],
    # races: refreshes of the same token
    "any-token-wins": [
        (
            "bookstore/accounts/models.py",
            "filter(pk=self.pk, refresh_jti=jti, ended_at=None).update",
            "filter(pk=self.pk).update",
        )
    ],
    # races: registers of the same email
    "unguarded-register": [("bookstore/accounts/models.py", "raise EmailConflict from error", "raise")],
    # crashes
    "lazy-commit": [("bookstore/database/base.py", "SET {name} = {milliseconds}", "SET synchronous_commit = off")],
    # overload
    "no-timeouts": [
        ("bookstore/database/base.py", "SET {name} = {milliseconds}", "SET {name} = 0"),
        *ENDLESS_WAIT,  # either alone keeps the promise
    ],
    # swallow
    "endless-wait": ENDLESS_WAIT,
    "no-request-bound": [("bookstore/wsgi.py", "longest=settings.REQUEST_TIMEOUT", 'longest=float("inf")')],
    # slow
    "one-thread": [("bookstore/management/commands/serve.py", "str(LARGEST_LINE + 1)", '"1"')],
    # model
    "stock-checked-wrongly": [("cart/issues.py", "elif quantity > stock:", "elif quantity >= stock:")],
    # login
    "quick-refusal": [
        (
            "bookstore/accounts/models.py",
            "known = (user or User(password=NOBODYS_PASSWORD)).check_password(password)",
            "known = user is not None and user.check_password(password)",
        )
    ],
}


def apply(name: str, root: Path) -> None:
    """Raises SystemExit when the code has changed so that the patch no longer fits."""
    for file, old, new in PATCHES[name]:
        path = root / file
        text = path.read_text()
        if text.count(old) != 1:
            raise SystemExit(f"error: the sabotage {name!r} no longer fits {file}: adapt torture/sabotage.py")
        path.write_text(text.replace(old, new))
