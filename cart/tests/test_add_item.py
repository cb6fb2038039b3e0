"""POST /cart/items"""

import pytest

from cart.models import Cart, CartItem
from cart.tests.answers import line_answer
from cart.tests.factories import CartFactory, CartItemFactory
from catalog.tests.factories import BookFactory

pytestmark = pytest.mark.django_db


def stored():
    return list(CartItem.objects.order_by("id").values_list("cart__user__email", "book__title", "quantity"))


def test_post_item_answers_201_with_the_line(client_for, alice, emma):
    response = client_for(alice).post("/cart/items", {"book_id": emma.pk, "quantity": 2})

    item = CartItem.objects.get()
    assert response.status_code == 201
    assert response.json() == line_answer(item, line_total="19.00")
    assert stored() == [("alice@example.com", "Emma", 2)]


def test_post_item_without_quantity_adds_one_copy(client_for, alice, emma):
    response = client_for(alice).post("/cart/items", {"book_id": emma.pk})

    assert response.json()["quantity"] == 1
    assert stored() == [("alice@example.com", "Emma", 1)]


def test_post_item_takes_digits_as_strings_and_ignores_unknown_fields(client_for, alice, emma):
    response = client_for(alice).post("/cart/items", {"book_id": str(emma.pk), "quantity": "3", "cart_id": 1})

    assert response.status_code == 201
    assert stored() == [("alice@example.com", "Emma", 3)]


def test_post_item_beyond_the_stock_is_accepted(client_for, alice, dracula):
    response = client_for(alice).post("/cart/items", {"book_id": dracula.pk, "quantity": 999})

    assert response.status_code == 201


def test_post_item_beyond_the_stock_tells_so_at_once(client_for, alice, dracula):
    response = client_for(alice).post("/cart/items", {"book_id": dracula.pk, "quantity": 100})

    assert response.json() == line_answer(
        CartItem.objects.get(), line_total="1225.00", issues=[{"code": "INSUFFICIENT_STOCK", "available": 2}]
    )


def test_post_item_of_a_withdrawn_book_is_404(client_for, alice, emma):
    emma.change(is_active=False)

    response = client_for(alice).post("/cart/items", {"book_id": emma.pk})

    assert response.status_code == 404
    assert response.json()["code"] == "BOOK_NOT_FOUND"


def test_post_item_to_a_full_cart_is_409(client_for, alice, emma, dracula, settings):
    settings.CART_MAX_LINES = 1
    CartItemFactory(cart=CartFactory(user=alice), book=emma)

    response = client_for(alice).post("/cart/items", {"book_id": dracula.pk})

    assert response.status_code == 409
    assert response.json() == {
        "detail": "The cart is full: it holds as many different books as a cart can. Remove a line first.",
        "code": "CART_LIMIT_EXCEEDED",
    }
    assert stored() == [("alice@example.com", "Emma", 1)]


def test_post_item_to_a_cart_over_a_lowered_limit_is_409(client_for, alice, emma, dracula, settings):
    settings.CART_MAX_LINES = 1
    cart = CartFactory(user=alice)
    for book in (emma, BookFactory(title="Persuasion")):
        CartItemFactory(cart=cart, book=book)

    response = client_for(alice).post("/cart/items", {"book_id": dracula.pk})

    assert response.status_code == 409
    assert response.json()["code"] == "CART_LIMIT_EXCEEDED"


def test_post_item_already_in_a_full_cart_is_409_duplicate(client_for, alice, emma, settings):
    settings.CART_MAX_LINES = 1
    CartItemFactory(cart=CartFactory(user=alice), book=emma)

    response = client_for(alice).post("/cart/items", {"book_id": emma.pk})

    assert response.json()["code"] == "CART_ITEM_DUPLICATE"


def test_post_item_that_fails_makes_no_cart(client_for, alice):
    client_for(alice).post("/cart/items", {"book_id": 0})

    assert not Cart.objects.exists()


def test_post_item_with_a_trailing_slash_is_served_the_same(client_for, alice, emma):
    response = client_for(alice).post("/cart/items/", {"book_id": emma.pk})

    assert response.status_code == 201


