"""GET /cart/items/{item_id}"""

import pytest

from cart.models import CartItem
from cart.permissions import IsCartOwner
from cart.tests.answers import line_answer
from cart.tests.factories import CartFactory, CartItemFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def line(alice, emma):
    return CartItemFactory(cart=CartFactory(user=alice), book=emma, quantity=2)


@pytest.mark.fast_path  # one statement
def test_get_item_answers_the_line_and_the_carts_etag(client_for, alice, line, dracula, django_assert_num_queries):
    CartItemFactory(cart=line.cart, book=dracula)
    client = client_for(alice)

    with django_assert_num_queries(1):
        response = client.get(f"/cart/items/{line.pk}")

    assert response.status_code == 200
    assert response.json() == line_answer(line, line_total="19.00")
    assert response.headers["ETag"] == client.get("/cart").headers["ETag"]
    assert response.headers["Cache-Control"] == "no-store"


def test_get_item_with_the_carts_etag_is_304(client_for, alice, line):
    client = client_for(alice)
    etag = client.get("/cart").headers["ETag"]

    response = client.get(f"/cart/items/{line.pk}", headers={"if-none-match": etag})

    assert (response.status_code, response.content, response.headers["ETag"]) == (304, b"", etag)


@pytest.mark.parametrize("item_id", ["0", "999999", "9" * 300])
def test_get_item_that_is_not_there_is_404(client_for, alice, line, item_id):
    response = client_for(alice).get(f"/cart/items/{item_id}")

    assert (response.status_code, response.json()["code"]) == (404, "CART_ITEM_NOT_FOUND")


def test_get_item_that_is_deleted_while_it_is_read_is_404(client_for, alice, line, monkeypatch):
    monkeypatch.setattr("cart.views.statements.read", lambda caller: None)
    monkeypatch.setattr(IsCartOwner, "has_object_permission", lambda *of: bool(CartItem.objects.all().delete()))

    response = client_for(alice).get(f"/cart/items/{line.pk}")

    assert (response.status_code, response.json()["code"]) == (404, "CART_ITEM_NOT_FOUND")


def test_get_item_of_another_customer_is_403(client_for, bob, line):
    response = client_for(bob).get(f"/cart/items/{line.pk}")

    assert (response.status_code, response.json()["code"]) == (403, "CART_ITEM_FORBIDDEN")


def test_get_item_without_a_token_is_401(api, line):
    assert api.get(f"/cart/items/{line.pk}").status_code == 401
