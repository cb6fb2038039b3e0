"""The OpenAPI examples of orders."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter

ADDRESS = {"line1": "Steventon Rectory", "city": "Steventon", "postcode": "RG25 3BE", "country": "GB"}
CONTACT = {"name": "Jane Austen", "address": ADDRESS}

AN_ORDER_BODY: dict[str, Any] = {
    "id": 12,
    "number": "7KQ2M-9XW4T",
    "status": "placed",
    "created_at": "2026-11-27T09:30:00Z",
    "currency": "USD",
    "items": [
        {
            "id": 31,
            "book_id": 1,
            "quantity": 2,
            "unit_price": "14.90",
            "line_total": "29.80",
            "book": {
                "id": 1,
                "title": "Pride and Prejudice",
                "author": "Jane Austen",
                "isbn": None,
                "cover_image_url": None,
            },
        }
    ],
    "total_items": 2,
    "total_price": "29.80",
    "contact": CONTACT,
    "note": "Please ring twice.",
    "expires_at": "2026-11-27T10:30:00Z",
}

AN_ORDER = OpenApiExample("An order", value=AN_ORDER_BODY, response_only=True)
ORDERS = OpenApiExample("Orders", value=AN_ORDER_BODY, response_only=True)
CHECKOUT = OpenApiExample(
    "With an address", value={"note": "Please ring twice.", "contact": CONTACT}, request_only=True
)
PAYMENT = OpenApiExample("A payment", value={"reference": "pi_3OqX7b2eZvKYlo2C"}, request_only=True)

IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="At most 255 characters, new for each order. Sent again within 24 hours, the answer is the order that "
    "it made.",
)
IF_MATCH = OpenApiParameter(
    "If-Match",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="The ETag of the cart as the customer saw it: nothing is ordered (412) unless it is still that one.",
)
IF_NONE_MATCH = OpenApiParameter(
    "If-None-Match",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="The ETag that you hold: while it is still that one, the answer is 304 without a body.",
)
ETAG = OpenApiParameter(
    "ETag", OpenApiTypes.STR, OpenApiParameter.HEADER, response=[200, 304], description="Names this very answer."
)
TOTAL = OpenApiParameter(
    "X-Total-Count", OpenApiTypes.INT, OpenApiParameter.HEADER, response=[200], description="Orders on all pages."
)
