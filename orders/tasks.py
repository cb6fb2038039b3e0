"""Background tasks of orders."""

from bookstore.tasks import task
from orders.exceptions import OrderNotCancellable
from orders.models import Order, Status


@task()
def release(order_id: int) -> None:
    """Cancels an order that was not paid in time. Safe to repeat: an order that is paid or cancelled stays so."""
    order = Order.objects.filter(pk=order_id).first()
    if order is not None:
        try:
            order.cancel(by="system", reason="not paid in time", only=(Status.PLACED,))
        except OrderNotCancellable:
            return
