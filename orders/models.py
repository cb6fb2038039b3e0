"""Orders, which copy the cart's lines, and the verbs that change their state.

    placed → paid → shipped        placed | paid → cancelled

Each verb is one transaction with one guarded UPDATE, so that of two concurrent verbs only one succeeds. Locks in the
order of bookstore/database/locks.py: books before the order. Orders are created by `checkout` (checkout.py).
"""

from __future__ import annotations

from collections.abc import Container
from datetime import datetime, timedelta
from typing import Any, cast

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import Q
from django.db.models.deletion import Collector
from django.db.models.functions import Now

from bookstore.accounts.emails import MAX_EMAIL_LENGTH
from bookstore.accounts.models import User
from bookstore.database import retrying
from bookstore.mail.sending import queue
from cart.merging import MergeResult
from cart.models import Cart
from catalog.models import Book
from orders import mails
from orders.exceptions import OrderNotCancellable, OrderNotFound, OrderNotPayable, OrderNotShippable
from orders.numbers import new_number
from orders.stock import give_back

MAX_NOTE = 1000  # characters
KEPT = timedelta(hours=24)  # an Idempotency-Key


class Status(models.TextChoices):
    PLACED = "placed"
    PAID = "paid"
    SHIPPED = "shipped"
    CANCELLED = "cancelled"


CANCELLABLE = (Status.PLACED, Status.PAID)


def forget_person(collector: Collector, field: Any, orders: Any, using: str) -> None:
    """`on_delete` of an order's user: keeps the order, and clears its user, contact and note."""
    model = field.model
    for name, value in (("user", None), ("contact", None), ("note", "")):
        collector.add_field_update(model._meta.get_field(name), value, orders)


class OrderQuerySet(models.QuerySet["Order"]):
    def of(self, user: User) -> OrderQuerySet:
        """The customer's orders, newest first."""
        return self.filter(user=user).order_by("-pk")

    def with_items(self) -> OrderQuerySet:
        """Loads the items with the orders: one more query."""
        return self.prefetch_related(models.Prefetch("items", OrderItem.objects.order_by("id")))

    def find(self, user: User, order_id: int) -> Order:
        """The customer's own order. Raises OrderNotFound, for another customer's too. Two queries."""
        order: Order | None = self.of(user).with_items().filter(pk=order_id).first()
        if order is None:
            raise OrderNotFound
        return order

    def unpaid_since(self, moment: datetime) -> OrderQuerySet:
        """Placed orders that had to be paid by `moment`."""
        return self.filter(status=Status.PLACED, expires_at__lte=moment)


class Order(models.Model):
    number = models.CharField(max_length=11, default=new_number, editable=False)
    # The index is ix_orders_of_user, which also has their order.
    user = models.ForeignKey(settings.AUTH_USER_MODEL, forget_person, null=True, related_name="orders", db_index=False)
    status = models.CharField(max_length=9, choices=Status.choices, default=Status.PLACED, editable=False)
    created_at = models.DateTimeField("placed", db_default=Now(), editable=False)
    expires_at = models.DateTimeField("to be paid until", null=True, editable=False)
    paid_at = models.DateTimeField("paid", null=True, editable=False)
    shipped_at = models.DateTimeField("shipped", null=True, editable=False)
    cancelled_at = models.DateTimeField("cancelled", null=True, editable=False)
    cancelled_by = models.CharField(max_length=MAX_EMAIL_LENGTH, blank=True, editable=False)
    cancel_reason = models.CharField(max_length=200, blank=True, editable=False)
    payment_reference = models.CharField(max_length=400, blank=True, editable=False)
    currency = models.CharField(max_length=3, editable=False)
    total_items = models.PositiveIntegerField("copies", editable=False)
    total_price = models.DecimalField(max_digits=15, decimal_places=2, editable=False)
    note = models.TextField(blank=True)
    contact = models.JSONField(null=True)

    objects = OrderQuerySet.as_manager()

    # The body of the response of its checkout; only `checkout` sets it.
    as_placed: bytes = b""

    class Meta:
        db_table = "orders"
        constraints = (
            models.UniqueConstraint(fields=["number"], name="uq_orders_number"),
            models.CheckConstraint(condition=Q(status__in=Status.values), name="ck_orders_status"),
            models.CheckConstraint(
                condition=~Q(status__in=[Status.PAID, Status.SHIPPED]) | Q(paid_at__isnull=False),
                name="ck_orders_paid_at",
            ),
        )
        indexes = (
            models.Index(fields=["user", "-id"], name="ix_orders_of_user"),
            models.Index(fields=["expires_at"], condition=Q(status="placed"), name="ix_orders_unpaid"),
            models.Index(fields=["created_at"], name="ix_orders_created_at"),
            models.Index(fields=["status", "id"], name="ix_orders_by_status"),
        )

    def __str__(self) -> str:
        return self.number

    @retrying
    def mark_paid(self, reference: str) -> bool:
        """Records a payment: for the integration of a payment provider. False when this reference was known already,
        also when the order was shipped or cancelled since.

        Raises OrderNotPayable when the order was cancelled unpaid, or paid by another reference, and ValidationError
        for a reference that is empty or too long to keep. Three queries at most.
        """
        if not reference:
            raise ValidationError({"payment_reference": "A payment has a reference."})
        refuse_longer(payment_reference=reference)
        paid = {"status": Status.PAID, "paid_at": Now(), "payment_reference": reference, "expires_at": None}
        with transaction.atomic():
            is_first = bool(Order.objects.filter(pk=self.pk, status=Status.PLACED).update(**paid))
            if is_first:
                queue(mails.paid, self.pk)
            elif not Order.objects.filter(pk=self.pk, payment_reference=reference).exists():
                raise OrderNotPayable
        self.refresh_from_db()
        return is_first

    @retrying
    def ship(self) -> None:
        """Marks a paid order as shipped. Raises OrderNotShippable. Three queries."""
        shipped = {"status": Status.SHIPPED, "shipped_at": Now()}
        with transaction.atomic():
            if not Order.objects.filter(pk=self.pk, status=Status.PAID).update(**shipped):
                raise OrderNotShippable
            queue(mails.shipped, self.pk)
        self.refresh_from_db()

    @retrying
    def cancel(self, *, by: str, reason: str = "", only: tuple[str, ...] = CANCELLABLE) -> bool:
        """Cancels the order and returns its copies to stock, once. `by` is `customer`, `system` or an email of staff.

        False when it was cancelled already: so a call whose answer was lost may be made again. Raises
        OrderNotCancellable when it was shipped, or is in no state of `only`, and ValidationError for a text that is too
        long to keep. Eight queries.
        """
        refuse_longer(cancelled_by=by, cancel_reason=reason)
        cancelled = {
            "status": Status.CANCELLED,
            "cancelled_at": Now(),
            "cancelled_by": by,
            "cancel_reason": reason,
            "expires_at": None,
        }
        with transaction.atomic():
            copies = dict(self.items.filter(book__isnull=False).values_list("book_id", "quantity"))
            Book.objects.lock(copies)
            is_first = bool(Order.objects.filter(pk=self.pk, status__in=only).update(**cancelled))
            if is_first:
                give_back(copies)
                queue(mails.cancelled, self.pk)
            elif not Order.objects.filter(pk=self.pk, status=Status.CANCELLED).exists():
                raise OrderNotCancellable
        self.refresh_from_db()
        return is_first

    def reorder(self, user: User, *, if_match: Container[str] | None = None) -> tuple[Cart, list[MergeResult]]:
        """Merges its books into the customer's cart; leaves out deleted books. Raises CartChanged."""
        cart = Cart.objects.of(user)
        copies = self.items.filter(book__isnull=False).order_by("id").values_list("book_id", "quantity")
        return cart, cart.merge(list(copies), if_match=if_match)


