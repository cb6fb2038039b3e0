"""Exports the books of the admin's list, with its search and filters applied, as CSV or as an Excel workbook."""

from typing import Any

from django.contrib import messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ERROR_FLAG
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import path, reverse
from django.utils.timezone import now

from catalog.exporting import HEADINGS, MAX_WORKBOOK, CsvResponse, WorkbookResponse, each_book


class BookExports:
    opts: Any
    admin_site: Any

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.export_view)
        return [path("export/", view, name="catalog_book_export"), *super().get_urls()]  # type: ignore[misc]  # a mixin, to mypy

    def has_export_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("catalog.view_book") or request.user.has_perm("catalog.change_book")

    def export_view(self, request: HttpRequest) -> HttpResponseBase:
        if not self.has_export_permission(request):
            raise PermissionDenied
        asked = request.GET.copy()
        as_workbook = asked.pop("format", [""])[-1] == "xlsx"
        request.GET = asked  # type: ignore[assignment]  # the remaining parameters are those of the list
        try:
            books = self.get_changelist_instance(request).queryset  # type: ignore[attr-defined]  # a mixin, to mypy
        except IncorrectLookupParameters:
            return HttpResponseRedirect(f"{reverse('admin:catalog_book_changelist')}?{ERROR_FLAG}=1")
        name = f"books-{now():%Y-%m-%d}"
        if as_workbook:
            if books.order_by()[MAX_WORKBOOK:].exists():
                text = f"These are more than {MAX_WORKBOOK:,} books: export them as CSV, or choose fewer by a filter."
                messages.error(request, text)
                return HttpResponseRedirect(reverse("admin:catalog_book_changelist"))
            return WorkbookResponse(f"{name}.xlsx", each_book(books))
        return CsvResponse(f"{name}.csv", HEADINGS, each_book(books), quote_first=True)