@pytest.mark.parametrize("book_id", [0, -1, 2**31, 2**63, 10**30, int("9" * 200)])
def test_post_item_of_an_unknown_book_is_404(client_for, alice, book_id):
    response = client_for(alice).post("/cart/items", {"book_id": book_id})

    assert response.status_code == 404
    assert response.json() == {"detail": "There is no book with this id.", "code": "BOOK_NOT_FOUND", "field": "book_id"}
    assert stored() == []


def test_post_item_of_a_sold_out_book_is_409(client_for, alice, emma):
    emma.set_stock(0)

    response = client_for(alice).post("/cart/items", {"book_id": emma.pk})

    assert response.status_code == 409
    assert response.json() == {
        "detail": "This book is sold out.",
        "code": "CART_BOOK_OUT_OF_STOCK",
        "field": "book_id",
    }
    assert stored() == []


def test_post_item_of_a_book_in_the_cart_is_409_with_its_item_id(client_for, alice, emma):
    item = CartItemFactory(cart=CartFactory(user=alice), book=emma, quantity=2)

    response = client_for(alice).post("/cart/items", {"book_id": emma.pk, "quantity": 5})

    assert response.status_code == 409
    assert response.json() == {
        "detail": "This book is already in the cart: change the quantity of its line, item_id, instead.",
        "code": "CART_ITEM_DUPLICATE",
        "field": "book_id",
        "item_id": item.pk,
    }
    assert stored() == [("alice@example.com", "Emma", 2)]


def test_post_item_sold_out_and_already_in_the_cart_is_sold_out(client_for, alice, emma):
    CartItemFactory(cart=CartFactory(user=alice), book=emma)
    emma.set_stock(0)

    response = client_for(alice).post("/cart/items", {"book_id": emma.pk})

    assert response.json()["code"] == "CART_BOOK_OUT_OF_STOCK"


def test_post_item_that_another_customer_holds_is_201(client_for, alice, bob, emma):
    CartItemFactory(cart=CartFactory(user=bob), book=emma)

    response = client_for(alice).post("/cart/items", {"book_id": emma.pk})

    assert response.status_code == 201
    assert stored() == [("bob@example.com", "Emma", 1), ("alice@example.com", "Emma", 1)]


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({}, "book_id", "required"),
        ({"book_id": None}, "book_id", "null"),
        ({"book_id": True}, "book_id", "invalid"),
        ({"book_id": 1.5}, "book_id", "invalid"),
        ({"book_id": "1.0"}, "book_id", "invalid"),
        ({"book_id": " 1 "}, "book_id", "invalid"),
        ({"book_id": "١"}, "book_id", "invalid"),
        ({"book_id": "1\x00"}, "book_id", "invalid"),
        ({"book_id": [1]}, "book_id", "invalid"),
        ({"book_id": 1, "quantity": 0}, "quantity", "min_value"),
        ({"book_id": 1, "quantity": -3}, "quantity", "min_value"),
        ({"book_id": 1, "quantity": 1000}, "quantity", "max_value"),
        ({"book_id": 1, "quantity": 10**30}, "quantity", "max_value"),
        ({"book_id": 1, "quantity": None}, "quantity", "null"),
        ({"book_id": 1, "quantity": False}, "quantity", "invalid"),
        ({"book_id": 1, "quantity": "two"}, "quantity", "invalid"),
        ([], "body", "invalid"),
        ("book", "body", "invalid"),
    ],
)
def test_post_item_with_a_bad_field_is_422_and_changes_nothing(client_for, alice, body, field, code):
    response = client_for(alice).post("/cart/items", body)

    assert response.status_code == 422
    fault = response.json()["errors"][0]
    assert (fault["field"], fault["code"]) == (field, code)
    assert response.json() == {
        "detail": fault["detail"],
        "code": "VALIDATION_ERROR",
        "field": field,
        "errors": [fault],
    }
    assert stored() == []


def test_post_item_names_every_fault(client_for, alice):
    response = client_for(alice).post("/cart/items", {"book_id": "x", "quantity": 0})

    assert [fault["field"] for fault in response.json()["errors"]] == ["book_id", "quantity"]


def test_post_item_without_a_token_is_401_before_anything_else(api):
    response = api.post("/cart/items", {"book_id": "x"})

    assert response.status_code == 401
    assert response.json()["code"] == "NOT_AUTHENTICATED"
