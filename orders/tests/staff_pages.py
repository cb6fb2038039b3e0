"""The pages of orders: tests/support/staff_pages.py."""

from typing import Any

from orders.tests.factories import OrderFactory
from tests.support.staff_pages import NONE_TO_ADD, READ, of_model, pages

# An order is created by a checkout and never deleted.
PAGES = {
    **of_model("orders/order", add=pages(NONE_TO_ADD, NONE_TO_ADD), delete=NONE_TO_ADD),
    "orders/order/export/": pages(READ, READ),
}
MODELS = ("orders.Order", "orders.OrderItem")
FORMS: dict[str, dict[str, Any]] = {
    "orders/order/<path:object_id>/change/": {"items-TOTAL_FORMS": "0", "items-INITIAL_FORMS": "0"}
}
ACTIONS = {"orders/order/": "mark_paid_by_hand"}
# Its page is read-only; an action leads to the page that shows what it would do.
ONLY_LED_ON = {"orders/order/<path:object_id>/change/", "orders/order/"}


def furnish(site: Any) -> None:
    """Alice's order."""
    site.objects["orders/order/"] = OrderFactory(user=site.alice)
