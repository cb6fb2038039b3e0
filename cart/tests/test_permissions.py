"""Only the cart's customer may change its lines."""

from types import SimpleNamespace

import pytest
from django.contrib.auth.models import AnonymousUser

from bookstore.accounts.models import User
from cart.models import Cart, CartItem
from cart.permissions import IsCartOwner


def asks(user, line):
    return IsCartOwner().has_object_permission(SimpleNamespace(user=user), None, line)


@pytest.mark.parametrize("pk", [1, 256, 257, 10**6, 2**63 - 1])
def test_owner_is_who_has_the_id_of_the_carts_user_and_nobody_beside(pk):
    line = CartItem(cart=Cart(user_id=pk))

    assert asks(User(pk=int(str(pk))), line) is True
    assert asks(User(pk=pk - 1), line) is False
    assert asks(User(pk=pk + 1), line) is False
    assert asks(AnonymousUser(), line) is False
