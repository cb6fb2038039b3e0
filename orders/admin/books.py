"""Adds a link to its orders and the number of sold copies to the admin's page of a book."""

from datetime import timedelta

from django.contrib import admin
from django.db.models import Sum
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.timezone import now

from bookstore.admin.extensions import Extension, Fieldset, extend
from catalog.models import Book
from orders.admin.finding import MOST_ORDERS
from orders.admin.overview import copies_in_words, orders_in_words
from orders.models import OrderItem, Status

DAYS = 30


@admin.display(description="in orders")
def in_orders(book: Book) -> str:
    """Two queries, of the newest MOST_ORDERS orders with it."""
    newest = OrderItem.objects.filter(book=book).order_by("-order_id")
    ids = list(newest.values_list("pk", flat=True)[:MOST_ORDERS])
    if not ids:
        return "none yet"
    sold = OrderItem.objects.filter(pk__in=ids, order__created_at__gte=now() - timedelta(days=DAYS))
    copies = sold.exclude(order__status=Status.CANCELLED).aggregate(copies=Sum("quantity"))["copies"] or 0
    url = f"{reverse('admin:orders_order_changelist')}?book={book.pk}"
    more = "the newest " if len(ids) == MOST_ORDERS else ""
    told = (more, orders_in_words(len(ids)), copies_in_words(copies))
    return format_html('<a href="{}">{}{}</a>, {} in {} days', url, *told, DAYS)


class InOrders(Extension):
    def fieldsets(self, request: HttpRequest) -> list[Fieldset]:
        if not request.user.has_perm("orders.view_order"):
            return []
        return [Fieldset("Who bought it", (in_orders,), place=4)]


extend(Book, InOrders())
