"""The packing list: a page to print, with a sheet for each order."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from orders.models import Order, OrderQuerySet

MOST_PRINTED = 100  # orders of one list, each with its items


@admin.action(description="Packing list to print", permissions=["view"])
def packing_list(model_admin: Any, request: HttpRequest, orders: QuerySet[Order]) -> HttpResponse | None:
    """Shows the packing list; changes nothing. Two queries."""
    chosen: OrderQuerySet = orders.order_by("pk")  # type: ignore[assignment]  # Order's manager made it
    printed = list(chosen.with_items()[: MOST_PRINTED + 1])
    if len(printed) > MOST_PRINTED:
        messages.error(request, f"Choose at most {MOST_PRINTED} orders for one packing list.")
        return None
    sheets = [{"order": order, "address": lines_of(order.contact)} for order in printed]
    context = {**model_admin.admin_site.each_context(request), "title": "Packing list", "sheets": sheets}
    return TemplateResponse(request, "admin/orders/order/packing.html", context)


packing_list.name = "packing_list"  # type: ignore[attr-defined]  # as a BulkVerb has one


def lines_of(contact: dict[str, Any] | None) -> list[str]:
    """A contact as lines for a parcel."""
    if not contact:
        return []
    address = contact.get("address", {})
    town = " ".join(part for part in (address.get("postcode"), address.get("city")) if part)
    lines = [contact.get("name"), address.get("line1"), address.get("line2"), town, address.get("region")]
    return [line for line in [*lines, address.get("country"), contact.get("phone")] if line]
