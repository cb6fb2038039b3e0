"""The staff's list of genres."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db import transaction
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html

from bookstore.admin.conflicts import RefusesConflicts
from bookstore.admin.history import Recorded
from bookstore.admin.lists import BoundedList
from bookstore.admin.saving import TouchedFieldsOnly
from bookstore.database import locks
from catalog.exceptions import naming_conflicts
from catalog.models import Genre


class GenreForm(RefusesConflicts, forms.ModelForm):
    """Its name may be refused because a colleague changed it, too."""


@admin.register(Genre)
class GenreAdmin(TouchedFieldsOnly, Recorded, BoundedList):
    form = GenreForm
    list_display = ("name", "number_of_books")
    ordering = ("name_folded",)
    sortable_by: ClassVar[tuple[str, ...]] = ()
    search_fields = ("name",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Genre]:
        genres: QuerySet[Genre] = super().get_queryset(request).annotate(book_count=Count("books"))
        return genres

    @admin.display(description="books")
    def number_of_books(self, genre: Any) -> str:
        if not genre.book_count:
            return "0"
        url = reverse("admin:catalog_book_changelist")
        return format_html('<a href="{}?genre__id__exact={}">{}</a>', url, genre.pk, genre.book_count)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """A genre with books stays. Says how many hold it; Django's own would list each of them. One query."""
        genres: Any = self.get_queryset(request).filter(pk__in=[genre.pk for genre in objs])
        names = [genre.name for genre in genres]
        held = [
            format_html("{}: {} books", genre.name, self.number_of_books(genre)) for genre in genres if genre.book_count
        ]
        return names, {"genres": len(names)}, set(), held

    def save_model(self, request: HttpRequest, obj: Genre, form: Any, change: bool) -> None:
        with naming_conflicts():
            super().save_model(request, obj, form, change)

    def response_action(self, request: HttpRequest, queryset: Any, *args: Any, **kwargs: Any) -> HttpResponse | None:
        """In one transaction with its history: a deletion that is refused at the end leaves none."""
        with transaction.atomic():
            return super().response_action(request, queryset, *args, **kwargs)

    def delete_model(self, request: HttpRequest, obj: Genre) -> None:
        self.delete_queryset(request, Genre.objects.filter(pk=obj.pk))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Genre]) -> None:
        """The lock comes first: a book that somebody is putting into one of them is waited for, and keeps it."""
        keys = [genre.pk for genre in queryset]
        with transaction.atomic():
            locks.lock(Genre.objects.filter(pk__in=keys))
            Genre.objects.filter(pk__in=keys).delete()
