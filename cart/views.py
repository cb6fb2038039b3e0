"""The caller's own cart: the token selects it, never a path or a body."""

from typing import Any

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiResponse
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.viewsets import ViewSet

from bookstore.accounts.caller import caller_of, user_of
from bookstore.accounts.permissions import SignedIn
from bookstore.api.etags import if_match
from bookstore.api.operations import errors_of, extend_schema
from bookstore.api.views import ApiView, confirms_caller, validated
from cart import examples, merge_statement, statements
from cart.exceptions import BookOutOfStock, CartChanged, CartItemDuplicate, CartItemNotFound, CartLimitExceeded
from cart.models import Cart, CartItem
from cart.permissions import IsCartOwner
from cart.preview import preview
from cart.representation import cart_json, dump, line_json, results_json, version_of
from cart.responses import changed, json_answer, unless_held, wants_cart
from cart.serializers import (
    LINE_OR_CART,
    AddItemSerializer,
    CartItemSerializer,
    CartSerializer,
    ChangeItemSerializer,
    MergedCartSerializer,
    MergeSerializer,
    PreviewedCartSerializer,
)
from catalog.exceptions import BookNotFound

# Parameters and headers of every change.
CHANGE_PARAMETERS = [examples.IF_MATCH, examples.RETURN, examples.ETAG_AFTER]
# PUT and PATCH of a line are one operation with two names.
CHANGE: dict[str, Any] = {
    "tags": ["cart"],
    "parameters": CHANGE_PARAMETERS,
    "request": ChangeItemSerializer,
    "responses": {200: LINE_OR_CART, **errors_of(CartItemNotFound, CartChanged)},
    "examples": [examples.THREE_COPIES, examples.LINE],
}


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
        content = dump(cart_json(cart))
        return unless_held(request, content, version_of(content))


class MergeView(ApiView):
    @extend_schema(
        operation_id="merge_cart",
        tags=["cart"],
        summary="Take over a guest's cart, or add many books at once",
        parameters=[examples.IF_MATCH, examples.ETAG_AFTER],
        request=MergeSerializer,
        responses={200: MergedCartSerializer, **errors_of(CartChanged)},
        examples=[examples.GUEST_CART, examples.MERGED_CART],
    )
    @confirms_caller
    def post(self, request: Request) -> HttpResponse:
        """All in one transaction. A line that is there gets the larger of the two quantities, so that sending the same
        again changes nothing, and keeps its price: one that changed stays PRICE_CHANGED until the customer confirms it.
        What cannot be added is skipped, and `results` says why.

        - 200: the cart as the merge left it, and one result for each entry.
        - 412 CART_CHANGED: the cart is no longer the one that If-Match names.
        - 422: `items` is no list, is empty, or has more entries than a cart can have lines (at least 100).
        """
        entries, versions = validated(MergeSerializer, request.data)["items"], if_match(request)
        wants_cart(request)  # validated only: a merge always answers the cart
        merged = merge_statement.merge(caller_of(request), entries) if versions is None else None
        if merged is None:
            cart = Cart.objects.of(user_of(request))
            results = cart.merge(entries, if_match=versions)
            merged = cart.as_left, results
        left, results = merged
        body = cart_json(left)
        return json_answer(dump(body | {"results": results_json(results)}), version_of(dump(body)))


class PreviewView(ApiView):
    """Public: a token is ignored."""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    @extend_schema(
        operation_id="preview_cart",
        tags=["cart"],
        summary="See a guest's cart as it would be",
        request=MergeSerializer,
        responses={200: PreviewedCartSerializer},
        examples=[examples.GUEST_CART, examples.PREVIEWED_CART],
    )
    def post(self, request: Request) -> HttpResponse:
        """What GET /cart would show if these entries were lines of a cart. Anybody may ask, and nothing is stored, so a
        line has no id. `price_seen` stands for the price when it was added.

        - 200: the cart, and one result for each entry: `listed`, or `skipped` with the code of its reason.
        - 422: `items` is no list, is empty, or has more entries than a cart can have lines (at least 100).
        """
        cart, results = preview(validated(MergeSerializer, request.data)["items"])
        content = dump(cart_json(cart) | {"results": results_json(results)})
        return HttpResponse(content, content_type="application/json", headers={"Cache-Control": "no-store"})


