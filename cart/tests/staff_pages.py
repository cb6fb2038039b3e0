"""The pages of carts: tests/support/staff_pages.py."""

from typing import Any

from cart.models import Cart, CartItem
from tests.support.staff_pages import NONE_TO_ADD, of_model, pages

# A cart is created by its customer's first add; there are no actions on many.
PAGES = of_model("cart/cart", bulk=False, add=pages(NONE_TO_ADD, NONE_TO_ADD))
MODELS = ("cart.Cart", "cart.CartItem")
FORMS: dict[str, dict[str, Any]] = {"cart/cart/<path:object_id>/change/": {"verb": "quantity", "quantity": "4"}}
ACTIONS: dict[str, str] = {}
ONLY_LED_ON: set[str] = set()


def furnish(site: Any) -> None:
    """Alice's cart with one line."""
    cart = Cart.objects.create(user=site.alice)
    line = CartItem.objects.create(cart=cart, book=site.objects["catalog/book/"], quantity=1, price_at_add="9.50")
    site.objects["cart/cart/"] = cart
    site.forms["cart/cart/<path:object_id>/change/"]["line"] = line.pk
