"""The caller's own cart: no path and no body names one."""

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework.viewsets import ViewSet

from bookstore.api.schema import errors_of
from cart.exceptions import BookOutOfStock, CartItemDuplicate, CartItemNotFound
from cart.models import Cart, CartItem
from cart.permissions import IsCartOwner
from cart.serializers import AddItemSerializer, CartItemSerializer, CartSerializer, ChangeItemSerializer
from catalog.exceptions import BookNotFound

ITEM = {
    "id": 7,
    "book_id": 42,
    "quantity": 2,
    "book": {
        "id": 42,
        "title": "Pride and Prejudice",
        "author": "Jane Austen",
        "price": "12.50",
        "cover_image_url": None,
    },
}
ITEM_EXAMPLE = OpenApiExample("A line", value=ITEM, response_only=True)
CART_EXAMPLE = OpenApiExample(
    "A cart", value={"items": [ITEM], "total_items": 2, "total_price": "25.00"}, response_only=True
)
EMPTY_EXAMPLE = OpenApiExample(
    "Nothing yet", value={"items": [], "total_items": 0, "total_price": "0.00"}, response_only=True
)


class CartView(APIView):
    permission_classes = (IsAuthenticated,)

    @extend_schema(
        operation_id="read_cart",
        tags=["cart"],
        summary="Read the cart",
        responses={200: CartSerializer},
        examples=[CART_EXAMPLE, EMPTY_EXAMPLE],
    )
    def get(self, request: Request) -> Response:
        """The caller's lines in the order in which they were added, with totals at today's prices.

        - 200: the cart; an empty one for somebody who never added a book, and nothing is stored for that.
        """
        return Response(CartSerializer(Cart.objects.contents_of(request.user)).data)


class CartItemViewSet(ViewSet):
    permission_classes = (IsAuthenticated, IsCartOwner)

    @extend_schema(
        operation_id="add_cart_item",
        tags=["cart"],
        summary="Add a book to the cart",
        request=AddItemSerializer,
        responses={201: CartItemSerializer, **errors_of(BookNotFound, BookOutOfStock, CartItemDuplicate)},
        examples=[
            OpenApiExample("Two copies", value={"book_id": 42, "quantity": 2}, request_only=True),
            OpenApiExample("One copy", value={"book_id": 42}, request_only=True),
            ITEM_EXAMPLE,
        ],
    )
    def create(self, request: Request) -> Response:
        """A new line for a book that is in stock. A quantity beyond the stock is accepted: stock is advice.

        - 201: the line.
        - 404 BOOK_NOT_FOUND: there is no such book.
        - 409 CART_BOOK_OUT_OF_STOCK: its stock is 0.
        - 409 CART_ITEM_DUPLICATE: the book is in the cart already, in the line `item_id`; PUT its quantity.
        """
        body = AddItemSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        cart = Cart.objects.for_user(request.user)
        item = cart.add(body.validated_data["book_id"], body.validated_data["quantity"])
        return Response(CartItemSerializer(item).data, status=201)

    @extend_schema(
        operation_id="change_cart_item",
        tags=["cart"],
        summary="Change the quantity of a line",
        request=ChangeItemSerializer,
        responses={200: CartItemSerializer, **errors_of(CartItemNotFound)},
        examples=[OpenApiExample("Three copies", value={"quantity": 3}, request_only=True), ITEM_EXAMPLE],
    )
    def update(self, request: Request, item_id: int) -> Response:
        """Sets the number of copies, absolutely: repeating it changes nothing. Stock is not checked again.

        - 200: the line as it is now.
        - 404 CART_ITEM_NOT_FOUND: there is no such line.
        - 403 CART_ITEM_FORBIDDEN: the line is another customer's.
        """
        body = ChangeItemSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        item = self.get_item(item_id)
        item.change_quantity(body.validated_data["quantity"])
        return Response(CartItemSerializer(item).data)

    @extend_schema(
        operation_id="remove_cart_item",
        tags=["cart"],
        summary="Remove a line",
        responses={204: None, **errors_of(CartItemNotFound)},
    )
    def destroy(self, request: Request, item_id: int) -> Response:
        """Takes the line out of the cart.

        - 204: it is gone.
        - 404 CART_ITEM_NOT_FOUND: there is no such line (any more).
        - 403 CART_ITEM_FORBIDDEN: the line is another customer's.
        """
        self.get_item(item_id).remove()
        return Response(status=204)

    def get_item(self, item_id: int) -> CartItem:
        item = CartItem.objects.with_book().filter(pk=item_id).first()
        if item is None:
            raise CartItemNotFound
        self.check_object_permissions(self.request, item)
        return item