class CartItemViewSet(ApiView, ViewSet):
    permission_classes = (SignedIn, IsCartOwner)

    @extend_schema(
        operation_id="add_cart_item",
        tags=["cart"],
        summary="Add a book to the cart",
        parameters=CHANGE_PARAMETERS,
        request=AddItemSerializer,
        responses={
            201: LINE_OR_CART,
            **errors_of(BookNotFound, BookOutOfStock, CartItemDuplicate, CartLimitExceeded, CartChanged),
        },
        examples=[examples.TWO_COPIES, examples.ONE_COPY, examples.LINE],
    )
    @confirms_caller
    def create(self, request: Request) -> HttpResponse:
        """A new line for a book in stock. A quantity beyond the stock is accepted, and the line's issues say so.

        - 201: the line, or the cart.
        - 404 BOOK_NOT_FOUND: there is no such book, or it is no longer sold.
        - 409 CART_BOOK_OUT_OF_STOCK: its stock is 0.
        - 409 CART_ITEM_DUPLICATE: the book is in the cart already, in the line `item_id`; PUT its quantity.
        - 409 CART_LIMIT_EXCEEDED: the cart has as many lines as a cart can have.
        - 412 CART_CHANGED: the cart is no longer the one that If-Match names.
        """
        body, versions, whole = validated(AddItemSerializer, request.data), if_match(request), wants_cart(request)
        book_id, quantity = body["book_id"], body["quantity"]
        left = statements.add(caller_of(request), book_id, quantity) if versions is None else None
        if left is None:
            cart = Cart.objects.of(user_of(request))
            cart.add(book_id, quantity, if_match=versions)
            left = cart.as_left
        return changed(left, left.line_of_book(book_id), whole=whole, status=201)

    @extend_schema(
        operation_id="read_cart_item",
        tags=["cart"],
        summary="Read a line",
        parameters=[examples.IF_NONE_MATCH, examples.ETAG],
        responses={
            200: CartItemSerializer,
            304: OpenApiResponse(description="The cart is still the one that you hold."),
            **errors_of(CartItemNotFound),
        },
        examples=[examples.LINE],
    )
    @confirms_caller
    def retrieve(self, request: Request, item_id: int) -> HttpResponse:
        """One line of the caller's, as in GET /cart. The ETag is the cart's, as If-Match takes it.

        - 200: the line.
        - 304: the ETag in If-None-Match is that of the cart as it is.
        - 404 CART_ITEM_NOT_FOUND: there is no such line.
        - 403 CART_ITEM_FORBIDDEN: the line is another customer's.
        """
        cart = statements.read(caller_of(request))
        line = cart.line(item_id) if cart else None
        if cart is None or line is None:
            cart = self.get_item(item_id).cart.facts
            line = cart.line(item_id)
        if line is None:  # deleted between the two queries
            raise CartItemNotFound
        return unless_held(request, dump(line_json(line)), version_of(dump(cart_json(cart))))

    @extend_schema(operation_id="change_cart_item", summary="Change the quantity of a line", **CHANGE)
    @confirms_caller
    def update(self, request: Request, item_id: int) -> HttpResponse:
        """Sets the number of copies, absolutely: repeating it changes nothing. Stock is not checked again, and a
        changed price counts as seen.

        - 200: the line as it is now, or the cart.
        - 404 CART_ITEM_NOT_FOUND: there is no such line.
        - 403 CART_ITEM_FORBIDDEN: the line is another customer's.
        - 412 CART_CHANGED: the cart is no longer the one that If-Match names.
        """
        quantity = validated(ChangeItemSerializer, request.data)["quantity"]
        versions, whole = if_match(request), wants_cart(request)
        left = statements.change_quantity(caller_of(request), item_id, quantity) if versions is None else None
        if left is None:
            item = self.get_item(item_id)
            item.change_quantity(quantity, if_match=versions)
            left = item.cart.as_left
        return changed(left, left.line(item_id), whole=whole)

    @extend_schema(operation_id="patch_cart_item", summary="Change the quantity of a line, as PUT does", **CHANGE)
    @confirms_caller
    def partial_update(self, request: Request, item_id: int) -> HttpResponse:
        """For clients that prefer PATCH: the same body, the same answers, and no harm when it is sent again.

        - 200: the line as it is now, or the cart.
        """
        return self.update(request, item_id)

    @extend_schema(
        operation_id="remove_cart_item",
        tags=["cart"],
        summary="Remove a line",
        parameters=CHANGE_PARAMETERS,
        responses={200: CartSerializer, 204: None, **errors_of(CartItemNotFound, CartChanged)},
        examples=[examples.CART],
    )
    @confirms_caller
    def destroy(self, request: Request, item_id: int) -> HttpResponse:
        """Takes the line out of the cart, whatever its issues.

        - 200: it is gone, and with `return=cart` this is what is left.
        - 204: it is gone.
        - 404 CART_ITEM_NOT_FOUND: there is no such line (any more).
        - 403 CART_ITEM_FORBIDDEN: the line is another customer's.
        - 412 CART_CHANGED: the cart is no longer the one that If-Match names.
        """
        versions, whole = if_match(request), wants_cart(request)
        left = statements.remove(caller_of(request), item_id) if versions is None else None
        if left is None:
            item = self.get_item(item_id)
            item.remove(if_match=versions)
            left = item.cart.as_left
        return changed(left, whole=whole)

    @extend_schema(
        operation_id="clear_cart",
        tags=["cart"],
        summary="Remove every line",
        parameters=CHANGE_PARAMETERS,
        responses={200: CartSerializer, 204: None, **errors_of(CartChanged)},
        examples=[examples.EMPTY_CART],
    )
    @confirms_caller
    def clear(self, request: Request) -> HttpResponse:
        """Empties the cart; one that is empty stays so.

        - 200: there is no line, and with `return=cart` this is the empty cart.
        - 204: there is no line.
        - 412 CART_CHANGED: the cart is no longer the one that If-Match names.
        """
        versions, whole = if_match(request), wants_cart(request)
        left = statements.clear(caller_of(request)) if versions is None else None
        if left is None:
            cart = Cart.objects.of(user_of(request))
            cart.clear(if_match=versions)
            left = cart.as_left
        return changed(left, whole=whole)

    def get_item(self, item_id: int) -> CartItem:
        """The line, if it is there and the caller's. Raises CartItemNotFound, or CartItemForbidden by IsCartOwner."""
        item: CartItem | None = CartItem.objects.with_book().filter(pk=item_id).first()
        if item is None:
            raise CartItemNotFound
        self.check_object_permissions(self.request, item)
        return item
