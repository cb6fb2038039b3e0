"""The orders of GET /auth/me/export"""

import pytest

from orders.checkout import CheckoutRequest, checkout
from orders.models import Order

pytestmark = pytest.mark.django_db


def test_export_has_every_order_by_pages(client_for, alice, cart, monkeypatch):
    first = checkout(alice, CheckoutRequest())
    for number in ("B-2", "B-3"):
        Order.objects.create(user=alice, number=number, total_items=0, total_price=0, currency="USD")
    monkeypatch.setattr("bookstore.accounts.personal.PAGE_ROWS", 2)
    client = client_for(alice)

    pages = [client.get(f"/auth/me/export?page={page}").json() for page in (1, 2)]

    assert [[order["number"] for order in page["orders"]["items"]] for page in pages] == [
        [first.number, "B-2"],
        ["B-3"],
    ]
    assert [page["more"] for page in pages] == [True, False]
    assert pages[0]["orders"]["items"][0] == client.get(f"/orders/{first.pk}").json()
