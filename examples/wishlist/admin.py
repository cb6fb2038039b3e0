"""The admin pages of wishes, and a column in the list of books: how many customers wish for the book."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest

from bookstore.admin.extensions import Column, Extension, extend
from bookstore.admin.lists import BoundedList
from catalog.models import Book
from wishlist.models import Wish


@admin.register(Wish)
class WishAdmin(BoundedList):
    list_display = ("book", "user", "added_at")
    list_select_related = ("book", "user")
    fields = readonly_fields = ("book", "user", "added_at")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Wish | None = None) -> bool:
        return False


@admin.display(description="wished for")
def number_of_wishes(book: Any) -> int:
    return int(book.wished)


class Wished(Extension):
    def rows(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        counted: QuerySet[Any] = rows.annotate(wished=Count("wishes", distinct=True))
        return counted

    def columns(self, request: HttpRequest) -> list[Column]:
        return [Column(number_of_wishes, after="is_active")]


extend(Book, Wished())
