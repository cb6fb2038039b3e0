"""What staff do to orders: shown first, refused in their words, each change in the history."""

import pytest

from bookstore.accounts.models import User
from bookstore.admin import bulk
from bookstore.admin.models import BulkAction
from bookstore.audit.models import AuditChange
from cart.models import Cart
from catalog.models import Book
from catalog.querysets import BookQuerySet
from orders.admin.verbs import Cancel, ReferenceForm
from orders.checkout import CheckoutRequest, checkout
from orders.models import Order
from tests.support.racing import meet

pytestmark = pytest.mark.django_db

LIST = "/admin/orders/order/"


@pytest.fixture
def order(alice, cart) -> Order:
    return checkout(alice, CheckoutRequest())


def begin(staff, action, *orders):
    return staff.post(LIST, {"action": action, "_selected_action": [order.pk for order in orders]}, follow=True)


def step(staff, page, name, **data):
    """Sends the form of an action's page."""
    return staff.post(page.request["PATH_INFO"], {"step": name, **data}, follow=True)


def do(staff, action, *orders, **parameters):
    page = begin(staff, action, *orders)
    if action != "mark_shipped":
        page = step(staff, page, "ask", **parameters)
    return told(step(staff, page, "run"))


def told(response):
    return [str(message) for message in response.context["messages"]]


def history():
    return list(AuditChange.objects.order_by("id").values_list("name", "fields", "event__actor"))


def test_paid_and_shipped_are_shown_first_and_in_the_history(staff, order):
    paid = do(staff, "mark_paid_by_hand", order, reference="MT940 7")
    shipped = do(staff, "mark_shipped", order)

    order.refresh_from_db()
    assert (paid, shipped) == (["Marked 1 order as paid."], ["Marked 1 order as shipped."])
    assert (order.status, order.payment_reference) == ("shipped", "MT940 7, by hand: olga@example.com")
    assert history() == [
        (order.number, {"status": ["placed", "paid"]}, "olga@example.com"),
        (order.number, {"status": ["paid", "shipped"]}, "olga@example.com"),
    ]


def test_the_longest_reference_and_email_are_kept_whole(staff, order):
    reference = "R" * 100
    email = f"{'o' * 64}@{'x' * 177}.example.com"
    User.objects.filter(email="olga@example.com").update(email=email)

    do(staff, "mark_paid_by_hand", order, reference=reference)
    do(staff, "cancel_orders", order)

    order.refresh_from_db()
    assert (order.payment_reference, order.cancelled_by) == (f"{reference}, by hand: {email}", email)


def test_cancel_gives_the_copies_back_and_names_who_and_why(staff, order):
    message = do(staff, "cancel_orders", order, reason=" lost on the way ")

    order.refresh_from_db()
    assert message == ["Cancelled 1 order."]
    assert (order.status, order.cancelled_by, order.cancel_reason) == (
        *("cancelled", "olga@example.com"),
        "lost on the way",
    )
    assert dict(Book.objects.values_list("title", "stock_quantity")) == {"Emma": 5, "Dracula": 2}


EFFECTS = {
    "mark_paid_by_hand": {
        "placed": "Paid: 31.25 USD. It is no longer cancelled by itself, and can be shipped.",
        "paid": "Left as it is. It is not waiting for a payment: it is paid already, or was cancelled.",
        "shipped": "Left as it is. It is not waiting for a payment: it is paid already, or was cancelled.",
        "cancelled": "Left as it is. It is cancelled already.",
    },
    "mark_shipped": {
        "placed": "Left as it is. Only an order that is paid can be shipped.",
        "paid": "Shipped: 3 copies. It can no longer be cancelled.",
        "shipped": "Left as it is. Only an order that is paid can be shipped.",
        "cancelled": "Left as it is. It is cancelled already.",
    },
    "cancel_orders": {
        "placed": "Cancelled: 3 copies back into stock.",
        "paid": "Cancelled: 3 copies back into stock. 31.25 USD is to be paid back.",
        "shipped": "Left as it is. It is shipped already: what comes back is not put into stock here.",
        "cancelled": "Left as it is. It is cancelled already.",
    },
}


