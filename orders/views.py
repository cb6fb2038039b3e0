"""The caller's own orders; and payments, which a service account reports."""

from typing import Any, ClassVar

from django.db import transaction
from django.http import HttpResponse
from drf_spectacular.utils import OpenApiResponse
from rest_framework import serializers
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.viewsets import ViewSet

from bookstore.accounts.caller import caller_of, user_of
from bookstore.accounts.exceptions import EmailUnverified
from bookstore.api.errors import ApiError, Forbidden, NotAuthenticated, ParseError, ValidationError
from bookstore.api.etags import etag, if_match, if_none_match
from bookstore.api.fields import WholeNumberField
from bookstore.api.operations import errors_of, extend_schema
from bookstore.api.query import read_query
from bookstore.api.views import ApiView, confirms_caller, validated
from bookstore.audit.actor import Actor
from bookstore.audit.recording import changed, record
from bookstore.database import retrying
from cart.examples import ETAG_AFTER, IF_MATCH, MERGED_CART
from cart.exceptions import CartChanged
from cart.representation import cart_json, dump, results_json, version_of
from cart.serializers import MergedCartSerializer
from orders import examples
from orders.checkout import CheckoutRequest, checkout
from orders.exceptions import (
    CartEmpty,
    IdempotencyKeyReused,
    InsufficientStock,
    ItemsUnavailable,
    OrderNotCancellable,
    OrderNotFound,
    OrderNotPayable,
    PriceRose,
)
from orders.models import Order
from orders.representation import order_json
from orders.serializers import CheckoutSerializer, OrderSerializer, PaymentSerializer
from orders.statements import buy

LONGEST_KEY = 255


class PageQuery(serializers.Serializer[Any]):
    page = WholeNumberField(min_value=1, default=1)
    size = WholeNumberField(min_value=1, max_value=100, default=20)


class MayChangeOrders(BasePermission):
    """Staff with Django's permission `orders.change_order`: a service account for payments, say."""

    errors: ClassVar[tuple[type[ApiError], ...]] = (NotAuthenticated, Forbidden)

    def has_permission(self, request: Request, view: Any) -> bool:
        if request.auth is None:
            raise NotAuthenticated
        user = user_of(request)
        return bool(user.is_staff and user.has_perm("orders.change_order"))


def idempotency_key(request: Request) -> str:
    """The header's value. Raises ValidationError if it is empty, too long, or not printable ASCII."""
    key = request.META.get("HTTP_IDEMPOTENCY_KEY")
    if key is None:
        return ""
    if not 0 < len(key) <= LONGEST_KEY or not key.isascii() or not key.isprintable():
        detail = f"Send 1 to {LONGEST_KEY} printable ASCII characters."
        raise ValidationError([{"field": "Idempotency-Key", "code": "invalid", "detail": detail}])
    return str(key)


def refuse_lost_body(request: Request) -> None:
    """Refuses an empty chunked body, which may have been cut short and lost its contact: the server cannot tell
    (docs/decisions/0005-errors.md). Raises ParseError.
    """
    if "HTTP_TRANSFER_ENCODING" in request.META and request.META.get("CONTENT_LENGTH", "0") in ("", "0"):
        raise ParseError("The body came in chunks, and they were empty: send {} to order without note and contact.")


def answer(request: Request, body: Any, **headers: str) -> HttpResponse:
    """Sends an ETag, or 304 if the caller has this version."""
    content = dump(body)
    version = version_of(content)
    if if_none_match(request, version):
        return HttpResponse(status=304, headers={"ETag": etag(version), **headers})
    return HttpResponse(content, content_type="application/json", headers={"ETag": etag(version), **headers})


