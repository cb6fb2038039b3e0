"""The caller's own cart: no path and no body names one."""

from typing import Any

from django.http import HttpResponse
from django.utils.http import parse_etags
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from bookstore.accounts.caller import caller_of, user_of
from bookstore.accounts.permissions import SignedIn
from bookstore.api.schema import errors_of
from bookstore.api.views import ApiView, confirms_caller, validated
from cart import examples, statements
from cart.exceptions import BookOutOfStock, CartChanged, CartItemDuplicate, CartItemNotFound, CartLimitExceeded
from cart.models import Cart, CartItem
from cart.permissions import IsCartOwner
from cart.representation import cart_json, dump, line_json, version_of
from cart.serializers import (
    AddItemSerializer,
    CartItemSerializer,
    CartSerializer,
    ChangeItemSerializer,
    MergedCartSerializer,
    MergeSerializer,
)
from catalog.exceptions import BookNotFound

# PUT and PATCH of a line are one operation with two names.
CHANGE: dict[str, Any] = {
    "tags": ["cart"],
    "parameters": [examples.IF_MATCH],
    "request": ChangeItemSerializer,
    "responses": {200: CartItemSerializer, **errors_of(CartItemNotFound, CartChanged)},
    "examples": [examples.THREE_COPIES, examples.LINE],
}


def etag(version: str) -> str:
    return f'"{version}"'


def if_match(request: Request) -> list[str] | None:
    """The versions that the header If-Match names; None when it is not sent, or is `*`. A weak tag names none."""
    sent = request.META.get("HTTP_IF_MATCH")
    tags = parse_etags(sent) if sent is not None else ["*"]
    return None if "*" in tags else [tag.strip('"') for tag in tags if not tag.startswith("W/")]


def if_none_match(request: Request, version: str) -> bool:
    """Whether the caller holds this very cart already, as the header If-None-Match says."""
    sent = request.META.get("HTTP_IF_NONE_MATCH")
    if not sent:
        return False
    tags = [tag.removeprefix("W/") for tag in parse_etags(sent)]
    return "*" in tags or etag(version) in tags


def answer(data: dict[str, Any], status: int = 200) -> HttpResponse:
    return HttpResponse(dump(data), status=status, content_type="application/json")


class CartView(ApiView):
    @extend_schema(
        operation_id="read_cart",
        tags=["cart"],
        summary="Read the cart",
        parameters=[examples.IF_NONE_MATCH, examples.ETAG],
        responses={200: CartSerializer, 304: OpenApiResponse(description="The cart is still the one that you hold.")},
        examples=[examples.CART, examples.EMPTY_CART],
    )
    @confirms_caller
    def get(self, request: Request) -> HttpResponse:
        """The caller's lines in the order in which they were added, at today's prices, each with its `issues`.

        - 200: the cart; an empty one for somebody who never added a book, and nothing is stored for that.
        - 304: the ETag in If-None-Match is that of the cart as it is.
        """
        cart = statements.read(caller_of(request))
        if cart is None:
            cart = Cart.objects.with_lines().of(user_of(request)).facts
        response = answer(cart_json(cart))
        version = version_of(response.content)
        if if_none_match(request, version):
            response = HttpResponse(status=304)
        response.headers["ETag"] = etag(version)
        return response


class MergeView(ApiView):
    @extend_schema(
        operation_id="merge_cart",
        tags=["cart"],
        summary="Take over a guest's cart, or add many books at once",
        parameters=[examples.IF_MATCH],
        request=MergeSerializer,
        responses={200: MergedCartSerializer, **errors_of(CartChanged)},
        examples=[examples.GUEST_CART, examples.MERGED_CART],
    )
    def post(self, request: Request) -> Response:
        """All in one transaction. A line that is there gets the larger of the two quantities, so that sending the same
        again changes nothing, and keeps its price: one that changed stays PRICE_CHANGED until the customer confirms it.
        What cannot be added is skipped, and `results` says why.

        - 200: the cart as the merge left it, and one result for each entry.
        - 412 CART_CHANGED: the cart is no longer the one that If-Match names.
        - 422: `items` is no list, is empty, or has more entries than a cart can have lines (at least 100).
        """
        entries = validated(MergeSerializer, request.data)["items"]
        cart = Cart.objects.of(user_of(request))
        results = cart.merge(entries, if_match=if_match(request))
        body = cart_json(cart.as_left)
        return Response(body | {"results": results}, headers={"ETag": etag(version_of(dump(body)))})


