"""`cart.restore(lines)`: what the admin's undo calls. tests/test_admin_cart_page.py has the page."""

from decimal import Decimal

import pytest

from cart.models import Cart, CartItem
from cart.tests.factories import CartFactory, CartItemFactory
from catalog.tests.factories import BookFactory

pytestmark = pytest.mark.django_db


def kept():
    return sorted(CartItem.objects.values_list("book__title", "quantity", "price_at_add"))


def test_restore_puts_lines_back_with_their_quantity_and_price(alice, emma, dracula):
    cart = CartFactory(user=alice)
    before = cart.updated_at

    restored = cart.restore([(emma.pk, 3, Decimal("8.00")), (dracula.pk, 900, None)])

    assert [line.book for line in restored] == [emma, dracula]
    assert kept() == [("Dracula", 900, None), ("Emma", 3, Decimal("8.00"))]
    assert Cart.objects.get().updated_at > before


def test_restore_leaves_out_a_deleted_book_and_one_in_the_cart(alice, emma, dracula):
    cart = CartFactory(user=alice)
    CartItemFactory(cart=cart, book=emma, quantity=7, price_at_add=None)
    gone = BookFactory()
    number = gone.pk
    gone.delete()

    restored = cart.restore([(emma.pk, 3, None), (number, 1, None), (dracula.pk, 2, None)])

    assert [line.book for line in restored] == [dracula]
    assert kept() == [("Dracula", 2, None), ("Emma", 7, None)]


@pytest.mark.parametrize(("bound", "titles"), [(1, []), (2, []), (3, ["Dracula"]), (4, ["Dracula", "Kim"])])
def test_restore_leaves_out_lines_beyond_the_bound(alice, dracula, settings, bound, titles):
    cart = CartFactory(user=alice)
    for _ in range(2):
        CartItemFactory(cart=cart, book=BookFactory())
    kim = BookFactory(title="Kim")
    settings.CART_MAX_LINES = bound

    restored = cart.restore([(dracula.pk, 1, None), (kim.pk, 1, None)])

    assert [line.book.title for line in restored] == titles


def test_restore_of_nothing_changes_nothing(alice, emma):
    cart = CartFactory(user=alice)
    CartItemFactory(cart=cart, book=emma)
    before = cart.updated_at

    restored = cart.restore([(emma.pk, 1, None)])

    assert restored == []
    assert Cart.objects.get().updated_at == before
