"""Background tasks of orders."""

from django.utils.timezone import now

from bookstore.tasks import task
from orders.models import Order
from orders.releasing import Releasing


@task()
def release(order_id: int) -> None:
    """Cancels an order that was not paid in time. Safe to repeat: a paid or cancelled order stays as it is, and so does
    one that was given more time meanwhile, which `manage.py clean_up` cancels later."""
    order = Order.objects.unpaid_since(now()).filter(pk=order_id).first()
    if order is not None:
        Releasing().release(order)