@pytest.mark.parametrize(("action", "status"), [(action, status) for action in EFFECTS for status in EFFECTS[action]])
def test_a_verb_shows_what_it_would_do_and_leaves_the_rest_alone(staff, order, action, status):
    if status in ("paid", "shipped"):
        order.mark_paid("pi_1")
    if status == "shipped":
        order.ship()
    if status == "cancelled":
        order.cancel(by="customer")
    before = Order.objects.values().get()

    page = begin(staff, action, order)
    if action != "mark_shipped":
        page = step(staff, page, "ask")
    shown = page.context["preview"]
    unchanged = Order.objects.values().get()
    message = told(step(staff, page, "run"))

    effect = EFFECTS[action][status]
    assert shown == [(f"{order.number}, {status}: alice@example.com", effect)]
    assert unchanged == before
    if effect.startswith("Left as it is. "):
        reason = effect.removeprefix("Left as it is. ")
        assert message == [f"Left 1 order alone. “{order.number}”: {reason}"]
        assert Order.objects.values().get() == before
        assert history() == []


def test_an_order_that_changed_since_it_was_shown_is_left_alone(staff, order):
    page = step(staff, begin(staff, "cancel_orders", order), "ask")
    order.mark_paid("pi_1")

    message = told(step(staff, page, "run"))

    reason = "It was placed, and is paid now: it was changed meanwhile."
    assert message == [f"Left 1 order alone. “{order.number}”: {reason}"]
    assert Order.objects.get().status == "paid"


def test_of_several_orders_the_refused_ones_are_named(staff, order, alice, emma):
    Cart.objects.for_user(alice).add(emma)
    paid = checkout(alice, CheckoutRequest())
    paid.mark_paid("pi_1")

    message = do(staff, "mark_shipped", order, paid)

    reason = "Only an order that is paid can be shipped."
    assert message == ["Marked 1 order as shipped.", f"Left 1 order alone. “{order.number}”: {reason}"]


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_staff_and_a_customer_cancelling_at_once_never_deadlock(staff, order):
    """The customer has the books when staff's batch begins: it waits for them before it locks the order."""
    page = step(staff, begin(staff, "cancel_orders", order), "ask")

    first, message = meet(
        lambda: Order.objects.get(pk=order.pk).cancel(by="customer"),
        lambda: told(step(staff, page, "run")),
        at=(BookQuerySet, "update"),
    )

    assert first is True
    reason = "It was placed, and is cancelled now: it was changed meanwhile."
    assert message == [f"Left 1 order alone. “{order.number}”: {reason}"]
    assert dict(Book.objects.values_list("title", "stock_quantity")) == {"Emma": 5, "Dracula": 2}


# --- the packing list ---


def test_the_packing_list_has_a_sheet_for_each_order_and_changes_nothing(staff, alice, cart, emma):
    address = {"line1": "Steventon Rectory", "city": "Steventon", "postcode": "RG25 3BE", "country": "GB"}
    first = checkout(
        alice, CheckoutRequest(note="Ring <twice>.", contact={"name": "Jane", "phone": "1", "address": address})
    )
    cart.add(emma)
    second = checkout(alice, CheckoutRequest())
    before = list(Order.objects.order_by("pk").values())

    page = begin(staff, "packing_list", second, first).content.decode()

    assert page.index(first.number) < page.index(second.number)
    for shown in (
        "Jane<br>Steventon Rectory<br>RG25 3BE Steventon<br>GB<br>1<br>",
        "Ring &lt;twice&gt;.",
        "<td>Emma</td><td>Jane Austen</td><td>9780141439587</td>",
        "No address was given.",
    ):
        assert shown in page
    assert list(Order.objects.order_by("pk").values()) == before


def test_a_packing_list_of_too_many_orders_is_refused(staff, order, monkeypatch):
    monkeypatch.setattr("orders.admin.packing.MOST_PRINTED", 0)

    assert told(begin(staff, "packing_list", order)) == ["Choose at most 0 orders for one packing list."]


def test_orders_are_cancelled_a_few_in_each_transaction(staff, alice, order, emma, monkeypatch):
    """Checkouts wait for the books of a batch."""
    monkeypatch.setattr(bulk, "LONGEST", 0)
    monkeypatch.setattr(Cancel, "batch", 1)
    Cart.objects.for_user(alice).add(emma, 1)
    page = step(staff, begin(staff, "cancel_orders", order, checkout(alice, CheckoutRequest())), "ask")

    first = step(staff, page, "run")
    second = step(staff, first, "run")

    assert first.context["action"].done == 1
    assert told(second) == ["Cancelled 2 orders."]


def test_a_form_of_an_action_that_another_tab_ended_says_so(staff, order, monkeypatch):
    page = begin(staff, "mark_paid_by_hand", order)
    monkeypatch.setattr(ReferenceForm, "clean", lambda form: BulkAction.objects.all().delete() and None)

    message = told(step(staff, page, "ask", reference="MT940 7"))

    order.refresh_from_db()
    assert (message, order.status) == (["This action is over, or somebody else's."], "placed")
