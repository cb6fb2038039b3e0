"""PUT /cart/items/{item_id}"""

import pytest

from cart.models import Cart
from cart.tests.factories import CartFactory, CartItemFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def line(alice, emma):
    return CartItemFactory(cart=CartFactory(user=alice), book=emma, quantity=2)


def quantity_of(line):
    line.refresh_from_db()
    return line.quantity


def test_put_item_answers_200_with_the_line(client_for, alice, emma, line):
    response = client_for(alice).put(f"/cart/items/{line.pk}", {"quantity": 7})

    assert response.status_code == 200
    assert response.json() == {
        "id": line.pk,
        "book_id": emma.pk,
        "quantity": 7,
        "book": {
            "id": emma.pk,
            "title": "Emma",
            "author": "Jane Austen",
            "price": "9.50",
            "cover_image_url": "https://covers.example/emma.jpg",
        },
    }
    assert quantity_of(line) == 7


def test_put_item_of_a_sold_out_book_is_200(client_for, alice, emma, line):
    emma.set_stock(0)

    response = client_for(alice).put(f"/cart/items/{line.pk}", {"quantity": 999})

    assert response.status_code == 200
    assert quantity_of(line) == 999


def test_put_item_moves_the_carts_last_change(client_for, alice, line):
    before = Cart.objects.get().updated_at

    client_for(alice).put(f"/cart/items/{line.pk}", {"quantity": 3})

    assert Cart.objects.get().updated_at > before


@pytest.mark.parametrize("item_id", ["0", "999999", "9223372036854775808", "1" + "0" * 30, "9" * 300])
def test_put_item_that_is_not_there_is_404(client_for, alice, line, item_id):
    response = client_for(alice).put(f"/cart/items/{item_id}", {"quantity": 3})

    assert response.status_code == 404
    assert response.json() == {
        "detail": "There is no such line in any cart.",
        "code": "CART_ITEM_NOT_FOUND",
        "field": "item_id",
    }


@pytest.mark.parametrize("item_id", ["x", "-1", "1.0", "１", "%31%00"])
def test_put_item_at_a_path_that_is_no_id_is_404_not_found(client_for, alice, item_id):
    response = client_for(alice).put(f"/cart/items/{item_id}", {"quantity": 3})

    assert response.status_code == 404
    assert response.json() == {"detail": "There is nothing at this path.", "code": "NOT_FOUND"}


def test_put_item_of_another_customer_is_403_without_field(client_for, bob, line):
    response = client_for(bob).put(f"/cart/items/{line.pk}", {"quantity": 3})

    assert response.status_code == 403
    assert response.json() == {
        "detail": "This line is in another customer's cart.",
        "code": "CART_ITEM_FORBIDDEN",
    }
    assert quantity_of(line) == 2


@pytest.mark.parametrize("body", [{}, {"quantity": 0}, {"quantity": 1000}, {"quantity": "1.0"}, {"quantity": None}])
def test_put_item_with_a_bad_quantity_is_422_before_404_and_403(client_for, bob, line, body):
    for item_id in (line.pk, 0):
        response = client_for(bob).put(f"/cart/items/{item_id}", body)

        assert response.status_code == 422
        assert response.json()["field"] == "quantity"
    assert quantity_of(line) == 2


def test_put_item_that_was_deleted_meanwhile_is_404_and_stays_deleted(client_for, alice, line, monkeypatch):
    from cart.models import CartItem

    change_quantity = CartItem.change_quantity

    def deleted_first(self, quantity):
        CartItem.objects.filter(pk=self.pk).delete()
        change_quantity(self, quantity)

    monkeypatch.setattr(CartItem, "change_quantity", deleted_first)

    response = client_for(alice).put(f"/cart/items/{line.pk}", {"quantity": 3})

    assert response.status_code == 404
    assert response.json()["code"] == "CART_ITEM_NOT_FOUND"
    assert not CartItem.objects.exists()


def test_put_item_without_a_token_is_401(api, line):
    response = api.put(f"/cart/items/{line.pk}", {"quantity": 3})

    assert response.status_code == 401
    assert quantity_of(line) == 2
