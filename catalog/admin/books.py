"""The staff's list of books, the page of one, and what can be done to many."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db import transaction
from django.db.models import Field, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString

from bookstore.admin.conflicts import RefusesConflicts
from bookstore.admin.extensions import Extensible
from bookstore.admin.history import Recorded
from bookstore.admin.lists import BoundedList, is_id
from bookstore.admin.rows import EditableRows
from bookstore.audit.actor import Actor
from bookstore.audit.recording import changed, record
from catalog.admin.book_files import BookFiles
from catalog.exceptions import naming_conflicts
from catalog.models import MAX_STOCK, Book, Genre
from catalog.querysets import BookQuerySet

MAX_AT_ONCE = 10_000  # books of one action: one transaction of about a second


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


class BookForm(RefusesConflicts, forms.ModelForm):
    def clean_description(self) -> str | None:
        """A browser sends CR LF for each new line."""
        return (self.cleaned_data["description"] or "").replace("\r\n", "\n") or None


class StockForm(forms.Form):
    stock = forms.IntegerField(
        label="Copies in stock from now on",
        min_value=0,
        max_value=MAX_STOCK,
        widget=forms.NumberInput(attrs={"autofocus": True, "min": 0}),
    )


@admin.register(Book)
class BookAdmin(BookFiles, EditableRows, Recorded, Extensible, BoundedList):
    form = BookForm
    list_display: tuple[str, ...] = ("title", "author", "price", "stock_quantity", "is_active", "genre", "isbn")
    list_editable = ("price", "stock_quantity", "is_active")
    list_filter = (StockFilter, OnSaleFilter, "genre")
    list_select_related = ("genre",)
    list_per_page = 25  # each row is a form of its own
    ordering = ("title_folded", "id")
    sortable_by = ("price", "stock_quantity")
    search_help_text = f"Words of title or author, or an ISBN. Prices are in {settings.SHOP_CURRENCY}."
    search_fields = ("title",)  # shows the box; get_search_results says what is searched
    readonly_fields = ("created_at", "cover")
    fieldsets = (
        (None, {"fields": ("title", "author", "genre", "isbn")}),
        ("For sale", {"fields": ("price", "stock_quantity", "is_active")}),
        ("To look at", {"fields": ("cover", "cover_image_url", "description", "publish_date", "created_at")}),
    )
    actions = ("withdraw", "put_back", "set_stock")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """A book that is being added has no cover to look at, and was not created yet."""
        if obj is not None:
            return super().get_fieldsets(request, obj)
        return [
            (title, {"fields": [name for name in options["fields"] if name not in self.readonly_fields]})
            for title, options in self.fieldsets
        ]

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
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if db_field.name == "price":
            field.label = f"Price ({settings.SHOP_CURRENCY})"
        elif db_field.name == "cover_image_url":
            field.label = "Cover image URL"
        return field

    def lock_for_saving(self, request: HttpRequest, key: int) -> bool:
        """The genre that the page puts the book into first, then the book. One query, two with a genre."""
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

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Says of each book what goes with it. Django's own would list each line of each cart. One query."""
        books = self.get_queryset(request).filter(pk__in=[book.pk for book in objs]).order_by("title_folded", "pk")
        told = [self.told_before_deletion(book) for book in books]
        return told, {"books": len(told)}, set(), []

    def delete_model(self, request: HttpRequest, obj: Book) -> None:
        obj.remove()

    @admin.display(description="cover")
    def cover(self, book: Book) -> SafeString:
        return render_to_string("admin/catalog/book/cover.html", {"book": book, "size": "large"})

    @admin.action(description="Withdraw the selected books from sale", permissions=["change"])
    def withdraw(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self.change_many(request, queryset.filter(is_active=True), "Withdrew {} from sale.", is_active=False)

    @admin.action(description="Put the selected books back on sale", permissions=["change"])
    def put_back(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self.change_many(request, queryset.filter(is_active=False), "Put {} back on sale.", is_active=True)

    @admin.action(description="Set the stock of the selected books", permissions=["change"])
    def set_stock(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        """Asks for the number on a page of its own, then sets it."""
        form = StockForm(request.POST if "stock" in request.POST else None)
        if form.is_valid():
            copies = form.cleaned_data["stock"]
            changing = queryset.exclude(stock_quantity=copies)
            self.change_many(request, changing, f"Set the stock of {{}} to {copies}.", stock_quantity=copies)
            return None
        titles = list(queryset.order_by("title_folded", "id").values_list("title", "stock_quantity")[:21])
        across = request.POST.get("select_across", "0")
        context = {
            **self.admin_site.each_context(request),
            "title": "Set the stock",
            "opts": self.opts,
            "form": form,
            "titles": titles[:20],
            "more": len(titles) > 20,
            "selected": request.POST.getlist(ACTION_CHECKBOX_NAME),
            "checkbox": ACTION_CHECKBOX_NAME,
            "select_across": across,
            "media": self.media,
        }
        request.current_app = self.admin_site.name  # as Django's own views do
        return TemplateResponse(request, "admin/catalog/book/set_stock.html", context)

    def change_many(self, request: HttpRequest, books: QuerySet[Any], done: str, **fields: Any) -> None:
        """Changes these fields of the books that need it, in one transaction with its history; four queries."""
        with transaction.atomic():
            keys = list(books.order_by().values_list("pk", flat=True)[: MAX_AT_ONCE + 1])
            if len(keys) > MAX_AT_ONCE:
                text = f"These are more than {MAX_AT_ONCE:,} books: choose fewer by a filter. Nothing was changed."
                self.message_user(request, text, messages.ERROR)
                return
            changing = Book.objects.filter(pk__in=keys)
            books_found = list(changing.only("pk", "title", *fields).order_by("pk").select_for_update(no_key=True))
            Book.objects.filter(pk__in=[book.pk for book in books_found]).update(**fields)
            number = len(books_found)
            if books_found:
                written = [
                    changed(book, {name: (getattr(book, name), value) for name, value in fields.items()})
                    for book in books_found
                ]
                summary = done.format(f"{number} {'book' if number == 1 else 'books'}")
                record(Actor.of_admin(request), summary, written)
        self.message_user(
            request,
            done.format(f"{number} {'book' if number == 1 else 'books'}") if number else "Nothing had to be changed.",
            messages.SUCCESS if number else messages.INFO,
        )