def refuse_longer(**texts: str) -> None:
    """Raises ValidationError for a text that is longer than its column of an order: none is cut short silently."""
    for name, text in texts.items():
        longest = cast(models.CharField[Any, Any], Order._meta.get_field(name)).max_length
        if longest is not None and len(text) > longest:
            raise ValidationError({name: f"At most {longest} characters are kept."})


class OrderItem(models.Model):
    """One book of an order, copied at checkout: later changes of the book do not touch it."""

    # The index is that of uq_order_items_order_book.
    order = models.ForeignKey(Order, models.CASCADE, related_name="items", db_index=False)
    # The index is ix_order_items_of_book, which also finds the newest orders with a book.
    book = models.ForeignKey(Book, models.SET_NULL, null=True, related_name="+", db_index=False)
    quantity = models.PositiveSmallIntegerField(help_text="copies")
    unit_price = models.DecimalField(max_digits=10, decimal_places=2)
    title = models.CharField(max_length=500)
    author = models.CharField(max_length=255)
    isbn = models.CharField("ISBN", max_length=13, null=True)  # noqa: DJ001  # the contract's null, not ""
    cover_image_url = models.CharField(max_length=2048, null=True)  # noqa: DJ001  # the contract's null, not ""

    class Meta:
        db_table = "order_items"
        verbose_name = "item"
        constraints = (
            models.UniqueConstraint(fields=["order", "book"], name="uq_order_items_order_book"),
            models.CheckConstraint(condition=Q(quantity__gte=1), name="ck_order_items_quantity"),
        )
        indexes = (
            models.Index(fields=["isbn", "order"], name="ix_order_items_by_isbn"),
            models.Index(fields=["book", "order"], name="ix_order_items_of_book"),
        )

    def __str__(self) -> str:
        return f"{self.quantity} × {self.title}"

    @property
    def line_total(self) -> Any:
        """Unit price × quantity, in the order's currency."""
        return self.unit_price * self.quantity


class CheckoutKeyQuerySet(models.QuerySet["CheckoutKey"]):
    def good(self, moment: datetime) -> CheckoutKeyQuerySet:
        """Those that were used within KEPT before `moment`."""
        return self.filter(created_at__gt=moment - KEPT, order__isnull=False)


class CheckoutKey(models.Model):
    """An Idempotency-Key of a customer, and its order. `manage.py release_orders` deletes it after KEPT."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64)  # of the body
    order = models.ForeignKey(Order, models.CASCADE, related_name="+", null=True)
    answer = models.BinaryField(null=True)  # the body of the first response; the order may change later
    created_at = models.DateTimeField(db_default=Now())

    objects = CheckoutKeyQuerySet.as_manager()

    class Meta:
        db_table = "checkout_keys"
        default_permissions = ()  # not shown in the admin
        constraints = (models.UniqueConstraint(fields=["user", "key"], name="uq_checkout_keys_user_key"),)
        indexes = (models.Index(fields=["created_at"], name="ix_checkout_keys_created_at"),)

    def __str__(self) -> str:
        return f"{self.key} of {self.order}"
