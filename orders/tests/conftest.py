import pytest

from cart.models import Cart


@pytest.fixture
def cart(alice, emma, dracula) -> Cart:
    """Alice's: 2 of 5 copies of Emma, and 1 of 2 of Dracula."""
    cart = Cart.objects.for_user(alice)
    cart.add(emma, 2)
    cart.add(dracula, 1)
    return cart
