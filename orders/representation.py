"""Builds the JSON of an order from plain attributes.

Built by hand, because DRF's serializer takes many times as long for the same dict. `OrderSerializer` documents it, and
a test holds the two equal.
"""

from collections.abc import Iterable
from operator import attrgetter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from orders.models import Order, OrderItem

# In the order of the serializers, because the database does not keep the order of a JSON object.
CONTACT = ("name", "phone", "address")
ADDRESS = ("line1", "line2", "city", "region", "postcode", "country")


def order_json(order: "Order", items: "Iterable[OrderItem] | None" = None) -> dict[str, Any]:
    """The JSON with these `items`, or those of the order, as its checkout ordered them: no query after `with_items()`,
    one after a verb, which forgets them.
    """
    if items is None:
        items = sorted(order.items.all(), key=attrgetter("pk"))
    return {
        "id": order.pk,
        "number": order.number,
        "status": str(order.status),
        "created_at": order.created_at,
        "currency": order.currency,
        "items": [item_json(item) for item in items],
        "total_items": order.total_items,
        "total_price": str(order.total_price),
        "contact": contact_json(order.contact),
        "note": order.note,
        "expires_at": order.expires_at,
    }


def item_json(item: "OrderItem") -> dict[str, Any]:
    return {
        "id": item.pk,
        "book_id": item.book_id,
        "quantity": item.quantity,
        "unit_price": str(item.unit_price),
        "line_total": str(item.line_total),
        "book": {
            "id": item.book_id,
            "title": item.title,
            "author": item.author,
            "isbn": item.isbn,
            "cover_image_url": item.cover_image_url,
        },
    }


def contact_json(contact: dict[str, Any] | None) -> dict[str, Any] | None:
    if contact is None:
        return None
    body = {name: contact[name] for name in CONTACT if name in contact}
    if "address" in body:
        body["address"] = {name: body["address"][name] for name in ADDRESS if name in body["address"]}
    return body