class CartItemViewSet(ApiView, ViewSet):
    permission_classes = (SignedIn, IsCartOwner)

    @extend_schema(
        operation_id="add_cart_item",
        tags=["cart"],
        summary="Add a book to the cart",
        request=AddItemSerializer,
        responses={
            201: CartItemSerializer,
            **errors_of(BookNotFound, BookOutOfStock, CartItemDuplicate, CartLimitExceeded),
        },
        examples=[examples.TWO_COPIES, examples.ONE_COPY, examples.LINE],
    )
    @confirms_caller
    def create(self, request: Request) -> HttpResponse:
        """A new line for a book in stock. A quantity beyond the stock is accepted, and the line's issues say so.

        - 201: the line.
        - 404 BOOK_NOT_FOUND: there is no such book, or it is no longer sold.
        - 409 CART_BOOK_OUT_OF_STOCK: its stock is 0.
        - 409 CART_ITEM_DUPLICATE: the book is in the cart already, in the line `item_id`; PUT its quantity.
        - 409 CART_LIMIT_EXCEEDED: the cart has as many lines as a cart can have.
        """
        body = validated(AddItemSerializer, request.data)
        book_id, quantity = body["book_id"], body["quantity"]
        cart = statements.add(caller_of(request), book_id, quantity)
        if cart is not None:
            line = cart.line_of_book(book_id)
        else:
            line = Cart.objects.of(user_of(request)).add(book_id, quantity).facts
        return answer(line_json(line), 201)

    @extend_schema(operation_id="change_cart_item", summary="Change the quantity of a line", **CHANGE)
    @confirms_caller
    def update(self, request: Request, item_id: int) -> HttpResponse:
        """Sets the number of copies, absolutely: repeating it changes nothing. Stock is not checked again, and a
        changed price counts as seen.

        - 200: the line as it is now.
        - 404 CART_ITEM_NOT_FOUND: there is no such line.
        - 403 CART_ITEM_FORBIDDEN: the line is another customer's.
        - 412 CART_CHANGED: the cart is no longer the one that If-Match names.
        """
        quantity, versions = validated(ChangeItemSerializer, request.data)["quantity"], if_match(request)
        cart = statements.change_quantity(caller_of(request), item_id, quantity) if versions is None else None
        line = cart.line(item_id) if cart else None
        if line is None:
            item = self.get_item(item_id)
            item.change_quantity(quantity, if_match=versions)
            line = item.facts
        return answer(line_json(line))

    @extend_schema(operation_id="patch_cart_item", summary="Change the quantity of a line, as PUT does", **CHANGE)
    @confirms_caller
    def partial_update(self, request: Request, item_id: int) -> HttpResponse:
        """For clients that prefer PATCH: the same body, the same answers.

        - 200: the line as it is now.
        """
        return self.update(request, item_id)

    @extend_schema(
        operation_id="remove_cart_item",
        tags=["cart"],
        summary="Remove a line",
        parameters=[examples.IF_MATCH],
        responses={204: None, **errors_of(CartItemNotFound, CartChanged)},
    )
    @confirms_caller
    def destroy(self, request: Request, item_id: int) -> HttpResponse:
        """Takes the line out of the cart, whatever its issues.

        - 204: it is gone.
        - 404 CART_ITEM_NOT_FOUND: there is no such line (any more).
        - 403 CART_ITEM_FORBIDDEN: the line is another customer's.
        - 412 CART_CHANGED: the cart is no longer the one that If-Match names.
        """
        versions = if_match(request)
        if versions is not None or statements.remove(caller_of(request), item_id) is None:
            self.get_item(item_id).remove(if_match=versions)
        return HttpResponse(status=204)

    @extend_schema(
        operation_id="clear_cart",
        tags=["cart"],
        summary="Remove every line",
        parameters=[examples.IF_MATCH],
        responses={204: None, **errors_of(CartChanged)},
    )
    def clear(self, request: Request) -> HttpResponse:
        """Empties the cart; one that is empty stays so.

        - 204: there is no line.
        - 412 CART_CHANGED: the cart is no longer the one that If-Match names.
        """
        Cart.objects.of(user_of(request)).clear(if_match=if_match(request))
        return HttpResponse(status=204)

    def get_item(self, item_id: int) -> CartItem:
        """The line, if it is there and the caller's. Raises CartItemNotFound, or CartItemForbidden by IsCartOwner."""
        item: CartItem | None = CartItem.objects.with_book().filter(pk=item_id).first()
        if item is None:
            raise CartItemNotFound
        self.check_object_permissions(self.request, item)
        return item