class OrderViewSet(ApiView, ViewSet):
    @extend_schema(
        operation_id="checkout",
        tags=["orders"],
        summary="Order what is in the cart",
        parameters=[examples.IF_MATCH, examples.IDEMPOTENCY_KEY],
        request=CheckoutSerializer,
        responses={
            201: OrderSerializer,
            **errors_of(
                EmailUnverified,
                CartChanged,
                CartEmpty,
                IdempotencyKeyReused,
                ItemsUnavailable,
                InsufficientStock,
                PriceRose,
            ),
        },
        examples=[examples.CHECKOUT, examples.AN_ORDER],
    )
    @confirms_caller
    def checkout(self, request: Request) -> HttpResponse:
        """Takes the copies, copies titles and prices into the order, and empties the cart: all of it or nothing.

        Send the cart's ETag in If-Match, so that no other price is bought than was seen, and an Idempotency-Key, so
        that a request that is sent again makes no second order: its answer is the first one, whatever became of the
        order since.

        - 201: the order.
        - 403 AUTH_EMAIL_UNVERIFIED: this shop sells to customers with a verified email (REQUIRE_VERIFIED_EMAIL).
        - 409 ORDER_ITEMS_UNAVAILABLE, ORDER_INSUFFICIENT_STOCK: `issues` has one entry for each line that stands in the
          way; nothing was taken.
        - 409 ORDER_PRICE_CHANGED: a price rose, and no If-Match says that the customer has seen it.
        - 412 CART_CHANGED: the cart is no longer the one that If-Match names.
        - 422 ORDER_CART_EMPTY: `order_id` is the customer's last order where it is younger than an hour, else null.
        - 422 ORDER_KEY_REUSED: the key came with another body before.
        """
        refuse_lost_body(request)
        body = validated(CheckoutSerializer, request.data)
        asked = CheckoutRequest(body["note"], body["contact"], if_match(request), idempotency_key(request))
        order = buy(caller_of(request), asked) or checkout(user_of(request), asked)
        return HttpResponse(order.as_placed, status=201, content_type="application/json")

    @extend_schema(
        operation_id="list_orders",
        tags=["orders"],
        summary="List the caller's orders",
        parameters=[PageQuery, examples.IF_NONE_MATCH, examples.ETAG, examples.TOTAL],
        responses={200: OrderSerializer(many=True), 304: OpenApiResponse(description="What you hold is still right.")},
        examples=[examples.ORDERS],
    )
    def list(self, request: Request) -> HttpResponse:
        """Newest first, as an array; X-Total-Count has their number, and Link the next and the previous page.

        - 200: a page; one past the last is empty, and its previous page is the last.
        - 304: the ETag in If-None-Match is that of the page as it is.
        """
        query = read_query(PageQuery, request.META.get("QUERY_STRING", ""))
        page, size = query["page"], query["size"]
        orders = Order.objects.of(user_of(request))
        total, start = orders.count(), (page - 1) * size
        found = orders.with_items()[start : start + size] if start < total else ()
        body = [order_json(order) for order in found]
        last = max(-(-total // size), 1)
        links = [(min(page - 1, last), "prev")] if page > 1 else []
        links += [(page + 1, "next")] if start + size < total else []
        headers = {"X-Total-Count": str(total)}
        if links:
            headers["Link"] = ", ".join(f'</orders?page={n}&size={size}>; rel="{rel}"' for n, rel in links)
        return answer(request, body, **headers)

    @extend_schema(
        operation_id="read_order",
        tags=["orders"],
        summary="Read an order",
        parameters=[examples.IF_NONE_MATCH, examples.ETAG],
        responses={
            200: OrderSerializer,
            304: OpenApiResponse(description="What you hold is still right."),
            **errors_of(OrderNotFound),
        },
        examples=[examples.AN_ORDER],
    )
    def retrieve(self, request: Request, order_id: int) -> HttpResponse:
        """As it was ordered: what happens to a book later changes no order.

        - 200: the order.
        - 304: the ETag in If-None-Match is that of the order as it is.
        - 404 ORDER_NOT_FOUND: the caller has no such order.
        """
        return answer(request, order_json(Order.objects.find(user_of(request), order_id)))

    @extend_schema(
        operation_id="cancel_order",
        tags=["orders"],
        summary="Cancel an order",
        request=None,
        responses={200: OrderSerializer, **errors_of(OrderNotFound, OrderNotCancellable)},
        examples=[examples.AN_ORDER],
    )
    def cancel(self, request: Request, order_id: int) -> HttpResponse:
        """Gives its copies back to the shop, once: a call whose answer was lost may be sent again.

        - 200: the order, cancelled now or before.
        - 404 ORDER_NOT_FOUND: the caller has no such order.
        - 409 ORDER_NOT_CANCELLABLE: it is shipped already.
        """
        order = Order.objects.find(user_of(request), order_id)
        order.cancel(by="customer")
        return HttpResponse(dump(order_json(order)), content_type="application/json")

    @extend_schema(
        operation_id="reorder",
        tags=["orders"],
        summary="Put an order's books into the cart again",
        parameters=[IF_MATCH, ETAG_AFTER],
        request=None,
        responses={200: MergedCartSerializer, **errors_of(OrderNotFound, CartChanged)},
        examples=[MERGED_CART],
    )
    def reorder(self, request: Request, order_id: int) -> HttpResponse:
        """By the rules of a merge, at today's prices; a book that was deleted is left out.

        - 200: the cart, and one result for each book.
        - 404 ORDER_NOT_FOUND: the caller has no such order.
        - 412 CART_CHANGED: the cart is no longer the one that If-Match names.
        """
        user = user_of(request)
        cart, results = Order.objects.find(user, order_id).reorder(user, if_match=if_match(request))
        body = cart_json(cart.as_left)
        content = dump(body | {"results": results_json(results)})
        headers = {"ETag": etag(version_of(dump(body)))}
        return HttpResponse(content, content_type="application/json", headers=headers)


class PaymentView(ApiView):
    permission_classes = (MayChangeOrders,)

    @extend_schema(
        operation_id="mark_order_paid",
        tags=["orders"],
        summary="Tell that an order is paid",
        request=PaymentSerializer,
        responses={200: OrderSerializer, **errors_of(OrderNotFound, OrderNotPayable)},
        examples=[examples.PAYMENT, examples.AN_ORDER],
    )
    @retrying
    def post(self, request: Request, order_id: int) -> HttpResponse:
        """For staff who may change orders: a service account that a payment provider's webhook uses.

        - 200: the order, paid; the same reference again changes nothing, also when it was shipped or cancelled since.
        - 404 ORDER_NOT_FOUND: there is no such order.
        - 409 ORDER_NOT_PAYABLE: it was cancelled unpaid, or paid by another reference.
        """
        body = validated(PaymentSerializer, request.data)
        order = Order.objects.with_items().filter(pk=order_id).first()
        if order is None:
            raise OrderNotFound
        before = order.status
        with transaction.atomic():
            if order.mark_paid(body["reference"]):
                change = changed(order, {"status": (before, order.status)})
                record(Actor.of_api(request), f"Order “{order}”: marked as paid.", [change])
        return HttpResponse(dump(order_json(order)), content_type="application/json")
