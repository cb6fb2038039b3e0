"""DELETE /cart/items/{item_id}"""

import pytest

from cart.models import Cart, CartItem
from cart.tests.factories import CartFactory, CartItemFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def line(alice, emma):
    return CartItemFactory(cart=CartFactory(user=alice), book=emma, quantity=2)


def test_delete_item_answers_204_and_leaves_the_other_lines(client_for, alice, dracula, line):
    kept = CartItemFactory(cart=line.cart, book=dracula)

    response = client_for(alice).delete(f"/cart/items/{line.pk}")

    assert response.status_code == 204
    assert response.content == b""
    assert list(CartItem.objects.all()) == [kept]


def test_delete_item_moves_the_carts_last_change(client_for, alice, line):
    before = Cart.objects.get().updated_at

    client_for(alice).delete(f"/cart/items/{line.pk}")

    assert Cart.objects.get().updated_at > before


def test_delete_item_of_a_withdrawn_sold_out_book_is_204(client_for, alice, emma, line):
    emma.change(is_active=False, stock_quantity=0)

    response = client_for(alice).delete(f"/cart/items/{line.pk}")

    assert response.status_code == 204


def test_delete_item_a_second_time_is_404(client_for, alice, line):
    client = client_for(alice)
    client.delete(f"/cart/items/{line.pk}")

    response = client.delete(f"/cart/items/{line.pk}")

    assert response.status_code == 404
    assert response.json() == {
        "detail": "There is no such line in any cart.",
        "code": "CART_ITEM_NOT_FOUND",
        "field": "item_id",
    }


def test_delete_item_of_another_customer_is_403(client_for, bob, line):
    response = client_for(bob).delete(f"/cart/items/{line.pk}")

    assert response.status_code == 403
    assert response.json() == {
        "detail": "This line is in another customer's cart.",
        "code": "CART_ITEM_FORBIDDEN",
    }
    assert CartItem.objects.exists()


def test_delete_item_then_add_it_again_is_a_new_line_at_the_end(client_for, alice, emma, dracula, line):
    CartItemFactory(cart=line.cart, book=dracula)
    client = client_for(alice)
    client.delete(f"/cart/items/{line.pk}")

    response = client.post("/cart/items", {"book_id": emma.pk})

    assert response.status_code == 201
    assert [item["book"]["title"] for item in client.get("/cart").json()["items"]] == ["Dracula", "Emma"]


def test_delete_item_without_a_token_is_401(api, line):
    response = api.delete(f"/cart/items/{line.pk}")

    assert response.status_code == 401
    assert CartItem.objects.exists()
