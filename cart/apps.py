from typing import ClassVar

from django.apps import AppConfig


class CartConfig(AppConfig):
    name = "cart"
    verbose_name = "Carts"
    staff_groups: ClassVar[dict[str, list[str]]] = {"Customer support": ["view_cart", "view_cartitem"]}
