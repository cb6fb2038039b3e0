from drf_spectacular.utils import OpenApiExample
from rest_framework.request import Request
from rest_framework.response import Response

from bookstore.accounts.caller import user_of
from bookstore.api.operations import errors_of, extend_schema
from bookstore.api.views import ApiView, validated
from catalog.exceptions import BookNotFound
from wishlist.exceptions import AlreadyWished
from wishlist.models import Wish
from wishlist.serializers import AddWishSerializer, WishSerializer

A_BOOK = OpenApiExample("A book", value={"book_id": 1}, request_only=True)
WISH = OpenApiExample(
    "A wish",
    value={"book_id": 1, "title": "Pride and Prejudice", "added_at": "2026-11-23T09:30:00Z"},
    response_only=True,
)


class WishlistView(ApiView):
    """The caller's own list. Signing in is required by default."""

    @extend_schema(
        operation_id="read_wishlist",
        summary="Read the wishlist",
        responses={200: WishSerializer(many=True)},
        examples=[WISH],
    )
    def get(self, request: Request) -> Response:
        """The caller's wishes, the oldest first.

        - 200: the wishes; an empty list for somebody who has none.
        """
        return Response(WishSerializer(Wish.objects.of(user_of(request)), many=True).data)

    @extend_schema(
        operation_id="add_wish",
        summary="Wish for a book",
        request=AddWishSerializer,
        responses={201: WishSerializer, **errors_of(BookNotFound, AlreadyWished)},
        examples=[A_BOOK, WISH],
    )
    def post(self, request: Request) -> Response:
        """Puts a book on the caller's list.

        - 201: the wish.
        - 404 BOOK_NOT_FOUND: there is no such book, or it is no longer sold.
        - 409 WISH_DUPLICATE: it is on the list already.
        """
        wish = Wish.objects.add(user_of(request), validated(AddWishSerializer, request.data)["book_id"])
        return Response(WishSerializer(wish).data, status=201)
