"""Orders in the admin: found by number, email and ISBN; changed only by the verbs."""

import pytest
from django.contrib.messages import get_messages

from bookstore.audit.models import AuditEvent
from catalog.models import Book
from orders.checkout import Wish, checkout
from orders.models import Order

pytestmark = pytest.mark.django_db

LIST = "/admin/orders/order/"


@pytest.fixture
def order(alice, cart) -> Order:
    return checkout(alice, Wish(note="Ring twice."))


def do(staff, action, *orders, **more):
    fields = {"action": action, "_selected_action": [order.pk for order in orders], **more}
    response = staff.post(LIST, fields)
    return [str(message) for message in get_messages(response.wsgi_request)][-1]  # those before it were not read


@pytest.mark.parametrize("text", ["{number}", "alice@", "978-0-14-143958-7"])
def test_orders_are_found_by_number_email_and_isbn(staff, order, text):
    response = staff.get(LIST, {"q": text.format(number=order.number.lower())})

    assert order.number in response.content.decode()


@pytest.mark.parametrize("text", ["00000-00000", "bob@", "978-0-14-144114-6"])
def test_orders_are_not_found_by_what_is_another_s(staff, order, text):
    response = staff.get(LIST, {"q": text})

    assert response.status_code == 200
    assert order.number not in response.content.decode()


def test_the_page_of_an_order_shows_it_and_saves_nothing(staff, order):
    page = staff.get(f"{LIST}{order.pk}/change/").content.decode()
    before = Order.objects.values().get()
    staff.post(f"{LIST}{order.pk}/change/", {"status": "shipped", "note": "x"})

    assert [text in page for text in (order.number, "Ring twice.", "Emma", "alice@example.com")] == [True] * 4
    assert Order.objects.values().get() == before


def test_paid_shipped_and_cancelled_by_the_actions(staff, order):
    messages = [do(staff, action, order) for action in ("mark_shipped", "mark_paid_by_hand", "mark_shipped")]

    order.refresh_from_db()
    assert messages == [
        f"{order.number}: Only an order that is paid can be shipped.",
        "1 order: Marked as paid.",
        "1 order: Marked as shipped.",
    ]
    assert (order.status, order.payment_reference) == ("shipped", "by hand: olga@example.com")


@pytest.mark.parametrize("before", [["mark_paid_by_hand"], ["mark_paid_by_hand", "mark_shipped"]])
def test_paid_again_is_refused_and_is_not_in_the_history(staff, order, before):
    for action in before:
        do(staff, action, order)

    message = do(staff, "mark_paid_by_hand", order)

    assert message == f"{order.number}: This order is not waiting for a payment (any more)."
    assert AuditEvent.objects.count() == len(before)


def test_the_page_of_an_order_has_no_button_to_save(staff, order):
    page = staff.get(f"{LIST}{order.pk}/change/").content.decode()

    assert [name in page for name in ('name="_save"', 'name="_continue"', 'name="_addanother"')] == [False] * 3


def test_cancel_asks_first_and_changes_nothing(staff, order):
    response = staff.post(LIST, {"action": "cancel_orders", "_selected_action": [order.pk]})

    page = response.content.decode()
    order.refresh_from_db()
    assert (response.status_code, order.status) == (200, "placed")
    assert f"{order.number}, placed: alice@example.com, 3 copies" in page
    assert "Yes, cancel 1 order" in page


def test_cancel_of_more_orders_than_the_question_shows_is_refused(staff, order, monkeypatch):
    monkeypatch.setattr("orders.admin.MOST_CANCELLED", 0)

    message = do(staff, "cancel_orders", order, confirmed="yes")

    order.refresh_from_db()
    assert (message, order.status) == ("Nothing was cancelled: choose at most 0 orders at once.", "placed")


def test_cancel_gives_the_copies_back_and_names_who_and_why(staff, order):
    do(staff, "cancel_orders", order, confirmed="yes", reason=" lost on the way ")

    order.refresh_from_db()
    assert (order.status, order.cancelled_by, order.cancel_reason) == (
        "cancelled",
        "olga@example.com",
        "lost on the way",
    )
    assert dict(Book.objects.values_list("title", "stock_quantity")) == {"Emma": 5, "Dracula": 2}


def test_no_order_is_added_or_deleted_by_staff(staff, order):
    assert staff.get(f"{LIST}add/").status_code == 403
    assert staff.post(f"{LIST}{order.pk}/delete/", {"post": "yes"}).status_code == 403
    assert Order.objects.count() == 1
