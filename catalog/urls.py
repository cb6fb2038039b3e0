from django.urls import path

from catalog.views import BookViewSet, GenreViewSet

urlpatterns = [
    path("books", BookViewSet.as_view({"get": "list", "post": "create"}), name="books"),
    path("books/suggest", BookViewSet.as_view({"get": "suggest"}), name="suggest-books"),
    path(
        "books/<id:book_id>",
        BookViewSet.as_view({"get": "retrieve", "put": "update", "delete": "destroy"}),
        name="book",
    ),
    path("books/<id:book_id>/stock", BookViewSet.as_view({"patch": "set_stock"}), name="book-stock"),
    path("genres", GenreViewSet.as_view({"get": "list", "post": "create"}), name="genres"),
]
