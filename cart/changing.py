"""The transaction that every change of a cart runs in."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import models, transaction
from django.db.models.functions import Greatest, Now

from bookstore.accounts.models import User
from cart.exceptions import CartChanged
from cart.facts import NO_CART
from cart.representation import cart_json, dump, version_of
from catalog.models import Book

if TYPE_CHECKING:
    from cart.models import Cart

# The versions of If-Match, one of which must be the cart's; None: no check.
Versions = Container[str] | None


def time_of_change() -> Greatest:
    """Now, but always later than the previous `updated_at`, even when the clock is behind (after a failover, say)."""
    return Greatest(Now(), models.F("updated_at") + timedelta(microseconds=1))


class Change:
    """One change of a cart, while its transaction is open."""

    is_new_cart = False  # there was no cart when the change began
    undo = False  # set when nothing was written: the transaction is rolled back, without an error


@contextmanager
def changing(
    cart: Cart, *, create: bool = False, if_match: Versions = None, books: Iterable[int] = ()
) -> Iterator[Change]:
    """The transaction of one change: locks the cart, so that its changes run one at a time; then `books`.

    `create` inserts a missing cart; without it there is nothing to lock, and no line. `if_match` is compared under
    the lock, with NO_CART for a missing cart; a shared lock on the shown books then keeps the prices that the
    caller saw. At the end the cart is read into `as_left`: one query.
    """
    carts = type(cart).objects
    known = cart.pk
    user = User(pk=cart.user_id)  # by id, without a query: it may be deleted
    change = Change()
    try:
        with transaction.atomic():
            while not cart._lock():
                change.is_new_cart = True
                if not create:
                    break
                cart.pk = carts.for_user(user).pk
            if if_match is not None:
                shown = carts.filter(pk=cart.pk, items__isnull=False).values_list("items__book_id", flat=True)
                Book.objects.lock_shared({*books, *shown}, unchanged=True)
                seen = carts.facts(cart.pk)
                if change.is_new_cart and not seen.lines:
                    seen = NO_CART
                if version_of(dump(cart_json(seen))) not in if_match:
                    raise CartChanged
            elif books:
                Book.objects.lock_shared(books)
            yield change
            if change.undo:
                transaction.set_rollback(True)
            else:
                cart.as_left = carts.facts(cart.pk)
        if change.undo:
            cart.pk, cart.as_left = known, NO_CART
    except BaseException:
        cart.pk = known  # an inserted cart is rolled back, too
        raise
