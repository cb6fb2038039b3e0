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

    def personal_data(self, user: Any) -> dict[str, Any]:
        """The customer's orders as GET /orders/{id} answers them, for GET /auth/me/export. Two queries.

        With the account the person goes out of them, and the orders stay: `forget_person`.
        """
        from orders.models import Order
        from orders.representation import order_json

        return {"items": [order_json(order) for order in Order.objects.of(user).with_items()]}
