"""The books' admin, with what only the carts know: how many of them hold each book.

The catalogue knows nothing of carts, so this app registers the catalogue's admin of books anew, with one column more.
"""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from cart.admin.querysets import carts_holding_each
from catalog.admin import BookAdmin as CatalogueBookAdmin
from catalog.models import Book

MOST = 1_000  # carts of one book that are counted

admin.site.unregister(Book)


@admin.register(Book)
class BookAdmin(CatalogueBookAdmin):
    list_display = (*CatalogueBookAdmin.list_display[:5], "in_carts", *CatalogueBookAdmin.list_display[5:])

    def get_queryset(self, request: HttpRequest) -> QuerySet[Book]:
        books: QuerySet[Book] = super().get_queryset(request).annotate(carts=carts_holding_each(MOST + 1))
        return books

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return (*super().get_readonly_fields(request, obj), "in_carts", "number_of_carts")

    def get_list_display(self, request: HttpRequest) -> Any:
        """The number is a link for who may see carts, and plain for who may not."""
        if request.user.has_perm("cart.view_cart"):
            return self.list_display
        return [name if name != "in_carts" else "number_of_carts" for name in self.list_display]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)
        name = "in_carts" if request.user.has_perm("cart.view_cart") else "number_of_carts"
        return (*fieldsets, ("Who wants it", {"fields": (name,)})) if obj else fieldsets

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Says of each book how many carts lose it. Django's own would list each line of each cart. One query."""
        books = self.get_queryset(request).filter(pk__in=[book.pk for book in objs]).order_by("title_folded", "pk")
        told = [f"{book.title}, which {self.carts_in_words(book)}" for book in books]
        return told, {"books": len(told)}, set(), []

    def carts_in_words(self, book: Any) -> str:
        match book.carts:
            case 0:
                return "is in no cart"
            case 1:
                return "leaves 1 cart"
        return f"leaves {self.number_of_carts(book)} carts"

    @admin.display(description="in carts")
    def number_of_carts(self, book: Any) -> str:
        return f"{MOST:,}+" if book.carts > MOST else str(book.carts)

    @admin.display(description="in carts")
    def in_carts(self, book: Any) -> str:
        number = self.number_of_carts(book)
        if not book.carts:
            return number
        return format_html('<a href="{}?book={}">{}</a>', reverse("admin:cart_cart_changelist"), book.pk, number)
