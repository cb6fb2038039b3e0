"""Fills the database of one variant with the rows of data.py, and writes tokens for its customers.

python -m proofs.benchmarks.load project|plain FOLDER
"""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from proofs.benchmarks import data

CUSTOMERS = range(1, data.CUSTOMERS + 1)
UNUSABLE = "!"  # no password has this hash: nobody signs in, and the tokens are made below


def load_project(folder: Path) -> None:
    from bookstore.accounts import tokens
    from bookstore.accounts.models import LoginSession, User
    from cart.models import Cart, CartItem
    from catalog.models import Book, Genre

    users = [User(pk=pk, email=email_of(pk), password=UNUSABLE) for pk in CUSTOMERS]
    load([User, Cart, CartItem, Book, Genre], users)
    data.write_pools(
        folder, {user.pk: tokens.issue(LoginSession.objects.begin(user))["access_token"] for user in users}
    )


def load_plain(folder: Path) -> None:
    from django.contrib.auth.models import User
    from rest_framework_simplejwt.tokens import AccessToken

    from proofs.benchmarks.plain.models import Book, Cart, CartItem, Genre

    users = [User(pk=pk, username=email_of(pk), password=UNUSABLE) for pk in CUSTOMERS]
    load([User, Cart, CartItem, Book, Genre], users)
    # The tokens of simplejwt name the user as `user_id`, those of django-bolt as `sub`.
    tokens = {}
    for user in users:
        token = AccessToken.for_user(user)
        token["sub"] = str(user.pk)
        tokens[user.pk] = str(token)
    data.write_pools(folder, tokens)


def email_of(pk: int) -> str:
    return f"customer{pk}@example.com"


def load(models: Sequence[Any], users: Sequence[Any]) -> None:
    """The rows of data.py, which are the same for each variant's models."""
    User, Cart, CartItem, Book, Genre = models  # they are classes
    for genre in data.genres():
        Genre.objects.create(**genre)
    Book.objects.bulk_create([Book(**row) for row in data.books()], batch_size=2000)
    User.objects.bulk_create(users)
    Cart.objects.bulk_create([Cart(pk=user.pk, user=user) for user in users])
    lines = (
        CartItem(
            pk=line.id,
            cart_id=line.customer,
            book_id=line.book,
            quantity=line.quantity,
            price_at_add=data.price_of(line.book),
        )
        for line in data.lines()
    )
    CartItem.objects.bulk_create(lines, batch_size=5000)
    settle(models)


def settle(models: Sequence[type]) -> None:
    """Lets the sequences go on after the ids that were given, and the planner know the tables."""
    from django.core.management.color import no_style
    from django.db import connection

    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), models):
            cursor.execute(statement)
        cursor.execute("VACUUM ANALYZE" if connection.vendor == "postgresql" else "ANALYZE")


if __name__ == "__main__":
    variant, target = sys.argv[1], Path(sys.argv[2])
    os.environ["DJANGO_SETTINGS_MODULE"] = {
        "project": "bookstore.settings",
        "plain": "proofs.benchmarks.plain.settings",
    }[variant]
    import django

    django.setup()
    {"project": load_project, "plain": load_plain}[variant](target)
