"""The mails about an order: one for each state, to its customer, queued with the change that it tells of."""

import pytest
from django.core import mail
from django.utils.timezone import now

from bookstore.accounts.models import User
from bookstore.tasks.worker import run_waiting
from orders.checkout import CheckoutRequest, checkout
from orders.models import Order
from orders.releasing import Releasing

pytestmark = pytest.mark.django_db


@pytest.fixture
def order(alice, cart) -> Order:
    return checkout(alice, CheckoutRequest())


def sent():
    """[(to, subject)] since the last call."""
    run_waiting()
    found = [(message.to, message.subject) for message in mail.outbox]
    mail.outbox.clear()
    return found


def test_each_state_is_told_to_the_customer_once(order):
    to, number = ["alice@example.com"], order.number
    told = [sent()]
    for change in (lambda: order.mark_paid("pi_1"), lambda: order.mark_paid("pi_1"), order.ship):
        change()
        told.append(sent())

    assert told == [
        [(to, f"Your order {number}")],
        [(to, f"Your order {number} is paid")],
        [],
        [(to, f"Your order {number} is on its way")],
    ]


@pytest.mark.parametrize(
    ("cancel", "words"),
    [
        (lambda order: order.cancel(by="customer"), "was cancelled.\n"),
        (lambda order: order.cancel(by="olga@example.com", reason="It is torn"), "was cancelled: It is torn.\n"),
        (lambda order: Releasing().release(order), "was cancelled, because it was not paid in time.\n"),
    ],
    ids=["customer", "staff", "release"],
)
def test_a_cancellation_is_told_with_its_reason_once(order, cancel, words):
    sent()
    cancel(order)
    order.cancel(by="customer")
    run_waiting()

    [message] = mail.outbox
    assert message.subject == f"Your order {order.number} was cancelled"
    assert f"Order {order.number} {words}" in message.body


def test_the_mail_of_an_order_has_its_books_and_the_time_to_pay(order, emma):
    run_waiting()

    [message] = mail.outbox
    [(html, _)] = message.alternatives
    for shown in ("2 × Emma, Jane Austen: 19.00 USD", "Total: 31.25 USD", f"{order.expires_at:%H:%M} UTC", "/orders/"):
        assert shown in message.body
    assert "Emma" in html
    assert "31.25 USD" in html


def test_a_title_is_escaped_in_the_html_alone(alice, cart, emma):
    emma.change(title="Emma & <b>others</b>")
    checkout(alice, CheckoutRequest())
    run_waiting()

    [message] = mail.outbox
    [(html, _)] = message.alternatives
    assert "Emma & <b>others</b>" in message.body
    assert "Emma &amp; &lt;b&gt;others&lt;/b&gt;" in html


def test_nobody_is_told_of_an_order_whose_account_was_deleted(order, alice):
    User.objects.get(pk=alice.pk).delete()

    assert sent() == []


@pytest.mark.parametrize(("verified", "number"), [("", 3), ("alice@example.com", 4)])
def test_cancelling_fills_no_mailbox_that_may_be_somebody_elses(alice, cart, emma, settings, verified, number):
    settings.MAIL_THROTTLE_RATE = (3, 3600)
    User.objects.filter(pk=alice.pk).update(verified_email=verified)
    for _ in range(2):
        if not cart.items.exists():
            cart.add(emma.pk, 1)
        checkout(alice, CheckoutRequest()).cancel(by="customer")

    assert len(sent()) == number


def test_an_order_that_is_paid_is_told_whatever_was_sent_before(order, settings):
    settings.MAIL_THROTTLE_RATE = (1, 3600)
    sent()
    order.mark_paid("pi_1")

    assert sent() == [(["alice@example.com"], f"Your order {order.number} is paid")]


def test_a_refused_verb_sends_nothing(order):
    sent()
    order.cancel(by="customer")
    sent()
    Order.objects.update(expires_at=now())

    Releasing().release(order)

    assert sent() == []


def test_an_order_that_is_cancelled_before_its_mail_is_sent_asks_for_no_payment(order):
    order.cancel(by="customer")
    run_waiting()

    bodies = {message.subject: message.body for message in mail.outbox}
    assert bodies[f"Your order {order.number}"].startswith(f"Thank you for your order {order.number}.\n")
