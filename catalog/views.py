"""The catalogue: public reads; writes by staff with the permission."""

from django.db import transaction
from django.http import HttpResponse
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from bookstore.accounts.permissions import StaffWritesModel
from bookstore.api.caching import CACHED, NOT_MODIFIED, public_answer
from bookstore.api.errors import ValidationError
from bookstore.api.etags import if_match
from bookstore.api.operations import errors_of, extend_schema
from bookstore.api.views import PublicReads, validated
from bookstore.audit.actor import Actor
from bookstore.audit.recording import Differences, added, changed, deleted, in_words, record
from bookstore.database import retrying
from bookstore.database.replicas import from_replicas
from catalog import bodies, examples
from catalog.exceptions import BookChanged, BookNotFound, GenreConflict, IsbnConflict, StockOutOfRange
from catalog.models import Book, Genre
from catalog.parameters import BookQuery, SuggestionQuery
from catalog.querysets import BookQuerySet
from catalog.serializers import (
    BookCreateSerializer,
    BookPageSerializer,
    BookSerializer,
    BookUpdateSerializer,
    GenreCreateSerializer,
    GenreSerializer,
    StockChangeSerializer,
    SuggestionsSerializer,
)

# Seconds that caches keep suggestions, whatever CATALOGUE_CACHE_SECONDS says: no price or stock is in them. A title
# that was changed is suggested as it was for so long, to staff, too.
SUGGESTIONS_KEPT = 60


def record_change(request: Request, book: Book, differences: Differences) -> None:
    """Records the differences in the history, if there are any."""
    if differences:
        summary = f"Changed {in_words(book, differences)} of the book “{book}”."
        record(Actor.of_api(request), summary, [changed(book, differences)])


