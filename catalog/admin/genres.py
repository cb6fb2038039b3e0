"""The admin's list of genres."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db import transaction
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from bookstore.admin.bulk import BulkActions
from bookstore.admin.conflicts import RefusesConflicts
from bookstore.admin.history import Recorded
from bookstore.admin.lists import MAX_SELECTED, BoundedList
from bookstore.admin.saving import TouchedFieldsOnly
from bookstore.admin.verbs import BulkVerb, DeleteRows
from bookstore.database import locks
from catalog.exceptions import naming_conflicts
from catalog.models import Book, Genre


class MoveBooks(BulkVerb):
    """Opens the action of the book list for the books of these genres."""

    name = "move_books"
    title = "Move the books of the selected genres to another genre"
    permissions = ("move",)

    def __call__(self, genre_admin: Any, request: HttpRequest, queryset: QuerySet[Genre]) -> Any:
        books = genre_admin.admin_site.get_model_admin(Book)
        chosen = Book.objects.filter(genre__in=list(queryset.values_list("pk", flat=True)[:MAX_SELECTED]))
        return books.begin_bulk(request, books.verb_named("set_genre"), chosen, back="")


class GenreForm(RefusesConflicts, forms.ModelForm):
    """Refuses a name that a colleague changed meanwhile."""


@admin.register(Genre)
class GenreAdmin(TouchedFieldsOnly, Recorded, BulkActions, BoundedList):
    form = GenreForm
    list_display = ("name", "number_of_books")
    ordering = ("name_folded",)
    sortable_by: ClassVar[tuple[str, ...]] = ()
    search_fields = ("name",)
    actions = (MoveBooks(), DeleteRows())

    def get_queryset(self, request: HttpRequest) -> QuerySet[Genre]:
        genres: QuerySet[Genre] = super().get_queryset(request).annotate(book_count=Count("books"))
        return genres

    @admin.display(description="books")
    def number_of_books(self, genre: Any) -> str:
        if not genre.book_count:
            return "0"
        url = reverse("admin:catalog_book_changelist")
        return format_html('<a href="{}?genre__id__exact={}">{}</a>', url, genre.pk, genre.book_count)

    def save_model(self, request: HttpRequest, obj: Genre, form: Any, change: bool) -> None:
        with naming_conflicts():
            super().save_model(request, obj, form, change)

    def refused_deletions(self, request: HttpRequest, rows: Any) -> dict[int, str]:
        """Refuses genres that have books. One query."""
        counted = Book.objects.filter(genre__in=[genre.pk for genre in rows]).order_by().values_list("genre_id")
        return super().refused_deletions(request, rows) | {
            pk: ("1 book is in it: move it" if number == 1 else f"{number} books are in it: move them")
            + " to another genre first."
            for pk, number in counted.annotate(number=Count("*"))
        }

    def has_move_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("catalog.change_book")

    def delete_model(self, request: HttpRequest, obj: Genre) -> None:
        self.delete_queryset(request, Genre.objects.filter(pk=obj.pk))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Genre]) -> None:
        """Locks first, so that it waits for a transaction that puts a book into one of them; that genre then stays."""
        keys = [genre.pk for genre in queryset]
        with transaction.atomic():
            locks.lock(Genre.objects.filter(pk__in=keys))
            Genre.objects.filter(pk__in=keys).delete()
