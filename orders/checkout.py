"""Checkout: one transaction takes the copies from stock, makes the order and empties the cart, or changes nothing.

`look` locks the customer, the cart and its books, in the order of all locks, and reads them; what stands in the way is
refused; `write` makes the order. On PostgreSQL the API tries `statements.buy` first, which stores the same rows in one
statement, or nothing; a test holds both to the same.
"""

import hashlib
from collections.abc import Container
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now

from bookstore.accounts.exceptions import UserInactive
from bookstore.accounts.models import User
from bookstore.database import retrying
from cart.exceptions import CartChanged
from cart.facts import CartFacts, LineFacts
from cart.issues import IssueCode
from cart.representation import cart_json, dump, version_of
from orders import mails
from orders.exceptions import (
    CartEmpty,
    IdempotencyKeyReused,
    InsufficientStock,
    ItemsUnavailable,
    PriceRose,
)
from orders.models import Order, OrderItem
from orders.numbers import new_number
from orders.representation import order_json
from orders.steps import Look, Made, look, write
from orders.tasks import release

RECENT = timedelta(hours=1)  # the age of an order that CartEmpty names


@dataclass(frozen=True)
class CheckoutRequest:
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
def checkout(user: User, asked: CheckoutRequest) -> Order:
    """Creates an order from the customer's cart, and empties the cart. `as_placed` is the body of the response.

    Idempotent by key: returns the order that the key made before, with the same `as_placed`. A second call with the
    same key, while the first is running, waits for it (DB_LOCK_TIMEOUT) at the cart's lock.
    Raises EmailUnverified, UserInactive, IdempotencyKeyReused, CartEmpty, CartChanged, and ItemsUnavailable,
    InsufficientStock or PriceRose with every line's issue.
    """
    user.require_verified()
    with transaction.atomic():
        seen = look(user.pk, asked.key)
        if seen.user_id is None:
            raise UserInactive
        if seen.made is not None:
            return made_before(seen.made, asked)
        if not seen.cart.lines:  # before If-Match, so that a repeated call is told the order that it made
            raise CartEmpty(order_id=recent_order(user))
        refuse(seen.cart, asked)
        order, items = planned(seen, asked)
        fingerprint = asked.fingerprint if asked.key else ""
        if not write(seen, order, items, key=asked.key, fingerprint=fingerprint, tasks=tasks_of(order)):
            raise InsufficientStock(issues=[])  # the books are locked, so only by a writer that did not lock
    return order


def tasks_of(order: Order) -> list[Any]:
    """What is queued with the order, each with its id: its release, and its mail."""
    released = [release.using(run_after=order.expires_at)] if order.expires_at else []
    return [*released, *([mails.placed] if settings.SENDS_MAIL else [])]


def made_before(made: Made, asked: CheckoutRequest) -> Order:
    """The order of a key that was used before. Raises IdempotencyKeyReused. Two queries at most."""
    if made.fingerprint != asked.fingerprint:
        raise IdempotencyKeyReused
    order = Order.objects.with_items().get(pk=made.order_id)
    order.as_placed = bytes(made.answer) if made.answer is not None else dump(order_json(order))
    return order


def recent_order(user: User) -> int | None:
    """The id of the customer's last order, if it is younger than RECENT."""
    return Order.objects.of(user).filter(created_at__gt=Now() - RECENT).values_list("pk", flat=True).first()


def refuse(cart: CartFacts, asked: CheckoutRequest) -> None:
    """Raises CartChanged for another cart than If-Match names; then the first refusal that applies, with the issues of
    all lines: withdrawn books, too few copies.

    Also refuses a price that rose since the line was added or changed, unless If-Match proves that it was seen.
    """
    if asked.if_match is not None and version_of(dump(cart_json(cart))) not in asked.if_match:
        raise CartChanged
    issues = issues_of(cart.lines)
    codes = {issue["code"] for issue in issues}
    if IssueCode.BOOK_UNAVAILABLE in codes:
        raise ItemsUnavailable(issues=issues)
    if codes & {IssueCode.BOOK_OUT_OF_STOCK, IssueCode.INSUFFICIENT_STOCK}:
        raise InsufficientStock(issues=issues)
    rose = [line for line in cart.lines if line.book_price > line.known_price]
    if rose and asked.if_match is None:
        raise PriceRose(issues=issues_of(rose))


def issues_of(lines: list[LineFacts]) -> list[dict[str, Any]]:
    return [{"item_id": line.id, "book_id": line.book_id, **issue} for line in lines for issue in line.issues]


def planned(seen: Look, asked: CheckoutRequest) -> tuple[Order, list[OrderItem]]:
    """The order and its items, which copy the books' columns, before they are stored. No query."""
    minutes, cart = settings.ORDER_HOLD_MINUTES, seen.cart
    order = Order(
        pk=seen.order_id,
        number=new_number(),
        user_id=seen.user_id,
        created_at=seen.at,
        expires_at=seen.at + timedelta(minutes=minutes) if minutes else None,
        currency=settings.SHOP_CURRENCY,
        total_items=cart.total_items,
        total_price=cart.total_price,
        note=asked.note,
        contact=asked.contact,
    )
    items = [
        OrderItem(
            pk=item_id,
            order=order,
            book_id=line.book_id,
            quantity=line.quantity,
            unit_price=line.book_price,
            title=line.book_title,
            author=line.book_author,
            isbn=seen.isbns[line.book_id],
            cover_image_url=line.book_cover_image_url,
        )
        for item_id, line in zip(seen.item_ids, cart.lines, strict=True)
    ]
    return order, items
