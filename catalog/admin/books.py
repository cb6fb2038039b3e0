"""The admin's list of books, its actions, and the page of one book."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.db.models import Field, QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from bookstore.admin.bulk import BulkActions
from bookstore.admin.conflicts import RefusesConflicts
from bookstore.admin.extensions import Extensible
from bookstore.admin.history import Recorded
from bookstore.admin.lists import BoundedList, is_id
from bookstore.admin.rows import EditableRows, RowForm
from bookstore.admin.verbs import DeleteRows
from catalog.admin.actions import AddToStock, ChangePrices, PutBack, SetGenre, SetStock, Withdraw
from catalog.admin.book_files import BookFiles
from catalog.exceptions import naming_conflicts
from catalog.models import Book, Genre
from catalog.querysets import BookQuerySet


class StockFilter(admin.SimpleListFilter):
    title = "stock"
    parameter_name = "in_stock"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "In stock"), ("low", f"Low (1 to {settings.LOW_STOCK})"), ("no", "Out of stock")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        books: BookQuerySet = queryset  # type: ignore[assignment]  # Book's manager made it
        match self.value():
            case "yes":
                return books.in_stock()
            case "low":
                return books.in_stock().filter(stock_quantity__lte=settings.LOW_STOCK)
            case "no":
                return books.out_of_stock()
        return books


class OnSaleFilter(admin.SimpleListFilter):
    title = "on sale"
    parameter_name = "on_sale"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "On sale"), ("no", "Withdrawn")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        match self.value():
            case "yes":
                return queryset.filter(is_active=True)
            case "no":
                return queryset.filter(is_active=False)
        return queryset


class KnownFilter(admin.SimpleListFilter):
    """Filters books by whether a field is NULL."""

    field = ""

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "With"), ("no", "Without")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() in {"yes", "no"}:
            return queryset.filter(**{f"{self.field}__isnull": self.value() == "no"})
        return queryset


class IsbnFilter(KnownFilter):
    title, parameter_name, field = "ISBN", "has_isbn", "isbn"


class CoverFilter(KnownFilter):
    title, parameter_name, field = "cover", "has_cover", "cover_image_url"


class GenreFilter(admin.RelatedFieldListFilter):
    """Django's own, which calls the books without a genre "-"."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.empty_value_display = mark_safe("No genre")


class StockRowForm(RowForm):
    counted = ("stock_quantity",)


class BookForm(RefusesConflicts, forms.ModelForm):
    counted = ("stock_quantity",)

    def clean_isbn(self) -> str | None:
        """Refuses an ISBN that another book has, with a link to that book. One query."""
        isbn: str | None = self.cleaned_data["isbn"]
        other = Book.objects.filter(isbn=isbn).exclude(pk=self.instance.pk).first() if isbn else None
        if other is not None:
            raise forms.ValidationError(format_html("Another book has this ISBN: {}.", link_to(other)))
        return isbn

    def clean(self) -> Any:
        """Asks before adding a second book with the same title and author: it may be another edition. One query."""
        cleaned = super().clean()
        title, author = self.cleaned_data.get("title"), self.cleaned_data.get("author")
        if self.instance.pk is None and title and author and "other_edition" not in self.data:
            same = Book.objects.of_title_and_author(title, author).first()
            if same is not None:
                box = mark_safe('<label><input type="checkbox" name="other_edition"> It is another edition</label>')
                text = "There is a book of this title and author already: {}. {}"
                raise forms.ValidationError(format_html(text, link_to(same), box))
        return cleaned

    def clean_description(self) -> str | None:
        """A browser sends CR LF for each new line."""
        return (self.cleaned_data["description"] or "").replace("\r\n", "\n") or None


def link_to(book: Book) -> SafeString:
    url = reverse("admin:catalog_book_change", args=[book.pk])
    return format_html('<a href="{}">{}, {}</a> ({} in stock)', url, book.title, book.author, book.stock_quantity)


@admin.register(Book)
class BookAdmin(BookFiles, EditableRows, Recorded, Extensible, BulkActions, BoundedList):
    form = BookForm
    list_display: tuple[str, ...] = ("thumb", "title", "about", "price", "stock_quantity", "is_active", "genre")
    list_display_links = ("title",)
    list_editable = ("price", "stock_quantity", "is_active")
    list_filter = (StockFilter, OnSaleFilter, IsbnFilter, CoverFilter, ("genre", GenreFilter))
    list_select_related = ("genre",)
    list_per_page = 25  # each row is a form of its own
    ordering = ("title_folded", "id")
    sortable_by = ("price", "stock_quantity")
    search_help_text = f"Words of title or author, or an ISBN. Prices are in {settings.SHOP_CURRENCY}."
    search_fields = ("title",)  # shows the box; get_search_results says what is searched
    readonly_fields = ("created_at", "cover")
    fieldsets = (
        (None, {"fields": ("title", "author", "genre", "isbn")}),
        ("For sale", {"fields": ("price", "stock_quantity", "is_active", "popularity")}),
        ("To look at", {"fields": ("cover", "cover_image_url", "description", "publish_date", "created_at")}),
    )
    actions = (Withdraw(), PutBack(), SetStock(), AddToStock(), ChangePrices(), SetGenre(), DeleteRows())

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Hides the cover and the times of creation and change on the page that adds a book."""
        if obj is not None:
            return super().get_fieldsets(request, obj)
        return [
            (title, {"fields": [name for name in options["fields"] if name not in self.readonly_fields]})
            for title, options in self.fieldsets
        ]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """The API's search, or the book of an ISBN. A column that was clicked sorts the results."""
        books: BookQuerySet = queryset  # type: ignore[assignment]  # Book's manager made it
        found = books.of_isbn(search_term)
        if found is None:
            found = books.search(search_term)
        return (found.order_by(*queryset.query.order_by) if "o" in request.GET else found), False

    def get_changelist_form(self, request: HttpRequest, **kwargs: Any) -> Any:
        return super().get_changelist_form(request, **{"form": StockRowForm, **kwargs})

    def formfield_for_dbfield(self, db_field: "Field[Any, Any]", request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if db_field.name == "price":
            field.label = f"Price ({settings.SHOP_CURRENCY})"
        elif db_field.name == "cover_image_url":
            field.label = "Cover image URL"
        return field

    def lock_for_saving(self, request: HttpRequest, key: int) -> bool:
        """Locks the book's new genre first, then the book. One query, two with a genre."""
        genre = request.POST.get("genre", "")
        if is_id(genre):
            list(Genre.objects.select_for_update(no_key=True).filter(pk=genre).values_list("pk"))
        return super().lock_for_saving(request, key)

    def save_model(self, request: HttpRequest, obj: Book, form: Any, change: bool) -> None:
        if change:
            attributes = {"genre": "genre_id"}
            names = [attributes.get(name, name) for name in form.changed_data]
            obj.change(**{name: getattr(obj, name) for name in names})
        else:
            with naming_conflicts():
                Genre.objects.lock_existing(obj.genre_id)
                super().save_model(request, obj, form, change)

    def delete_model(self, request: HttpRequest, obj: Book) -> None:
        obj.remove()

    @admin.display(description="")
    def thumb(self, book: Book) -> SafeString:
        return render_to_string("admin/catalog/book/cover.html", {"book": book, "size": ""})

    @admin.display(description="author, ISBN")
    def about(self, book: Book) -> SafeString:
        return format_html('{}<br><span class="quiet">{}</span>', book.author, book.isbn or "no ISBN")

    @admin.display(description="cover")
    def cover(self, book: Book) -> SafeString:
        return render_to_string("admin/catalog/book/cover.html", {"book": book, "size": "large"})
