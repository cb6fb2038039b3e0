"""GET /cart"""

from decimal import Decimal

import pytest
from django.db import InterfaceError, connection
from django.test.utils import CaptureQueriesContext

from bookstore.accounts.models import User
from bookstore.accounts.tests.factories import UserFactory
from cart.models import Cart
from cart.tests.answers import line_answer, moment
from cart.tests.factories import CartFactory, CartItemFactory
from catalog.tests.factories import BookFactory

pytestmark = pytest.mark.django_db


NOTHING = {
    "items": [],
    "total_items": 0,
    "total_price": "0.00",
    "currency": "USD",
    "updated_at": None,
    "checkout_ready": False,
}


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
                "line_total": "24.50",
                "added_at": moment(first.added_at),
                "price_at_add": "12.25",
                "available_quantity": 2,
                "issues": [],
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
                "line_total": "28.50",
                "added_at": moment(second.added_at),
                "price_at_add": "9.50",
                "available_quantity": 5,
                "issues": [],
            },
        ],
        "total_items": 5,
        "total_price": "53.00",
        "currency": "USD",
        "updated_at": moment(cart.updated_at),
        "checkout_ready": True,
    }


def test_get_cart_of_a_new_user_answers_an_empty_unstored_cart(client_for, alice):
    response = client_for(alice).get("/cart")

    assert response.status_code == 200
    assert response.json() == NOTHING
    assert not Cart.objects.exists()


def test_get_cart_that_was_emptied_answers_an_empty_cart(client_for, alice):
    cart = CartFactory(user=alice)

    response = client_for(alice).get("/cart")

    assert response.json() == NOTHING | {"updated_at": moment(cart.updated_at)}


def test_get_cart_is_not_for_caches(client_for, alice):
    assert client_for(alice).get("/cart").headers["Cache-Control"] == "no-store"


def test_get_cart_names_the_shops_currency(client_for, alice, settings):
    settings.SHOP_CURRENCY = "EUR"

    assert client_for(alice).get("/cart").json() == NOTHING | {"currency": "EUR"}


@pytest.mark.parametrize(
    ("stock", "active", "price_at_add", "issues", "ready"),
    [
        (3, True, "9.50", [], True),
        (2, True, "9.50", [{"code": "INSUFFICIENT_STOCK", "available": 2}], False),
        (0, True, "9.50", [{"code": "BOOK_OUT_OF_STOCK"}], False),
        (3, False, "9.50", [{"code": "BOOK_UNAVAILABLE"}], False),
        (0, False, "9.50", [{"code": "BOOK_UNAVAILABLE"}], False),
        (3, True, "8.00", [{"code": "PRICE_CHANGED", "from": "8.00", "to": "9.50"}], True),
        (
            1,
            True,
            "10.00",
            [{"code": "INSUFFICIENT_STOCK", "available": 1}, {"code": "PRICE_CHANGED", "from": "10.00", "to": "9.50"}],
            False,
        ),
        (3, True, None, [], True),
    ],
)
def test_get_cart_tells_the_issues_of_a_line(client_for, alice, emma, stock, active, price_at_add, issues, ready):
    emma.change(stock_quantity=stock, is_active=active)
    line = CartItemFactory(cart=CartFactory(user=alice), book=emma, quantity=3, price_at_add=price_at_add)

    cart = client_for(alice).get("/cart").json()

    assert cart["items"] == [line_answer(line, line_total="28.50", issues=issues, price_at_add=price_at_add or "9.50")]
    assert cart["checkout_ready"] is ready


def test_get_cart_with_one_blocked_line_of_two_is_not_ready(client_for, alice, emma, dracula):
    cart = CartFactory(user=alice)
    CartItemFactory(cart=cart, book=emma)
    CartItemFactory(cart=cart, book=dracula)
    dracula.set_stock(0)

    assert client_for(alice).get("/cart").json()["checkout_ready"] is False


def test_get_cart_shows_todays_price(client_for, alice, emma):
    CartItemFactory(cart=CartFactory(user=alice), book=emma, quantity=2)
    emma.change(price=Decimal("10.00"))

    cart = client_for(alice).get("/cart").json()

    assert (cart["total_price"], cart["items"][0]["line_total"]) == ("20.00", "20.00")


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


@pytest.mark.fast_path
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
    assert counts == {1: 1, 50: 1}


def test_read_cart_on_a_connection_that_is_lost_is_503(client_for, alice, monkeypatch):
    """Nobody can say then whether the caller is let in, either."""

    def lost(*args, **values):
        raise InterfaceError("the connection is closed")

    client = client_for(alice)
    monkeypatch.setattr("cart.statements.read", lost)
    monkeypatch.setattr(type(User.objects), "calling", lost)

    response = client.get("/cart")

    assert (response.status_code, response.json()["code"]) == (503, "SERVICE_UNAVAILABLE")
    assert response.headers["Retry-After"] == "1"
