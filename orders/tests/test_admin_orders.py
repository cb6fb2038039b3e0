"""Orders in the staff's site: how they are found, and the page of one."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now

from bookstore.accounts.tests.factories import StaffFactory
from cart.models import Cart
from catalog.tests.factories import BookFactory
from orders.admin import finding
from orders.checkout import CheckoutRequest, checkout
from orders.models import Order

pytestmark = pytest.mark.django_db

LIST = "/admin/orders/order/"


@pytest.fixture
def order(alice, cart) -> Order:
    return checkout(alice, CheckoutRequest(note="Ring twice.", contact={"name": "Alice", "address": {"city": "Bath"}}))


@pytest.fixture
def bobs(bob) -> Order:
    Cart.objects.for_user(bob).add(BookFactory(title="Persuasion", author="Jane Austen", isbn="9780141439686"))
    return checkout(bob, CheckoutRequest())


def found(staff, **parameters):
    """The numbers that the list shows, and what it says above them."""
    response = staff.get(LIST, parameters, follow=True)
    assert response.status_code == 200
    return [order.number for order in response.context["cl"].result_list]


@pytest.mark.parametrize(
    "text",
    [
        *("{number}", "{small}", "alice", "LICE", "alice@", "lice@exam", "978-0-14-143958-7", "0141439580", "emma"),
        *("stoker dracula", "alice@ emma", "dracula alice@example.com", "alice@ 0141439580"),
    ],
)
def test_orders_are_found_by_number_email_isbn_and_words_of_a_title(staff, order, bobs, text):
    text = text.format(number=order.number, small=order.number.lower().replace("-", " ").replace("0", "o"))

    assert found(staff, q=text) == [order.number]


@pytest.mark.parametrize(
    "text", ["00000-00000", "carol@", "carol", "bob@ emma", "alice@ moby", "978-0-14-144114-6", "moby", "%", "x" * 300]
)
def test_orders_are_not_found_by_what_is_in_none(staff, order, text):
    assert found(staff, q=text) == []


def test_a_search_by_isbn_says_that_it_has_only_the_newest(staff, order, bobs, emma, bob, monkeypatch):
    monkeypatch.setattr(finding, "MOST_ORDERS", 1)
    Cart.objects.for_user(bob).add(emma)
    newest = checkout(bob, CheckoutRequest())

    response = staff.get(LIST, {"q": emma.isbn})

    assert [row.number for row in response.context["cl"].result_list] == [newest.number]
    assert finding.ONLY_NEWEST in response.content.decode()


def test_a_search_by_words_looks_for_the_best_books_only(staff, order, emma, monkeypatch):
    monkeypatch.setattr(finding, "MOST_BOOKS", 1)
    for number in range(3):
        BookFactory(title=f"Emma, Volume {number}")

    with CaptureQueriesContext(connection) as asked:
        response = staff.get(LIST, {"q": "emma"})

    assert [each.number for each in response.context["cl"].result_list] == [order.number]
    assert finding.ONLY_BEST in response.text
    named = [re.search(r'"books"\."id" IN \(([\d, ]+)\)', query["sql"]) for query in asked]
    assert [len(ids[1].split(",")) for ids in named if ids] == [2]


def test_an_order_with_a_deleted_book_is_found_by_its_isbn(staff, order, emma):
    emma.delete()

    assert found(staff, q="9780141439587") == [order.number]


def test_orders_are_filtered_by_state_and_by_day(staff, order, bobs):
    order.mark_paid("pi_1")
    Order.objects.filter(pk=bobs.pk).update(created_at=now() - timedelta(days=1))
    yesterday = (now() - timedelta(days=1)).date().isoformat()
    asked = [
        {"status__exact": "paid"},
        {"day": "today"},
        {"day": "yesterday"},
        {"day": yesterday},
        {"day": "week", "status__exact": "placed"},
    ]

    assert [found(staff, **parameters) for parameters in asked] == [
        *([order.number], [order.number], [bobs.number], [bobs.number], [bobs.number]),
    ]


@pytest.mark.parametrize("day", ["x", "2026-02-30", "9999-12-31", "0001-01-01"])
def test_a_day_that_cannot_be_asked_for_is_no_error(staff, order, day):
    assert found(staff, day=day) in ([], [order.number])


def test_a_day_begins_and_ends_at_midnight_in_utc(staff, order):
    Order.objects.update(created_at=datetime(2026, 11, 27, 23, 59, 59, tzinfo=UTC))

    assert [found(staff, day=day) for day in ("2026-11-27", "2026-11-28")] == [[order.number], []]


def test_times_of_an_order_name_their_zone(staff, order):
    Order.objects.update(expires_at=datetime(2026, 11, 27, 15, 51, 7, tzinfo=UTC))

    pages = [staff.get(LIST), staff.get(f"{LIST}{order.pk}/change/")]

    assert ["2026-11-27 15:51 UTC" in page.content.decode() for page in pages] == [True, True]


def test_a_customer_and_a_book_lead_to_their_orders(staff, alice, emma, order, bobs):
    customer = staff.get(f"/admin/accounts/user/{alice.pk}/change/").content.decode()
    book = staff.get(f"/admin/catalog/book/{emma.pk}/change/").content.decode()

    assert f'<a href="{LIST}?customer={alice.pk}">the last one {order.number}' in customer
    assert f'<a href="{LIST}?book={emma.pk}">1 order</a>, 2 copies in 30 days' in book
    assert found(staff, customer=alice.pk) == found(staff, book=emma.pk) == [order.number]
    assert [found(staff, customer="x"), found(staff, book="x")] == [[], []]


def test_one_copy_in_one_order_is_told_without_plurals(staff, bobs):
    book = staff.get(f"/admin/catalog/book/{bobs.items.get().book_id}/change/").content.decode()

    assert ">1 order</a>, 1 copy in 30 days" in book


def test_the_page_of_an_order_leads_to_its_customer_and_its_books(staff, order, alice, emma, dracula):
    dracula.delete()

    page = staff.get(f"{LIST}{order.pk}/change/").content.decode()

    for shown in (
        f'<a href="/admin/accounts/user/{alice.pk}/change/">alice@example.com</a>',
        f'<a href="{LIST}?customer={alice.pk}">all orders</a>',
        f'<a href="/admin/catalog/book/{emma.pk}/change/">Emma</a>',
        "Dracula (deleted since)",
        "Ring twice.",
        "Bath",
    ):
        assert shown in page


def test_the_page_of_an_order_saves_nothing(staff, order):
    before = Order.objects.values().get()

    staff.post(f"{LIST}{order.pk}/change/", {"status": "shipped", "note": "x"})

    assert Order.objects.values().get() == before


def test_the_page_of_an_order_has_no_button_to_save(staff, order):
    page = staff.get(f"{LIST}{order.pk}/change/").content.decode()

    assert [name in page for name in ('name="_save"', 'name="_continue"', 'name="_addanother"')] == [False] * 3


@pytest.mark.parametrize(
    ("status", "verbs"),
    [
        ("placed", ["mark_paid_by_hand", "cancel_orders"]),
        ("paid", ["mark_shipped", "cancel_orders"]),
        ("shipped", []),
        ("cancelled", []),
    ],
)
def test_the_page_of_an_order_offers_what_its_state_allows(staff, order, status, verbs):
    Order.objects.update(status=status, paid_at=now())

    page = staff.get(f"{LIST}{order.pk}/change/").content.decode()

    offered = [verb for verb in ("mark_paid_by_hand", "mark_shipped", "cancel_orders") if f'value="{verb}"' in page]
    assert offered == verbs


def test_staff_who_may_only_look_are_offered_no_verb(order):
    clerk = StaffFactory()
    clerk.user_permissions.add(*Permission.objects.filter(codename__in=["view_order", "view_orderitem"]))
    client = Client()
    client.force_login(clerk)

    page = client.get(f"{LIST}{order.pk}/change/").content.decode()

    assert all(shown in page for shown in (order.number, "alice@example.com", "Emma"))
    assert ["mark_paid_by_hand" in page, "packing_list" in page] == [False, True]
    assert ["/admin/accounts/user/" in page, "/admin/catalog/book/" in page] == [False, False]


def test_no_order_is_added_or_deleted_by_staff(staff, order):
    assert staff.get(f"{LIST}add/").status_code == 403
    assert staff.post(f"{LIST}{order.pk}/delete/", {"post": "yes"}).status_code == 403
    assert Order.objects.count() == 1


@pytest.mark.parametrize("orders", [1, 3])
def test_the_list_costs_the_same_queries_with_1_and_3(staff, alice, emma, orders, django_assert_num_queries):
    for _ in range(orders):
        Cart.objects.for_user(alice).add(emma)
        checkout(alice, CheckoutRequest())
    staff.get(LIST)  # the first page of a session

    with django_assert_num_queries(4):  # the session, the user, the keys and the page
        staff.get(LIST)