class BookViewSet(PublicReads, ViewSet):
    permission_classes = (StaffWritesModel,)
    model = Book

    def books(self) -> BookQuerySet:
        """All books, also withdrawn ones: they stay readable by id, and staff may put them back on sale."""
        books: BookQuerySet = Book.objects.all()
        return books

    @extend_schema(
        operation_id="list_books",
        tags=["catalogue"],
        summary="Find books",
        parameters=[BookQuery, *CACHED],
        responses={200: BookPageSerializer, **NOT_MODIFIED},
        examples=[examples.A_PAGE, examples.NO_BOOKS],
    )
    @from_replicas
    def list(self, request: Request) -> HttpResponse:
        """A page of the books on sale that fit every parameter sent. Anybody may ask.

        Without `q` and `sort` they come by title, with `q` the best match first. Ties are broken by id.

        - 200: the page; a page past the last has no items.
        - 422: a parameter is bad or unknown; the answer names it.
        """
        return public_answer(request, bodies.page(request.META.get("QUERY_STRING", "")))

    @extend_schema(
        operation_id="suggest_books",
        tags=["catalogue"],
        summary="Suggest while somebody types",
        parameters=[SuggestionQuery, *CACHED],
        responses={200: SuggestionsSerializer, **NOT_MODIFIED},
        examples=[examples.SUGGESTIONS],
    )
    @from_replicas
    def suggest(self, request: Request) -> HttpResponse:
        """Titles and authors that what was typed so far may become, or the book of an ISBN. Anybody may ask.

        - 200: the suggestions, best first; none for a text without a word.
        - 422: a parameter is bad or unknown; the answer names it.
        """
        found = bodies.suggestions(request.META.get("QUERY_STRING", ""))
        return public_answer(request, found, same_for_all_during=SUGGESTIONS_KEPT)

    @extend_schema(
        operation_id="create_book",
        tags=["catalogue"],
        summary="Add a book to the catalogue",
        request=BookCreateSerializer,
        responses={201: BookSerializer, **errors_of(IsbnConflict)},
        examples=[examples.CREATE_BOOK, examples.CREATE_SMALL_BOOK, examples.A_BOOK],
    )
    @retrying
    def create(self, request: Request) -> Response:
        """For staff who may add books. What is left out is unknown: null, and a stock of 0.

        - 201: the book, as it reads from now on.
        - 409 BOOK_ISBN_CONFLICT: another book has this ISBN, as ISBN-10 or ISBN-13.
        - 422: a field is missing or bad; also for a genre that does not exist.
        """
        body = validated(BookCreateSerializer, request.data)
        with transaction.atomic():
            book = Book.objects.add(**body)
            record(Actor.of_api(request), f"Added the book “{book}”.", [added(book)])
        return Response(BookSerializer(book).data, status=201)

    @extend_schema(
        operation_id="read_book",
        tags=["catalogue"],
        summary="Read a book",
        parameters=[*CACHED],
        responses={200: BookSerializer, **NOT_MODIFIED, **errors_of(BookNotFound, ValidationError)},
        examples=[examples.A_BOOK],
    )
    @from_replicas
    def retrieve(self, request: Request, book_id: int) -> HttpResponse:
        """Anybody may ask. A withdrawn book answers, too, with `is_active` false: carts may still hold it.

        - 200: the book.
        - 404 BOOK_NOT_FOUND: there is none with this id.
        - 422: a parameter was sent; there are none.
        """
        return public_answer(request, bodies.book(request.META.get("QUERY_STRING", ""), book_id))

    @extend_schema(
        operation_id="change_book",
        tags=["catalogue"],
        summary="Change what is known of a book",
        parameters=[examples.IF_MATCH],
        request=BookUpdateSerializer,
        responses={200: BookSerializer, **errors_of(BookNotFound, IsbnConflict, BookChanged)},
        examples=[examples.NEW_PRICE, examples.FORGET_ISBN, examples.A_BOOK],
    )
    @retrying
    def update(self, request: Request, book_id: int) -> Response:
        """For staff who may change books. Only what is sent changes; null forgets what may be unknown.

        Orders take copies at any time. Send `stock_quantity` together with If-Match, or change the stock by PATCH
        /books/{book_id}/stock.

        - 200: the book as it is now.
        - 404 BOOK_NOT_FOUND: there is none with this id (any more).
        - 409 BOOK_ISBN_CONFLICT: another book has this ISBN, as ISBN-10 or ISBN-13.
        - 412 BOOK_CHANGED: the book is no longer the one that If-Match names.
        - 422: a field is bad; also for a genre that does not exist.
        """
        body = validated(BookUpdateSerializer, request.data)
        book = Book(pk=book_id)  # not read first: an unknown genre (422) comes before a missing book (404)
        with transaction.atomic():
            record_change(request, book, book.change(if_match=if_match(request), **body))
        return Response(BookSerializer(book).data)

    @extend_schema(
        operation_id="delete_book",
        tags=["catalogue"],
        summary="Delete a book",
        parameters=[examples.IF_MATCH],
        responses={204: None, **errors_of(BookNotFound, BookChanged)},
    )
    @retrying
    def destroy(self, request: Request, book_id: int) -> Response:
        """For staff who may delete books. The book leaves every cart.

        - 204: it is gone.
        - 404 BOOK_NOT_FOUND: there is none with this id (any more).
        - 412 BOOK_CHANGED: the book is no longer the one that If-Match names.
        """
        seen = if_match(request)
        with transaction.atomic():
            book = self.books().select_for_update().find(book_id)  # what is recorded is what is deleted
            if seen is not None:
                book.refuse_unseen(seen)
            gone = deleted(book)
            book.remove()
            record(Actor.of_api(request), f"Deleted the book “{book}”.", [gone])
        return Response(status=204)

    @extend_schema(
        operation_id="set_stock",
        tags=["catalogue"],
        summary="Set the stock of a book",
        parameters=[examples.IF_MATCH],
        request=StockChangeSerializer,
        responses={200: BookSerializer, **errors_of(BookNotFound, BookChanged, StockOutOfRange)},
        examples=[examples.NEW_STOCK, examples.MORE_STOCK, examples.A_BOOK],
    )
    @retrying
    def set_stock(self, request: Request, book_id: int) -> Response:
        """For staff who may change books. `quantity` is absolute: repeating it changes nothing. `change` adds.

        Orders take copies at any time. A `quantity` that was worked out from a stock that you read belongs together
        with If-Match; a `change` needs none, but for being sent again after a lost answer.

        - 200: the book.
        - 404 BOOK_NOT_FOUND: there is none with this id (any more).
        - 409 BOOK_STOCK_OUT_OF_RANGE: `change` takes more copies than the `available` ones.
        - 412 BOOK_CHANGED: the book is no longer the one that If-Match names.
        """
        body = validated(StockChangeSerializer, request.data)
        book = Book(pk=book_id)  # not read first: the answer is one state of the book, without an older price
        with transaction.atomic():
            seen = if_match(request)
            if "change" in body:
                differences = book.add_stock(body["change"], if_match=seen)
            else:
                differences = book.set_stock(body["quantity"], if_match=seen)
            record_change(request, book, differences)
        return Response(BookSerializer(book).data)


class GenreViewSet(PublicReads, ViewSet):
    permission_classes = (StaffWritesModel,)
    model = Genre

    @extend_schema(
        operation_id="list_genres",
        tags=["catalogue"],
        summary="List the genres",
        parameters=[*CACHED],
        responses={200: GenreSerializer(many=True), **NOT_MODIFIED, **errors_of(ValidationError)},
        examples=[examples.A_GENRE],
    )
    @from_replicas
    def list(self, request: Request) -> HttpResponse:
        """Anybody may ask.

        - 200: all of them, by name.
        - 422: a parameter was sent; there are none.
        """
        return public_answer(request, bodies.genres(request.META.get("QUERY_STRING", "")))

    @extend_schema(
        operation_id="create_genre",
        tags=["catalogue"],
        summary="Add a genre",
        request=GenreCreateSerializer,
        responses={201: GenreSerializer, **errors_of(GenreConflict)},
        examples=[examples.CREATE_GENRE, examples.A_GENRE],
    )
    @retrying
    def create(self, request: Request) -> Response:
        """For staff who may add genres.

        - 201: the genre.
        - 409 GENRE_CONFLICT: there is one of this name, whatever its case and accents.
        """
        body = validated(GenreCreateSerializer, request.data)
        with transaction.atomic():
            genre = Genre.objects.add(**body)
            record(Actor.of_api(request), f"Added the genre “{genre}”.", [added(genre)])
        return Response(GenreSerializer(genre).data, status=201)
