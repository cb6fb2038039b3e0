"""The mails about an order, queued by the order's verbs. Each reads the order when it is sent."""

from django.conf import settings

from bookstore.accounts.mailboxes import send_to_customer
from bookstore.mail.sending import mail, send
from bookstore.mail.storefront import storefront_link


def tell(order_id: int, template: str) -> None:
    """Sends nothing if the customer's account was deleted. Two queries; up to five for an unpaid order."""
    from orders.models import Order  # its verbs queue these mails

    order = Order.objects.with_items().select_related("user").filter(pk=order_id).first()
    if order is None or order.user is None:
        return
    link = storefront_link("order", id=order.pk)
    context = {"order": order, "link": link, "storefront": settings.STOREFRONT_URL}
    if order.paid_at:
        send(order.user.email, f"orders/{template}", context)
    else:  # ordering and cancelling costs nothing
        send_to_customer(order.user, order.user.email, f"orders/{template}", context)


@mail
def placed(order_id: int) -> None:
    tell(order_id, "placed")


@mail
def paid(order_id: int) -> None:
    tell(order_id, "paid")


@mail
def shipped(order_id: int) -> None:
    tell(order_id, "shipped")


@mail
def cancelled(order_id: int) -> None:
    tell(order_id, "cancelled")
