"""Adds a link to the orders to the admin's page of a user."""

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from bookstore.accounts.models import User
from bookstore.admin.extensions import Extension, Fieldset, extend
from orders.models import Order


@admin.display(description="orders")
def their_orders(user: User) -> str:
    """The number and the time of the last order, with a link to all of them. One query."""
    last = Order.objects.of(user).first()
    if last is None:
        return "None yet."
    url = f"{reverse('admin:orders_order_changelist')}?customer={user.pk}"
    return format_html('<a href="{}">the last one {}, {} UTC</a>', url, last, f"{last.created_at:%Y-%m-%d %H:%M}")


class TheirOrders(Extension):
    def fieldsets(self, request: HttpRequest) -> list[Fieldset]:
        if not request.user.has_perm("orders.view_order"):
            return []
        return [Fieldset("Bought", (their_orders,), place=2)]


extend(User, TheirOrders())
