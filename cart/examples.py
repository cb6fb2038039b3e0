"""The OpenAPI examples of the cart. Their requests succeed unchanged on the demo shop of `make run`."""

from decimal import Decimal
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter


def line(**changes: Any) -> dict[str, Any]:
    return {
        "id": 7,
        "book_id": 1,
        "quantity": 2,
        "book": {
            "id": 1,
            "title": "Pride and Prejudice",
            "author": "Jane Austen",
            "price": "14.90",
            "cover_image_url": None,
        },
        "line_total": "29.80",
        "added_at": "2026-11-23T09:30:00Z",
        "price_at_add": "14.90",
        "available_quantity": 62,
        "issues": [],
    } | changes


TROUBLED = line(
    price_at_add="11.00",
    available_quantity=1,
    issues=[
        {"code": "INSUFFICIENT_STOCK", "available": 1},
        {"code": "PRICE_CHANGED", "from": "11.00", "to": "14.90"},
    ],
)


def cart(*lines: dict[str, Any], ready: bool, updated_at: str | None = "2026-11-23T09:30:00Z") -> dict[str, Any]:
    return {
        "items": list(lines),
        "total_items": 2 * len(lines),
        "total_price": f"{Decimal('29.80') * len(lines):.2f}",
        "currency": "USD",
        "updated_at": updated_at,
        "checkout_ready": ready,
    }


LINE = OpenApiExample("A line", value=line(), response_only=True)
CART = OpenApiExample("A cart with issues", value=cart(TROUBLED, ready=False), response_only=True)
EMPTY_CART = OpenApiExample("Nothing yet", value=cart(ready=False, updated_at=None), response_only=True)
GUEST_CART = OpenApiExample(
    "A guest's cart",
    value={"items": [{"book_id": 1, "quantity": 2, "price_seen": "14.90"}, {"book_id": 5, "quantity": 1}]},
    request_only=True,
)
MERGED_CART = OpenApiExample(
    "One added, one skipped",
    value=cart(line(), ready=True)
    | {
        "results": [
            {"book_id": 1, "status": "added"},
            {"book_id": 5, "status": "skipped", "code": "CART_BOOK_OUT_OF_STOCK"},
        ]
    },
    response_only=True,
)
PREVIEWED_CART = OpenApiExample(
    "A guest's cart, one book unknown",
    value=cart(line(id=None, added_at=None), ready=True, updated_at=None)
    | {
        "results": [
            {"book_id": 1, "status": "listed"},
            {"book_id": 5, "status": "skipped", "code": "BOOK_NOT_FOUND"},
        ]
    },
    response_only=True,
)
TWO_COPIES = OpenApiExample("Two copies", value={"book_id": 1, "quantity": 2}, request_only=True)
ONE_COPY = OpenApiExample("One copy", value={"book_id": 1}, request_only=True)
THREE_COPIES = OpenApiExample("Three copies", value={"quantity": 3}, request_only=True)

IF_MATCH = OpenApiParameter(
    "If-Match",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="An ETag of GET /cart. Sent, the call changes nothing (412) unless the cart is still the one it names.",
)
IF_NONE_MATCH = OpenApiParameter(
    "If-None-Match",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="The ETag of the cart that you hold: while it is still that one, the answer is 304 without a body.",
)
ETAG = OpenApiParameter(
    "ETag",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    response=[200, 304],
    description="Names this very cart, for If-None-Match and If-Match. It changes when a price or a stock does, too.",
)
ETAG_AFTER = OpenApiParameter(
    "ETag",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    response=[200, 201, 204],
    description="Names the cart as this change left it: If-Match of the next change.",
)
RETURN = OpenApiParameter(
    "return",
    OpenApiTypes.STR,
    OpenApiParameter.QUERY,
    enum=["cart"],
    description="`cart`: the answer is the whole cart, as GET /cart has it, and not the line or nothing (204).",
)
