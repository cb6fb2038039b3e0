"""Adds the number of carts that hold each book to the admin's pages of books."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from bookstore.admin.extensions import Column, Extension, Fieldset, extend
from cart.admin.querysets import carts_holding_each
from catalog.models import Book

MOST = 1_000  # carts counted for one book


@admin.display(description="in carts")
def number_of_carts(book: Any) -> str:
    return f"{MOST:,}+" if book.carts > MOST else str(book.carts)


@admin.display(description="in carts")
def in_carts(book: Any) -> str:
    """The number as a link to those carts."""
    if not book.carts:
        return number_of_carts(book)
    return format_html(
        '<a href="{}?book={}">{}</a>', reverse("admin:cart_cart_changelist"), book.pk, number_of_carts(book)
    )


class InCarts(Extension):
    def rows(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        counted: QuerySet[Any] = rows.annotate(carts=carts_holding_each(MOST + 1))
        return counted

    def shown_to(self, request: HttpRequest) -> Any:
        """The number is a link for staff who may see carts, and plain for others."""
        return in_carts if request.user.has_perm("cart.view_cart") else number_of_carts

    def columns(self, request: HttpRequest) -> list[Column]:
        return [Column(self.shown_to(request), after="is_active")]

    def fieldsets(self, request: HttpRequest) -> list[Fieldset]:
        return [Fieldset("Who wants it", (self.shown_to(request),), place=3)]

    def deletion_effects(self, row: Any) -> str:
        match row.carts:
            case 0:
                return "which is in no cart"
            case 1:
                return "which leaves 1 cart"
        return f"which leaves {number_of_carts(row)} carts"


extend(Book, InCarts())
