"""PUT /cart/items/{item_id}"""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils.timezone import now

from cart import statements
from cart.models import Cart, CartItem
from cart.tests.answers import line_answer
from cart.tests.concurrent import in_thread
from cart.tests.factories import CartFactory, CartItemFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def line(alice, emma):
    return CartItemFactory(cart=CartFactory(user=alice), book=emma, quantity=2)


def quantity_of(line):
    line.refresh_from_db()
    return line.quantity


def test_path_of_a_line_is_made_of_its_id():
    assert reverse("cart-item", args=[42]) == "/cart/items/42"


def test_put_item_answers_200_with_the_line(client_for, alice, emma, line):
    response = client_for(alice).put(f"/cart/items/{line.pk}", {"quantity": 4})

    assert response.status_code == 200
    assert response.json() == line_answer(line, line_total="38.00")
    assert quantity_of(line) == 4


def test_put_item_beyond_the_stock_tells_so_at_once(client_for, alice, line):
    response = client_for(alice).put(f"/cart/items/{line.pk}", {"quantity": 100})

    assert response.json() == line_answer(
        line, line_total="950.00", issues=[{"code": "INSUFFICIENT_STOCK", "available": 5}]
    )


def test_put_item_settles_a_changed_price(client_for, alice, emma, line):
    emma.change(price=Decimal("11.00"))

    response = client_for(alice).put(f"/cart/items/{line.pk}", {"quantity": 2})

    assert response.json() == line_answer(line, line_total="22.00", price_at_add="11.00")


def test_put_item_of_a_withdrawn_book_lowers_its_quantity(client_for, alice, emma, line):
    emma.change(is_active=False, stock_quantity=0)

    response = client_for(alice).put(f"/cart/items/{line.pk}", {"quantity": 1})

    assert response.json() == line_answer(line, line_total="9.50", issues=[{"code": "BOOK_UNAVAILABLE"}])


def test_patch_item_does_as_put(client_for, alice, bob, line):
    response = client_for(alice).patch(f"/cart/items/{line.pk}", {"quantity": 4})

    assert response.status_code == 200
    assert response.json() == line_answer(line, line_total="38.00")
    assert client_for(alice).patch(f"/cart/items/{line.pk}", {}).status_code == 422
    assert client_for(bob).patch(f"/cart/items/{line.pk}", {"quantity": 1}).status_code == 403


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
    change_quantity = CartItem.change_quantity

    def deleted_first(self, quantity, **options):
        CartItem.objects.filter(pk=self.pk).delete()
        change_quantity(self, quantity, **options)

    monkeypatch.setattr(CartItem, "change_quantity", deleted_first)
    monkeypatch.setattr(statements, "change_quantity", lambda *values: None)  # the verb decides

    response = client_for(alice).put(f"/cart/items/{line.pk}", {"quantity": 3})

    assert response.status_code == 404
    assert response.json()["code"] == "CART_ITEM_NOT_FOUND"
    assert not CartItem.objects.exists()


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("method", ["put", "delete"])
def test_a_change_that_ends_404_leaves_the_carts_last_change_alone(client_for, alice, line, rival, method):
    """The line goes (with its book, say) while the change waits for it."""
    client = client_for(alice)
    before = Cart.objects.get().updated_at
    rival("BEGIN", "DELETE FROM cart_items WHERE id = %s", line.pk)
    answers = []
    thread, raised = in_thread(
        lambda: answers.append(getattr(client, method)(f"/cart/items/{line.pk}", {"quantity": 3}))
    )
    thread.join(0.5)
    assert thread.is_alive()
    rival("COMMIT")
    thread.join(5)

    assert raised == []
    assert [answer.status_code for answer in answers] == [404]
    assert Cart.objects.get().updated_at == before


@pytest.mark.parametrize("statement", [True, False], ids=["statement", "verb"])
@pytest.mark.parametrize("change", ["add", "put", "delete", "clear", "merge"])
def test_the_carts_last_change_never_goes_back(client_for, alice, line, dracula, monkeypatch, change, statement):
    """The clock of this database may be behind the one that wrote the change before."""
    if not statement:
        monkeypatch.setattr(statements, "run", lambda *args, **values: None)
    ahead = now() + timedelta(hours=1)
    Cart.objects.update(updated_at=ahead)
    client = client_for(alice)
    calls = {
        "add": lambda: client.post("/cart/items", {"book_id": dracula.pk}),
        "put": lambda: client.put(f"/cart/items/{line.pk}", {"quantity": 3}),
        "delete": lambda: client.delete(f"/cart/items/{line.pk}"),
        "clear": lambda: client.delete("/cart/items"),
        "merge": lambda: client.post("/cart/merge", {"items": [{"book_id": dracula.pk}]}),
    }

    response = calls[change]()

    assert response.status_code in {200, 201, 204}
    assert Cart.objects.get().updated_at == ahead + timedelta(microseconds=1)


def test_put_item_without_a_token_is_401(api, line):
    response = api.put(f"/cart/items/{line.pk}", {"quantity": 3})

    assert response.status_code == 401
    assert quantity_of(line) == 2
