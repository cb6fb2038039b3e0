"""Checkout: one transaction takes the copies from stock, makes the order and empties the cart, or changes nothing."""

import hashlib
from collections.abc import Container
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now
from django.utils.timezone import now

from bookstore.accounts.exceptions import UserInactive
from bookstore.accounts.models import User
from bookstore.database import retrying
from bookstore.database.locks import lock_shared
from cart.exceptions import CartChanged
from cart.facts import CartFacts, LineFacts
from cart.issues import IssueCode
from cart.models import Cart, CartItem
from cart.representation import cart_json, dump, version_of
from catalog.models import Book
from orders.exceptions import (
    CartEmpty,
    IdempotencyKeyReused,
    InsufficientStock,
    ItemsUnavailable,
    LinesRefused,
    PriceRose,
)
from orders.models import CheckoutKey, Order, OrderItem
from orders.stock import take
from orders.tasks import release

RECENT = timedelta(hours=1)  # the age of an order that CartEmpty names
KEPT = timedelta(hours=24)  # an Idempotency-Key


@dataclass(frozen=True)
class Wish:
    """The request of a checkout. `if_match` has the versions that the customer may have seen; None: no check."""

    note: str = ""
    contact: dict[str, Any] | None = None
    if_match: Container[str] | None = None
    key: str = ""  # Idempotency-Key; "" is none

    @property
    def fingerprint(self) -> str:
        """Hash of the body: a retry has the same; another body under the same key has another."""
        return hashlib.sha256(dump([self.note, self.contact])).hexdigest()


@retrying
def checkout(user: User, wish: Wish) -> Order:
    """Makes an order from the customer's cart, and empties the cart.

    Idempotent by key: returns the order that the key made before. A second call with the same key, while the first is
    running, waits for it (DB_LOCK_TIMEOUT), because both insert the same row.
    Raises UserInactive, IdempotencyKeyReused, CartChanged, CartEmpty, and ItemsUnavailable, InsufficientStock or
    PriceRose with every line's issue.
    """
    with transaction.atomic():
        # For the lock order: the INSERT of the order would lock the user after the cart and the books.
        lock_shared(User.objects.filter(pk=user.pk))
        if not User.objects.filter(pk=user.pk).exists():
            raise UserInactive
        if wish.key:
            made = claim(user, wish)
            if made is not None:
                return made
        cart = Cart.objects.select_for_update().filter(user=user).first()
        if cart is None:
            raise CartEmpty(order_id=recent_order(user))
        Book.objects.lock(CartItem.objects.filter(cart=cart).values_list("book_id", flat=True))
        facts = Cart.objects.facts(cart.pk)
        seen = wish.if_match is not None
        if wish.if_match is not None and version_of(dump(cart_json(facts))) not in wish.if_match:
            raise CartChanged
        if not facts.lines:
            raise CartEmpty(order_id=recent_order(user))
        refuse_issues(facts, seen=seen)
        if not take({line.book_id: line.quantity for line in facts.lines}):
            raise InsufficientStock(issues=[])  # the books are locked, so only by a writer that did not lock
        order = make_order(user, facts, wish)
        cart.clear()
        if order.expires_at:
            release.using(run_after=order.expires_at).enqueue(order.pk)
        if wish.key:
            CheckoutKey.objects.filter(user=user, key=wish.key).update(order=order)
    return order


def claim(user: User, wish: Wish) -> Order | None:
    """Claims the key, or returns the order that it created before. Raises IdempotencyKeyReused. Three queries."""
    CheckoutKey.objects.filter(user=user, key=wish.key, created_at__lte=now() - KEPT).delete()
    row = CheckoutKey(user=user, key=wish.key, fingerprint=wish.fingerprint)
    CheckoutKey.objects.bulk_create([row], ignore_conflicts=True)  # waits until another transaction with this row ends
    known = CheckoutKey.objects.select_related("order").get(user=user, key=wish.key)
    if known.fingerprint != wish.fingerprint:
        raise IdempotencyKeyReused
    return known.order


def recent_order(user: User) -> int | None:
    """The id of the customer's last order, if it is younger than RECENT."""
    return Order.objects.of(user).filter(created_at__gt=Now() - RECENT).values_list("pk", flat=True).first()


def refuse_issues(cart: CartFacts, *, seen: bool) -> None:
    """Raises the first refusal that applies, with the issues of all lines: withdrawn books, then too few copies.

    Also refuses a price that rose since the line was added or changed, unless If-Match proves that it was `seen`.
    """
    for refusal, codes in (
        (ItemsUnavailable, {IssueCode.BOOK_UNAVAILABLE}),
        (InsufficientStock, {IssueCode.BOOK_OUT_OF_STOCK, IssueCode.INSUFFICIENT_STOCK}),
    ):
        if any(issue["code"] in codes for line in cart.lines for issue in line.issues):
            raise refusal(issues=issues_of(cart.lines))
    rose = [line for line in cart.lines if line.book_price > line.known_price]
    if rose and not seen:
        refused: LinesRefused = PriceRose(issues=issues_of(rose))
        raise refused


def issues_of(lines: list[LineFacts]) -> list[dict[str, Any]]:
    return [{"item_id": line.id, "book_id": line.book_id, **issue} for line in lines for issue in line.issues]


def make_order(user: User, cart: CartFacts, wish: Wish) -> Order:
    """Inserts the order and its items, which copy the books' columns. Three queries."""
    isbns = dict(Book.objects.filter(pk__in=[line.book_id for line in cart.lines]).values_list("pk", "isbn"))
    minutes = settings.ORDER_HOLD_MINUTES
    order = Order.objects.create(
        user_id=user.pk,
        currency=settings.SHOP_CURRENCY,
        total_items=cart.total_items,
        total_price=cart.total_price,
        note=wish.note,
        contact=wish.contact,
        expires_at=Now() + timedelta(minutes=minutes) if minutes else None,
    )
    OrderItem.objects.bulk_create(
        OrderItem(
            order=order,
            book_id=line.book_id,
            quantity=line.quantity,
            unit_price=line.book_price,
            title=line.book_title,
            author=line.book_author,
            isbn=isbns[line.book_id],
            cover_image_url=line.book_cover_image_url,
        )
        for line in cart.lines
    )
    order.refresh_from_db()
    return order
