"""The first page of the staff's site: orders and revenue a day, best sellers, and what is about to sell out."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import Group
from django.core.cache import cache
from django.utils.timezone import now

from bookstore.accounts.tests.factories import StaffFactory
from cart.models import Cart
from orders.admin import overview
from orders.checkout import CheckoutRequest, checkout
from orders.models import Order

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def fresh():
    cache.delete(overview.CACHE_KEY)


def test_the_overview_adds_up_the_orders_that_stand(alice, bob, cart, emma, dracula):
    checkout(alice, CheckoutRequest())
    Cart.objects.for_user(bob).add(emma)
    checkout(bob, CheckoutRequest()).cancel(by="customer")
    Order.objects.filter(user=alice).update(expires_at=now() + timedelta(minutes=5))

    facts = overview.facts()

    today = facts.days[-1]
    assert len(facts.days) == 30
    assert (today.orders, today.copies, today.revenue) == (1, 3, Decimal("31.25"))
    assert [(book.title, book.copies, book.stock) for book in facts.sold] == [("Emma", 2, 3), ("Dracula", 1, 1)]
    assert (facts.expiring, facts.looked_into) == (1, 1)


def test_the_first_page_shows_orders_best_sellers_and_what_sells_out(staff, alice, cart, emma, dracula):
    checkout(alice, CheckoutRequest())
    dracula.set_stock(0)

    page = staff.get("/admin/").content.decode()

    for shown in (
        "1 today, 1 in 30 days",
        "31.25 USD today, 31.25 USD in 30 days",
        f'href="/admin/orders/order/?book={emma.pk}"',
        "0 left, 1 copy sold: sold out",
    ):
        assert shown in page


def test_staff_who_may_not_see_books_get_no_link_to_them(client, alice, cart, dracula):
    checkout(alice, CheckoutRequest())
    dracula.set_stock(0)
    packer = StaffFactory()
    packer.groups.add(Group.objects.get(name="Order desk"))
    client.force_login(packer)

    page = client.get("/admin/").content.decode()

    assert "0 left, 1 copy sold: sold out" in page
    assert "/admin/catalog/book/" not in page


def test_the_first_page_costs_the_same_whatever_was_ordered(alice, cart, emma, django_assert_num_queries):
    for _ in range(2):
        checkout(alice, CheckoutRequest())
        cart.add(emma)

    with django_assert_num_queries(5):
        overview.gathered()


def test_staff_who_may_not_see_orders_see_none_of_it(client, cart):
    client.force_login(StaffFactory())

    assert "Revenue each day" not in client.get("/admin/").content.decode()
