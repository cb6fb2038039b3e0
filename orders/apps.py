from typing import Any, ClassVar

from django.apps import AppConfig

from bookstore.api.guide import Tag


class OrdersConfig(AppConfig):
    name = "orders"
    verbose_name = "Orders"
    api_tag = Tag(
        "orders",
        "From the cart to an order, and what becomes of it. A checkout with an `Idempotency-Key` may be sent again: it "
        "makes no second order.",
        place=40,
    )
    staff_groups: ClassVar[dict[str, list[str]]] = {
        "Order desk": ["view_order", "change_order", "view_orderitem"],
        "Customer support": ["view_order", "view_orderitem"],
    }

    def personal_data(self, user: Any, page: Any) -> dict[str, Any]:
        """The bodies of GET /orders/{id}, by pages, for GET /auth/me/export. Two queries.

        Deleting the account clears the person in them, and keeps the orders: `forget_person`.
        """
        from orders.models import Order
        from orders.representation import order_json

        orders, more = page.of(Order.objects.of(user).with_items().order_by("pk"))
        return {"items": [order_json(order) for order in orders], "more": more}
