"""DELETE /cart/items"""

import pytest

from cart.models import Cart, CartItem
from cart.tests.factories import CartFactory, CartItemFactory

pytestmark = pytest.mark.django_db


def test_delete_items_answers_204_and_empties_only_the_callers_cart(client_for, alice, bob, emma, dracula):
    cart = CartFactory(user=alice)
    CartItemFactory(cart=cart, book=emma)
    CartItemFactory(cart=cart, book=dracula)
    kept = CartItemFactory(cart=CartFactory(user=bob), book=emma)

    response = client_for(alice).delete("/cart/items")

    assert (response.status_code, response.content) == (204, b"")
    assert list(CartItem.objects.all()) == [kept]
    assert Cart.objects.get(user=alice).updated_at > cart.updated_at


def test_delete_items_of_an_empty_cart_is_204_and_no_change(client_for, alice):
    cart = CartFactory(user=alice)

    response = client_for(alice).delete("/cart/items")

    assert response.status_code == 204
    assert Cart.objects.get().updated_at == cart.updated_at


def test_delete_items_without_a_cart_is_204_and_makes_none(client_for, alice):
    response = client_for(alice).delete("/cart/items")

    assert response.status_code == 204
    assert not Cart.objects.exists()


def test_delete_items_without_a_token_is_401(api):
    assert api.delete("/cart/items").status_code == 401
