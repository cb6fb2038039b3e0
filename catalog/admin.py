"""Where staff keep the catalogue. Whatever they change goes by the same verbs as the API."""

from collections.abc import Callable
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.db.models import Count, Field, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from bookstore.api.errors import ApiError
from catalog.models import Book, Genre
from catalog.querysets import BookQuerySet, naming_conflicts


class RefusalsAsMessages:
    """A verb's refusal (the book was deleted while its form was open, say) is told on the page; nothing is saved."""

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self._or_message(request, super().changeform_view, args, kwargs)  # type: ignore[misc]

    def changelist_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self._or_message(request, super().changelist_view, args, kwargs)  # type: ignore[misc]

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self._or_message(request, super().delete_view, args, kwargs)  # type: ignore[misc]

    def _or_message(
        self, request: HttpRequest, view: Callable[..., HttpResponse], args: Any, kwargs: Any
    ) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except ApiError as error:
            messages.error(request, str(error.detail))
            return HttpResponseRedirect(request.get_full_path())


class StockFilter(admin.SimpleListFilter):
    title = "stock"
    parameter_name = "in_stock"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "In stock"), ("no", "Out of stock")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        books: BookQuerySet = queryset  # type: ignore[assignment]
        match self.value():
            case "yes":
                return books.in_stock()
            case "no":
                return books.out_of_stock()
        return books


class BookForm(forms.ModelForm):
    def clean_description(self) -> str | None:
        return self.cleaned_data["description"] or None


@admin.register(Book)
class BookAdmin(RefusalsAsMessages, admin.ModelAdmin):
    form = BookForm
    list_display = ("title", "author", "price", "stock_quantity", "is_active", "genre", "isbn")
    list_editable = ("price", "stock_quantity", "is_active")
    list_filter = (StockFilter, "is_active", "genre")
    list_select_related = ("genre",)
    list_per_page = 50
    ordering = ("title_folded", "id")
    sortable_by = ("price", "stock_quantity")
    search_fields = ("title",)  # shows the box; get_search_results says what is searched
    search_help_text = "Words of title or author, or an ISBN"
    show_full_result_count = False
    readonly_fields = ("created_at",)
    fieldsets = (
        (None, {"fields": ("title", "author", "genre", "isbn")}),
        ("For sale", {"fields": ("price", "stock_quantity", "is_active")}),
        ("To look at", {"fields": ("description", "cover_image_url", "publish_date", "created_at")}),
    )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """As the API's search, or the one book of an ISBN. A column that was clicked on sorts what is found."""
        books: BookQuerySet = queryset  # type: ignore[assignment]
        found = books.of_isbn(search_term)
        if found is None:
            found = books.search(search_term)
        return (found.order_by(*queryset.query.order_by) if "o" in request.GET else found), False

    def formfield_for_dbfield(self, db_field: "Field[Any, Any]", request: HttpRequest, **kwargs: Any) -> Any:
        """Each field knows what the page showed: one that nobody touched is not written back over somebody's change."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None:
            field.show_hidden_initial = True
        return field

    def save_model(self, request: HttpRequest, obj: Book, form: Any, change: bool) -> None:
        if change:
            attributes = {"genre": "genre_id"}
            names = [attributes.get(name, name) for name in form.changed_data]
            obj.change(**{name: getattr(obj, name) for name in names})
        else:
            with naming_conflicts():
                super().save_model(request, obj, form, change)

    def delete_model(self, request: HttpRequest, obj: Book) -> None:
        obj.remove()


@admin.register(Genre)
class GenreAdmin(RefusalsAsMessages, admin.ModelAdmin):
    list_display = ("name", "number_of_books")
    ordering = ("name_folded",)
    sortable_by: ClassVar[tuple[str, ...]] = ()
    search_fields = ("name",)
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Genre]:
        genres: QuerySet[Genre] = super().get_queryset(request).annotate(book_count=Count("books"))
        return genres

    @admin.display(description="books")
    def number_of_books(self, genre: Any) -> int:
        return int(genre.book_count)

    def save_model(self, request: HttpRequest, obj: Genre, form: Any, change: bool) -> None:
        with naming_conflicts():
            obj.save(update_fields=["name"] if change else None, force_insert=not change)
