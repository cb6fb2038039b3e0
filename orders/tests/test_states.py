"""placed → paid → shipped, and cancelled: each verb and its guard, alone and two at once."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.utils.timezone import now
from django_tasks_db.models import DBTaskResult

from bookstore.accounts.models import User
from bookstore.audit.models import AuditChange, AuditEvent
from bookstore.tasks.worker import run_waiting
from cart.models import Cart
from catalog.models import Book
from orders.checkout import CheckoutRequest, checkout
from orders.exceptions import OrderNotCancellable, OrderNotPayable, OrderNotShippable
from orders.models import Order, Status
from orders.releasing import Releasing
from tests.support.racing import meet

pytestmark = pytest.mark.django_db

VERBS = {
    "mark_paid": lambda order: order.mark_paid("other"),
    "ship": lambda order: order.ship(),
    "cancel": lambda order: order.cancel(by="customer"),
}
# The next state by verb and state; an exception is a refusal, which changes nothing.
TABLE = {
    ("placed", "mark_paid"): "paid",
    ("placed", "ship"): OrderNotShippable,
    ("placed", "cancel"): "cancelled",
    ("paid", "mark_paid"): OrderNotPayable,
    ("paid", "ship"): "shipped",
    ("paid", "cancel"): "cancelled",
    ("shipped", "mark_paid"): OrderNotPayable,
    ("shipped", "ship"): OrderNotShippable,
    ("shipped", "cancel"): OrderNotCancellable,
    ("cancelled", "mark_paid"): OrderNotPayable,
    ("cancelled", "ship"): OrderNotShippable,
    ("cancelled", "cancel"): "cancelled",
}


@pytest.fixture
def order(alice, cart) -> Order:
    return checkout(alice, CheckoutRequest())


def brought_to(order, status):
    if status in ("paid", "shipped"):
        order.mark_paid("first")
    if status == "shipped":
        order.ship()
    if status == "cancelled":
        order.cancel(by="customer")


def stocks():
    return dict(Book.objects.values_list("title", "stock_quantity"))


@pytest.mark.parametrize(("status", "verb"), TABLE)
def test_a_verb_changes_the_state_or_refuses(order, status, verb):
    brought_to(order, status)
    before, expected = stocks(), TABLE[status, verb]

    if isinstance(expected, str):
        VERBS[verb](order)
        assert Order.objects.get().status == expected
        assert (stocks() == before) == (expected == status or expected != "cancelled")
    else:
        with pytest.raises(expected):
            VERBS[verb](order)
        assert Order.objects.get().status == status
        assert stocks() == before


def test_cancel_gives_the_copies_back_and_says_who(order):
    order.cancel(by="olga@example.com", reason="lost on the way")

    assert stocks() == {"Emma": 5, "Dracula": 2}
    assert (order.cancelled_by, order.cancel_reason, order.expires_at) == ("olga@example.com", "lost on the way", None)


def test_cancel_gives_nothing_back_to_a_book_that_was_deleted(order, emma):
    emma.delete()

    order.cancel(by="customer")

    assert stocks() == {"Dracula": 2}


def test_mark_paid_with_the_same_reference_again_changes_nothing(order):
    first = order.mark_paid("pi_1")
    paid_at = order.paid_at

    second = order.mark_paid("pi_1")

    assert (first, second) == (True, False)
    assert (order.status, order.paid_at, order.payment_reference) == (Status.PAID, paid_at, "pi_1")


@pytest.mark.parametrize("later", [lambda order: order.ship(), lambda order: order.cancel(by="olga@example.com")])
def test_mark_paid_with_a_known_reference_is_no_refusal_after_other_verbs(order, later):
    """A provider that sends its webhook again must not be told to pay back what staff pay back already."""
    order.mark_paid("pi_1")
    later(order)
    status = order.status

    again = order.mark_paid("pi_1")

    assert (again, order.status, order.payment_reference) == (False, status, "pi_1")


@pytest.mark.parametrize(
    "verb",
    [
        lambda order: order.mark_paid("p" * 401),
        lambda order: order.mark_paid(""),
        lambda order: order.cancel(by="b" * 255),
        lambda order: order.cancel(by="system", reason="r" * 201),
    ],
    ids=["reference", "no-reference", "by", "reason"],
)
def test_a_text_that_cannot_be_kept_whole_changes_nothing(order, verb):
    with pytest.raises(ValidationError):
        verb(order)

    assert (Order.objects.get().status, stocks()) == ("placed", {"Emma": 3, "Dracula": 1})


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_cancel_twice_at_once_gives_the_copies_back_once(order):
    def cancel():
        return Order.objects.get(pk=order.pk).cancel(by="customer")

    answers = meet(cancel, cancel, at=(type(Book.objects.all()), "lock"))

    assert sorted(answers) == [False, True]
    assert stocks() == {"Emma": 5, "Dracula": 2}


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_payment_during_the_orders_release_wins_or_loses_whole(order):
    Order.objects.update(expires_at=now() - timedelta(minutes=1))

    released, _ = meet(
        lambda: sum(Releasing().batches(now(), size=10)),
        lambda: Order.objects.get(pk=order.pk).mark_paid("pi_1"),
        at=(type(Book.objects.all()), "lock"),
    )

    assert (released, Order.objects.get().status) == (0, "paid")
    assert stocks() == {"Emma": 3, "Dracula": 1}


def test_release_orders_cancels_what_was_not_paid_in_time(order, capsys):
    call_command("release_orders")
    Order.objects.update(expires_at=now() - timedelta(minutes=1))

    call_command("release_orders", "--dry-run")
    call_command("release_orders")

    assert capsys.readouterr().out.splitlines() == [
        "Orders that were not paid in time: 0 cancelled.",
        "Orders that were not paid in time: 1 would be cancelled.",
        "Orders cancelled so far: 1 …",
        "Orders that were not paid in time: 1 cancelled.",
    ]
    assert (Order.objects.get().status, stocks()) == ("cancelled", {"Emma": 5, "Dracula": 2})


def test_release_goes_on_after_a_batch_that_another_run_took(order, alice, emma):
    Cart.objects.for_user(alice).add(emma)
    other = checkout(alice, CheckoutRequest())
    Order.objects.update(expires_at=now() - timedelta(minutes=1))

    class Overtaken(Releasing):
        def release(self, unpaid):
            if unpaid == order:
                Releasing().release(Order.objects.get(pk=order.pk))
            return super().release(unpaid)

    counts = list(Overtaken().batches(now(), size=1))

    assert counts == [0, 1]
    assert set(Order.objects.values_list("pk", "status")) == {(order.pk, "cancelled"), (other.pk, "cancelled")}


def test_released_orders_are_one_event_of_the_history(order, alice, emma):
    Cart.objects.for_user(alice).add(emma)
    other = checkout(alice, CheckoutRequest())
    Order.objects.update(expires_at=now() - timedelta(minutes=1))

    call_command("release_orders")

    assert list(AuditEvent.objects.values_list("actor", "channel", "summary", "number_of_changes")) == [
        ("release_orders", "command", "Cancelled orders that were not paid in time.", 2)
    ]
    assert list(AuditChange.objects.order_by("id").values_list("name", "fields")) == [
        (each.number, {"status": ["placed", "cancelled"]}) for each in (order, other)
    ]


def test_an_order_without_a_time_to_pay_is_never_released(alice, cart, settings):
    settings.ORDER_HOLD_MINUTES = 0
    order = checkout(alice, CheckoutRequest())

    released = list(Releasing().batches(now() + timedelta(days=365), size=10))

    assert (order.expires_at, released) == (None, [])


def test_deleting_the_user_keeps_the_order_without_the_person(alice, cart):
    checkout(alice, CheckoutRequest(note="For Bob", contact={"name": "Alice"}))

    User.objects.get(pk=alice.pk).delete()

    assert list(Order.objects.values_list("user", "note", "contact", "total_items")) == [(None, "", None, 3)]


def test_an_order_that_is_not_paid_in_time_is_cancelled_by_its_task(order):
    Order.objects.update(expires_at=now() - timedelta(minutes=1))
    DBTaskResult.objects.update(run_after=now() - timedelta(minutes=1))

    run_waiting()

    assert (Order.objects.get().status, stocks()) == ("cancelled", {"Emma": 5, "Dracula": 2})


def given_more_time(order):
    Order.objects.update(expires_at=now() + timedelta(days=1))


@pytest.mark.parametrize(
    ("change", "status"), [(lambda order: order.mark_paid("pi_1"), "paid"), (given_more_time, "placed")]
)
def test_the_task_leaves_an_order_that_is_paid_or_has_time_alone(order, change, status):
    change(order)
    DBTaskResult.objects.update(run_after=now() - timedelta(minutes=1))

    run_waiting()

    assert Order.objects.get().status == status
