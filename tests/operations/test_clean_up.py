"""`manage.py clean_up`: every table that only grows, by one command."""

from datetime import timedelta
from io import StringIO

import pytest
from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.db import OperationalError
from django.utils.timezone import now
from django_tasks_db.models import DBTaskResult

from bookstore.accounts.models import EmailChange, LoginSession, ThrottleWindow
from bookstore.admin.models import BulkAction
from bookstore.audit.models import AuditChange, AuditEvent
from bookstore.tasks.models import TaskWorker
from bookstore.tasks.tests import examples
from cart.models import Cart, CartItem
from cart.tests.factories import CartItemFactory
from catalog.importing.staged import BookImport, HeadingChoice, ImportBatch, ImportPart
from orders.models import CheckoutKey, Order
from orders.tests.factories import OrderFactory, OrderItemFactory

pytestmark = pytest.mark.django_db

NOTHING = [
    "Orders that were not paid in time: 0 cancelled. Old Idempotency-Keys: 0 deleted.",
    "Carts that nobody has changed for 180 days: 0 deleted.",
    "Old imports of books, with their files: 0 deleted.",
    "Expired sessions: 0 deleted. Expired counts of attempts: 0 deleted.",
    "Changes of an email that nobody confirmed in time: 0 deleted.",
    "Background tasks that ended long ago: 0 deleted.",
    "Expired sign-ins of staff: 0 deleted. Old events of their history: 0 deleted.",
]
YEARS = timedelta(days=3 * 365)


def clean_up(**options) -> list[str]:
    output = StringIO()
    call_command("clean_up", stdout=output, **options)
    return output.getvalue().splitlines()


@pytest.fixture
def years_ago(alice):
    """One row of each kind that grows, three years old."""
    then = now() - YEARS
    CartItemFactory()
    Cart.objects.update(updated_at=then)
    LoginSession.objects.begin(alice)
    LoginSession.objects.update(expires_at=then)
    ThrottleWindow.objects.create(key="a" * 64, count=3, expires_at=then)
    EmailChange.objects.create(
        user=alice, old_email=alice.email, new_email="new@example.com", credential="x", requested_at=then
    )
    CheckoutKey.objects.create(user=alice, key="one", created_at=then)
    OrderItemFactory(order=OrderFactory(user=alice, expires_at=then))
    Session.objects.create(session_key="a" * 32, session_data="", expire_date=then)
    LogEntry.objects.create(user=alice, action_flag=2)
    LogEntry.objects.update(action_time=then)
    event = AuditEvent.objects.create(
        at=then, actor="olga@example.com", channel="admin", kind="book", summary="Emma", number_of_changes=0
    )
    BulkAction.objects.create(actor_id=alice.pk, kind="catalog.book", verb="withdraw", rows=[])
    BulkAction.objects.update(created_at=then)
    examples.greet.enqueue("Alice")
    DBTaskResult.objects.update(status="SUCCESSFUL", finished_at=then)
    BookImport.objects.create(file_name="books.csv", user_id=alice.pk, user_email=alice.email, created_at=then)
    return event


def test_clean_up_deletes_what_is_over_and_says_how_much(years_ago):
    said = clean_up(batch=1)

    assert said == [line.replace(" 0 ", " 1 ") for line in NOTHING[:6]] + [
        "Expired sign-ins of staff: 1 deleted. Old events of their history: 2 deleted."
    ]
    grown = [Cart, CartItem, LoginSession, ThrottleWindow, CheckoutKey, Session, LogEntry]
    grown += [BulkAction, BookImport, ImportPart, ImportBatch]
    assert [model.__name__ for model in grown if model.objects.exists()] == []
    assert [order.status for order in Order.objects.all()] == ["cancelled"]
    assert [event.summary.partition(" since ")[0] for event in AuditEvent.objects.order_by("pk")] == [
        "Cancelled orders that were not paid in time.",
        "Deleted carts not changed",
        "Deleted the history older than 730 days (events: 2).",
    ]
    assert clean_up() == NOTHING


def test_clean_up_knows_every_table_that_programs_write():
    """A new model is either here, with what bounds it, or its app's cleaning.py deletes its old rows."""
    from django.apps import apps

    deleted = {Cart, CartItem, LoginSession, ThrottleWindow, CheckoutKey, Session, LogEntry, AuditEvent, AuditChange}
    deleted |= {EmailChange, BulkAction, DBTaskResult, BookImport, ImportPart, ImportBatch}
    bounded = {TaskWorker: "one for each process that runs", HeadingChoice: "one for each heading of a supplier"}
    kept = {"Order", "OrderItem", "User", "Book", "Genre", "SearchWord", "CatalogueState"}
    kept |= {"Group", "Permission", "ContentType", "StaffGroupGrant"}

    unknown = [
        model.__name__
        for model in apps.get_models()
        if model not in {*deleted, *bounded} and model.__name__ not in kept
    ]

    assert unknown == []


def test_clean_up_leaves_carts_when_it_is_told_so(years_ago, monkeypatch):
    monkeypatch.setattr(settings, "CART_DAYS", 0)

    assert clean_up()[1] == "CART_DAYS is 0: no cart is deleted."
    assert Cart.objects.count() == 1


def test_clean_up_does_the_other_parts_when_one_fails(years_ago, monkeypatch):
    def away(batch):
        raise OperationalError("canceling statement due to lock timeout")

    monkeypatch.setattr("cart.cleaning.clean_up", away)

    with pytest.raises(CommandError) as caught:
        clean_up()

    assert str(caught.value) == "Not cleaned up: cart (canceling statement due to lock timeout). Run it again later."
    ended = DBTaskResult.objects.filter(status="SUCCESSFUL")
    assert (Cart.objects.count(), LoginSession.objects.count(), ended.count()) == (1, 0, 0)


def test_clean_up_refuses_a_batch_of_nothing():
    with pytest.raises(CommandError, match="from 1"):
        clean_up(batch=0)
