"""POST /cart/items with If-Match: as every other change."""

import pytest

from cart.models import CartItem

pytestmark = pytest.mark.django_db


def test_add_with_the_carts_etag_adds(client_for, alice, emma):
    client = client_for(alice)
    seen = client.get("/cart").headers["ETag"]

    response = client.post("/cart/items", {"book_id": emma.pk}, headers={"If-Match": f"W/{seen}"})

    assert response.status_code == 201


def test_add_with_the_etag_of_an_earlier_cart_is_412_and_adds_nothing(client_for, alice, emma, dracula):
    client = client_for(alice)
    seen = client.get("/cart").headers["ETag"]
    client.post("/cart/items", {"book_id": dracula.pk})

    response = client.post("/cart/items", {"book_id": emma.pk}, headers={"If-Match": seen})

    assert (response.status_code, response.json()["code"]) == (412, "CART_CHANGED")
    assert [line.book for line in CartItem.objects.with_book()] == [dracula]
