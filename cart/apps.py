from typing import Any, ClassVar

from django.apps import AppConfig

from bookstore.api.guide import Tag


class CartConfig(AppConfig):
    name = "cart"
    verbose_name = "Carts"
    api_tag = Tag(
        "cart",
        "The caller's own cart. Each line says in `issues` what has changed since it was put there. A merge that is "
        "sent again changes nothing; an add that is sent again answers 409 `CART_ITEM_DUPLICATE` with the `item_id` of "
        "the line that is there.",
        place=30,
    )
    staff_groups: ClassVar[dict[str, list[str]]] = {"Customer support": ["view_cart", "view_cartitem"]}

    def personal_data(self, user: Any, page: Any) -> dict[str, Any]:
        """The body of GET /cart, for GET /auth/me/export. Two queries."""
        from cart.models import Cart
        from cart.representation import cart_json

        return cart_json(Cart.objects.facts(Cart.objects.of(user).pk))
