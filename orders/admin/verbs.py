"""Staff's verbs on orders: each first shows its effect on each order, or why it is refused.

Skips an order whose state has changed since it was shown, and one whose own verb refuses.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from django import forms
from django.http import HttpRequest

from bookstore.admin.refusals import Refused, in_staff_words, staff_words
from bookstore.admin.site import money
from bookstore.admin.verbs import BulkVerb, Outcome, Shown
from bookstore.admin.wording import StaffWords
from bookstore.api.errors import ApiError
from bookstore.audit.recording import changed
from catalog.models import Book
from orders.exceptions import OrderNotCancellable, OrderNotFound, OrderNotPayable, OrderNotShippable
from orders.models import CANCELLABLE, Order, OrderItem, Status

staff_words(
    {
        OrderNotCancellable: "It is shipped already: what comes back is not put into stock here.",
        OrderNotFound: "This order is not there any more.",
        OrderNotPayable: "It is not waiting for a payment: it is paid already, or was cancelled.",
        OrderNotShippable: "Only an order that is paid can be shipped.",
    }
)


def copies_of(order: Order) -> str:
    return f"{order.total_items:,} {'copy' if order.total_items == 1 else 'copies'}"


class OrderVerb(BulkVerb):
    """A change of the state of orders. The batch has locked the rows, so that checks stay valid."""

    always_asks = True
    shows = ("status",)
    batch = 20  # about ten queries each, in which checkouts wait for the books (DB_LOCK_TIMEOUT)
    of: tuple[str, ...] = ()  # the states that it starts from
    refusal: type[ApiError] = OrderNotFound

    def becomes(self, order: Order) -> str:
        """The effect on an order in one of these states, in words."""
        raise NotImplementedError

    def do(self, order: Order, name: str, parameters: Mapping[str, Any]) -> bool:
        """Calls the order's verb in the name of this member of staff. False when there was nothing to do."""
        raise NotImplementedError

    def refuse(self, order: Order) -> None:
        if order.status == Status.CANCELLED:
            raise Refused("It is cancelled already.")
        if order.status not in self.of:
            raise self.refusal

    def preview(self, admin: Any, request: HttpRequest, rows: Sequence[Any], parameters: Any) -> list[tuple[str, str]]:
        told = []
        for order in rows:
            try:
                self.refuse(order)
                effect = self.becomes(order)
            except ApiError as error:
                effect = f"Left as it is. {in_staff_words(error)}"
            customer = order.user.email if order.user else "deleted customer"
            told.append((f"{order}, {order.get_status_display().lower()}: {customer}", effect))
        return told

    def run(self, admin: Any, request: HttpRequest, rows: Sequence[Any], shown: Shown, parameters: Any) -> Outcome:
        outcome, name = Outcome(), request.user.get_username()
        for order in rows:
            before = order.status
            try:
                self.refuse_what_changed(order, shown[order.pk])
                self.refuse(order)
                self.do(order, name, parameters)
            except ApiError as error:
                outcome.skipped.append((str(order), in_staff_words(error)))
            else:
                outcome.changes.append(changed(order, {"status": (before, order.status)}))
        return outcome


class ReferenceForm(StaffWords, forms.Form):
    reference = forms.CharField(
        max_length=100,
        required=False,
        label="Reference",
        help_text="Of the transfer in the bank statement, say. It is kept with each order.",
        widget=forms.TextInput(attrs={"class": "vTextField", "autofocus": True}),
    )


class ReasonForm(StaffWords, forms.Form):
    reason = forms.CharField(
        max_length=Order._meta.get_field("cancel_reason").max_length,
        required=False,
        label="Reason",
        help_text="Kept with each order, and told to its customer.",
        widget=forms.TextInput(attrs={"class": "vTextField", "autofocus": True}),
    )


class MarkPaid(OrderVerb):
    name = "mark_paid_by_hand"
    title = "Mark as paid (by bank transfer, say)"
    done = "Marked {} as paid."
    form = ReferenceForm
    of = (Status.PLACED,)
    refusal = OrderNotPayable

    def becomes(self, order: Order) -> str:
        return f"Paid: {money(order.total_price)}. It is no longer cancelled by itself, and can be shipped."

    def do(self, order: Order, name: str, parameters: Mapping[str, Any]) -> bool:
        by_hand = f"by hand: {name}"
        typed = parameters.get("reference")
        return order.mark_paid(f"{typed}, {by_hand}" if typed else by_hand)


class MarkShipped(OrderVerb):
    name = "mark_shipped"
    title = "Mark as shipped"
    done = "Marked {} as shipped."
    of = (Status.PAID,)
    refusal = OrderNotShippable

    def becomes(self, order: Order) -> str:
        return f"Shipped: {copies_of(order)}. It can no longer be cancelled."

    def do(self, order: Order, name: str, parameters: Mapping[str, Any]) -> bool:
        order.ship()
        return True


class Cancel(OrderVerb):
    name = "cancel_orders"
    title = "Cancel, and give the copies back"
    done = "Cancelled {}."
    form = ReasonForm
    of = CANCELLABLE
    refusal = OrderNotCancellable

    def lock_first(self, parameters: Mapping[str, Any], keys: Collection[int]) -> None:
        """Locks the books, which come before the orders in the order of all locks."""
        books = OrderItem.objects.filter(order__in=list(keys), book__isnull=False)
        Book.objects.lock(books.order_by().values_list("book_id", flat=True).distinct())

    def becomes(self, order: Order) -> str:
        back = f" {money(order.total_price)} is to be paid back." if order.status == Status.PAID else ""
        return f"Cancelled: {copies_of(order)} back into stock.{back}"

    def do(self, order: Order, name: str, parameters: Mapping[str, Any]) -> bool:
        return order.cancel(by=name, reason=parameters.get("reason") or "")
