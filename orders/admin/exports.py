"""Exports the orders of the list, or their items, as CSV or as an Excel workbook, for accounting."""

from collections.abc import Iterator
from typing import Any

from django.contrib import messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ERROR_FLAG
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import path, reverse
from django.utils.timezone import now

from catalog.exporting import BATCH, MAX_WORKBOOK, CsvResponse, WorkbookResponse
from orders.models import Order, OrderItem

Row = tuple[Any, ...]
ORDER_HEADINGS = (
    *("number", "placed", "status", "customer", "copies", "total", "currency", "paid", "payment_reference"),
    *("shipped", "cancelled", "cancel_reason"),
)
ITEM_HEADINGS = (
    *("number", "placed", "status", "title", "author", "isbn", "quantity", "unit_price", "line_total", "currency"),
)


def each_order(orders: Any) -> Iterator[Row]:
    """The orders by id, with times in UTC. One query for each BATCH, and none open between two."""
    for batch in batches(orders.select_related("user")):
        for order in batch:
            yield (
                *(order.number, at(order.created_at), order.status, order.user.email if order.user else None),
                *(order.total_items, order.total_price, order.currency, at(order.paid_at), order.payment_reference),
                *(at(order.shipped_at), at(order.cancelled_at), order.cancel_reason),
            )


def each_item(orders: Any) -> Iterator[Row]:
    """The items of these orders. Two queries for each BATCH of orders."""
    for batch in batches(orders.select_related(None)):
        known: dict[int, Order] = {order.pk: order for order in batch}
        for item in OrderItem.objects.filter(order__in=known).order_by("order_id", "id"):
            order = known[item.order_id]
            yield (
                *(order.number, at(order.created_at), order.status, item.title, item.author, item.isbn),
                *(item.quantity, item.unit_price, item.line_total, order.currency),
            )


def batches(orders: Any) -> Iterator[list[Order]]:
    last, orders = 0, orders.order_by("id")
    while batch := list(orders.filter(pk__gt=last)[:BATCH]):
        yield batch
        last = batch[-1].pk


def at(moment: Any) -> str | None:
    """A time in the format that spreadsheets read, and that sorts as text."""
    return f"{moment:%Y-%m-%d %H:%M:%S}" if moment else None


EXPORTS = {"orders": (ORDER_HEADINGS, each_order), "items": (ITEM_HEADINGS, each_item)}


class OrderExports:
    opts: Any
    admin_site: Any

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.export_view)
        return [path("export/", view, name="orders_order_export"), *super().get_urls()]  # type: ignore[misc]  # a mixin, to mypy

    def has_export_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("orders.view_order") or request.user.has_perm("orders.change_order")

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Adds the links to the exports, for staff with the permission."""
        links = {"has_export_permission": self.has_export_permission(request)}
        answer: HttpResponse = super().changelist_view(request, links | (extra_context or {}))  # type: ignore[misc]  # a mixin, to mypy
        return answer

    def export_view(self, request: HttpRequest) -> HttpResponseBase:
        """`of` is orders or items, `format` csv or xlsx; the others are the parameters of the list."""
        if not self.has_export_permission(request):
            raise PermissionDenied
        asked = request.GET.copy()
        as_workbook = asked.pop("format", [""])[-1] == "xlsx"
        of = asked.pop("of", [""])[-1]
        of = of if of in EXPORTS else "orders"
        request.GET = asked  # type: ignore[assignment]  # the remaining parameters are those of the list
        back = reverse("admin:orders_order_changelist")
        try:
            orders = self.get_changelist_instance(request).queryset  # type: ignore[attr-defined]  # a mixin, to mypy
        except IncorrectLookupParameters:
            return HttpResponseRedirect(f"{back}?{ERROR_FLAG}=1")
        headings, each = EXPORTS[of]
        name = f"{of}-{now():%Y-%m-%d}"
        if not as_workbook:
            return CsvResponse(f"{name}.csv", headings, each(orders))
        rows = orders if of == "orders" else OrderItem.objects.filter(order__in=orders.order_by())
        if rows.order_by()[MAX_WORKBOOK:].exists():
            text = f"These are more than {MAX_WORKBOOK:,} {of}: export them as CSV, or choose fewer by a filter."
            messages.error(request, text)
            return HttpResponseRedirect(back)
        return WorkbookResponse(f"{name}.xlsx", each(orders), headings=headings, sheet=of.capitalize())
