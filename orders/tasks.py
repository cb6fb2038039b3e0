"""Background tasks of orders."""

from bookstore.tasks import task
from orders.models import Order
from orders.releasing import Releasing


@task()
def release(order_id: int) -> None:
    """Cancels an order that was not paid in time. Safe to repeat: a paid or cancelled order stays as it is."""
    order = Order.objects.filter(pk=order_id).first()
    if order is not None:
        Releasing().release(order)
