"""GET /cart"""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from bookstore.accounts.tests.factories import UserFactory
from cart.models import Cart
from cart.tests.factories import CartFactory, CartItemFactory
from catalog.tests.factories import BookFactory

pytestmark = pytest.mark.django_db


def test_get_cart_with_lines_answers_items_and_totals(client_for, alice, emma, dracula):
    cart = CartFactory(user=alice)
    first = CartItemFactory(cart=cart, book=dracula, quantity=2)
    second = CartItemFactory(cart=cart, book=emma, quantity=3)

    response = client_for(alice).get("/cart")

    assert response.status_code == 200
    assert response.json() == {
        "items": [
            {
                "id": first.pk,
                "book_id": dracula.pk,
                "quantity": 2,
                "book": {
                    "id": dracula.pk,
                    "title": "Dracula",
                    "author": "Bram Stoker",
                    "price": "12.25",
                    "cover_image_url": None,
                },
            },
            {
                "id": second.pk,
                "book_id": emma.pk,
                "quantity": 3,
                "book": {
                    "id": emma.pk,
                    "title": "Emma",
                    "author": "Jane Austen",
                    "price": "9.50",
                    "cover_image_url": "https://covers.example/emma.jpg",
                },
            },
        ],
        "total_items": 5,
        "total_price": "53.00",
    }


def test_get_cart_of_somebody_new_answers_an_empty_cart_and_stores_none(client_for, alice):
    response = client_for(alice).get("/cart")

    assert response.status_code == 200
    assert response.json() == {"items": [], "total_items": 0, "total_price": "0.00"}
    assert not Cart.objects.exists()


def test_get_cart_that_was_emptied_answers_an_empty_cart(client_for, alice):
    CartFactory(user=alice)

    response = client_for(alice).get("/cart")

    assert response.json() == {"items": [], "total_items": 0, "total_price": "0.00"}


def test_get_cart_shows_todays_price(client_for, alice, emma):
    CartItemFactory(cart=CartFactory(user=alice), book=emma, quantity=2)
    emma.price = "10.00"
    emma.save(update_fields=["price"])

    response = client_for(alice).get("/cart")

    assert response.json()["total_price"] == "20.00"


def test_get_cart_shows_only_the_callers_lines(client_for, alice, bob, emma):
    CartItemFactory(cart=CartFactory(user=bob), book=emma)

    response = client_for(alice).get("/cart")

    assert response.json()["items"] == []


def test_get_cart_keeps_the_order_of_adding_after_a_change(client_for, alice, emma, dracula):
    cart = CartFactory(user=alice)
    first = CartItemFactory(cart=cart, book=dracula)
    second = CartItemFactory(cart=cart, book=emma)
    first.change_quantity(9)

    response = client_for(alice).get("/cart")

    assert [item["id"] for item in response.json()["items"]] == [first.pk, second.pk]


def test_get_cart_without_a_token_is_401(api):
    response = api.get("/cart")

    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == "Bearer"
    assert response.json() == {
        "detail": "Sign in first: send an access token as `Authorization: Bearer …`.",
        "code": "NOT_AUTHENTICATED",
    }


def test_get_cart_costs_the_same_queries_with_1_and_50_lines(client_for):
    counts = {}
    for lines in (1, 50):
        user = UserFactory()
        cart = CartFactory(user=user)
        for book in BookFactory.create_batch(lines):
            CartItemFactory(cart=cart, book=book)
        client = client_for(user)

        with CaptureQueriesContext(
            connection,
        ) as queries:
            response = client.get("/cart")

        assert len(response.json()["items"]) == lines
        counts[lines] = len(queries)
    assert counts == {1: 3, 50: 3}
