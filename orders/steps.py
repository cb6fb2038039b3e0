"""The two steps of a checkout under its locks, for every database, in a transaction of the caller's."""

from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from django.utils.timezone import now

from bookstore.accounts.models import User
from bookstore.database.locks import lock_shared
from cart.facts import NO_CART, CartFacts
from cart.models import Cart, CartItem
from cart.representation import dump
from catalog.models import Book
from orders.models import KEPT, CheckoutKey, OrderItem
from orders.representation import order_json
from orders.stock import take

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orders.models import Order


class Made(NamedTuple):
    """The result of a key. `answer` is None for one of an earlier release, which stored none."""

    fingerprint: str
    order_id: int
    answer: bytes | memoryview | None


class Look(NamedTuple):
    """What a checkout has read. Without the ids of order and items the database generates them."""

    at: datetime
    user_id: int | None  # None: the user was deleted
    made: Made | None = None
    cart_id: int | None = None
    cart: CartFacts = NO_CART
    isbns: dict[int, str | None] = {}  # never written to
    order_id: int | None = None
    item_ids: list[int | None] = []  # never written to


def look(user_id: int, key: str) -> Look:
    """Locks the user (shared), the cart and its books, by id; reads the result of the key. Seven queries at most."""
    lock_shared(User.objects.filter(pk=user_id))
    if not User.objects.filter(pk=user_id).exists():
        return Look(now(), user_id=None)
    found = Look(now(), user_id)
    cart = Cart.objects.select_for_update().filter(user=user_id).first()
    if key:  # read under the cart's lock, which another call with this key holds until it commits
        known = CheckoutKey.objects.good(found.at).filter(user=user_id, key=key)
        for row in known.values_list("fingerprint", "order_id", "answer"):
            return found._replace(made=Made(*row))
    if cart is None:
        return found
    ids = list(CartItem.objects.filter(cart=cart).values_list("book_id", flat=True))
    Book.objects.lock(ids)
    facts = Cart.objects.facts(cart.pk)
    isbns = dict(Book.objects.filter(pk__in=ids).values_list("pk", "isbn"))
    return found._replace(cart_id=cart.pk, cart=facts, isbns=isbns, item_ids=[None] * len(facts.lines))


def write(
    seen: Look, order: "Order", items: list[OrderItem], *, key: str, fingerprint: str, tasks: "Sequence[Any]"
) -> bool:
    """Takes the copies, stores the order, empties the cart and queues these tasks of the order. False when a book has
    too few copies: then roll back."""
    if not take({line.book_id: line.quantity for line in seen.cart.lines}):
        return False
    user_id = order.user_id
    assert user_id is not None  # noqa: S101  # a checkout has a user
    order.save(force_insert=True)
    OrderItem.objects.bulk_create(items)
    order.as_placed = dump(order_json(order, items))
    Cart(pk=seen.cart_id, user_id=user_id).clear()
    if key:
        keys = CheckoutKey.objects.filter(user_id=user_id, key=key)
        keys.filter(created_at__lte=seen.at - KEPT).delete()
        CheckoutKey.objects.create(
            user_id=user_id, key=key, fingerprint=fingerprint, order=order, answer=order.as_placed
        )
    for task in tasks:
        task.enqueue(order.pk)
    return True
