"""Filters for the list of carts. The page says when a filter searched only a part of the carts."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from bookstore.admin.lists import LinkedFilter, is_id, note
from cart.admin import querysets as asked
from cart.issues import IssueCode
from cart.models import Cart
from catalog.models import Book

# Issues in words, for columns, filters and pages.
PROBLEM_NAMES = {
    IssueCode.BOOK_UNAVAILABLE: "withdrawn",
    IssueCode.BOOK_OUT_OF_STOCK: "sold out",
    IssueCode.INSUFFICIENT_STOCK: "short",
    IssueCode.PRICE_CHANGED: "price changed",
}
ONLY_NEWEST = (
    f"Only the {asked.NEWEST:,} carts that changed last, of those that the other choices leave, were looked into."
)


def noted(request: HttpRequest, answer: tuple[QuerySet[Cart], bool]) -> QuerySet[Cart]:
    carts, cut = answer
    if cut:
        note(request, ONLY_NEWEST)
    return carts


class ActivityFilter(admin.SimpleListFilter):
    title = "last change"
    parameter_name = "activity"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            ("today", "Today"),
            ("week", "Today and 7 days before"),
            ("month", "Today and 30 days before"),
            ("abandoned", "Idle 30 days and more"),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Cart]) -> QuerySet[Cart]:
        value = self.value()
        return queryset.filter(asked.activity(value)) if value in dict(self.lookup_choices) and value else queryset


class BookFilter(LinkedFilter):
    """Carts that hold one book: the page of a book and the overview link to it."""

    title = "book"
    parameter_name = "book"
    model, shown = Book, "title"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Cart]) -> QuerySet[Cart]:
        value = self.value() or ""
        carts, cut = asked.holding(queryset, [int(value)] if is_id(value) else [])
        return noted(request, (queryset.filter(pk__in=carts), cut))


class ProblemFilter(admin.SimpleListFilter):
    title = "problem"
    parameter_name = "problem"
    codes = {name.replace(" ", "-"): code for code, name in PROBLEM_NAMES.items()}

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("any", "Any"), *((key, PROBLEM_NAMES[code].capitalize()) for key, code in self.codes.items())]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Cart]) -> QuerySet[Cart]:
        value = self.value()
        if value == "any":
            return noted(request, asked.with_problem(queryset, asked.GRAVITY))
        if value in self.codes:
            return noted(request, asked.with_problem(queryset, [self.codes[value]]))
        return queryset


class ContentFilter(admin.SimpleListFilter):
    title = "content"
    parameter_name = "content"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("lines", "With books"), ("empty", "Empty")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Cart]) -> QuerySet[Cart]:
        match self.value():
            case "lines":
                return noted(request, asked.by_emptiness(queryset, empty=False))
            case "empty":
                return noted(request, asked.by_emptiness(queryset, empty=True))
        return queryset
