"""Lists of the admin at a bounded cost for any size of the table: no query counts or reads all rows."""

from typing import Any, ClassVar

from django.contrib import messages
from django.contrib.admin.filters import SimpleListFilter
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.options import IncorrectLookupParameters, ModelAdmin, ShowFacets
from django.contrib.admin.views.main import ERROR_FLAG, ChangeList
from django.core.paginator import InvalidPage
from django.db import DataError
from django.db.models import BigIntegerField, Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

MAX_LISTED = 5_000  # rows of one list; others are found by searching, filtering or sorting
MAX_SELECTED = 100_000  # rows of one action
MAX_SEARCH = 254  # characters of a search: the longest email
MAX_SEARCH_WORDS = 20  # each word is one more condition of the statement
NOTHING_TICKED = "Nothing was done: tick the rows first, then choose what to do with them."


class BoundedChangeList(ChangeList):
    """Reads the ids of the first MAX_LISTED rows, then the rows of one page. Two queries, no COUNT.

    Django's own counts all matching rows, and runs the query of a list with one page twice.
    """

    is_cut = False
    max_listed = MAX_LISTED
    max_selected = MAX_SELECTED
    selectable = 0  # rows of "select all"; 0 when there are too many

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        """Raises IncorrectLookupParameters, for which the view redirects to the whole list."""
        try:
            super().__init__(request, *args, **kwargs)
        except (ValueError, OverflowError, DataError) as error:
            if request.GET.keys() <= {ERROR_FLAG}:
                raise  # not caused by a parameter: a bug
            raise IncorrectLookupParameters from error

    def get_queryset(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        searched = bounded_search(self.query)
        if searched != self.query:
            note(request, f"Only this was searched: {searched}")
            self.query = searched
        return super().get_queryset(request, *args, **kwargs)

    def get_filters(self, request: HttpRequest) -> Any:
        """Refuses look-ups other than those of the filters: Django would run any, also without an index, or with an
        error."""
        answer = super().get_filters(request)
        nobodys = answer[2]
        if nobodys:
            raise IncorrectLookupParameters(f"no filter of this list asks for {', '.join(nobodys)}")
        return answer

    def get_results(self, request: HttpRequest) -> None:
        keys: Any = list(self.queryset.values_list("pk", flat=True)[: MAX_LISTED + 1])
        self.is_cut = len(keys) > MAX_LISTED
        keys = keys[:MAX_LISTED]
        paginator = self.model_admin.get_paginator(request, keys, self.list_per_page)
        self.can_show_all = len(keys) <= self.list_max_show_all
        self.multi_page = len(keys) > self.list_per_page
        if not (self.show_all and self.can_show_all):
            try:
                keys = list(paginator.page(self.page_num).object_list)
            except InvalidPage as error:
                raise IncorrectLookupParameters from error
        rows: Any = self.root_queryset.filter(pk__in=keys)
        rows = self.apply_select_related(rows) if not rows.query.select_related else rows
        self.result_list = rows.order_by(*self.queryset.query.order_by)
        self.result_count = paginator.count
        self.paginator = paginator
        self.show_full_result_count = False
        self.full_result_count = None
        self.show_admin_actions = True
        self.selectable = self.result_count
        if self.is_cut and self.model_admin.get_actions(request):
            number = self.queryset.order_by()[: MAX_SELECTED + 1].count()
            self.selectable = number if number <= MAX_SELECTED else 0


class BoundedList(ModelAdmin):
    """Base of an admin for a large table, with bounded queries."""

    list_per_page: ClassVar[int] = 50
    show_full_result_count = False
    show_facets = ShowFacets.NEVER  # each choice of each filter would count all rows

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return BoundedChangeList

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """An action without a ticked row says so in the shop's words: Django's own text cannot be set."""
        action = "index" in request.POST and "_save" not in request.POST and self.get_actions(request)
        if action and not request.POST.getlist(ACTION_CHECKBOX_NAME):
            messages.warning(request, NOTHING_TICKED)
            return HttpResponseRedirect(request.get_full_path())
        return super().changelist_view(request, extra_context)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """Ignores an empty `?_to_field=`, for which Django would look up a field named ""."""
        return super().get_object(request, object_id, from_field or None)

    def response_action(self, request: HttpRequest, queryset: Any, *args: Any, **kwargs: Any) -> HttpResponse | None:
        """Refuses malformed ids, for which Django's query would raise."""
        if not all(is_id(value) for value in request.POST.getlist(ACTION_CHECKBOX_NAME)):
            messages.error(request, "Nothing was done: the form names a row that cannot be.")
            return None
        answer: HttpResponse | None = super().response_action(request, queryset, *args, **kwargs)
        return answer


def is_id(value: str) -> bool:
    """Whether a text of a form can be the id of a row."""
    return value.isascii() and value.isdigit() and len(value) < 20 and int(value) <= BigIntegerField.MAX_BIGINT


class LinkedFilter(SimpleListFilter):
    """Rows that belong to one row of `model`, which is named by its column `shown`. It offers no choices: other pages
    link to it. One query.
    """

    model: ClassVar[type[Model]]
    shown: ClassVar[str]

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        chosen = request.GET.get(self.parameter_name or "", "")
        rows = self.model._default_manager.values_list(self.shown, flat=True)
        name = rows.filter(pk=chosen).first() if is_id(chosen) else None
        return [(chosen, name or f"No {self.title} has the id {chosen[:20]}")] if chosen else []


def bounded_search(text: str) -> str:
    """The text of a search, cut to MAX_SEARCH characters and MAX_SEARCH_WORDS words."""
    if len(text) <= MAX_SEARCH and len(text.split()) <= MAX_SEARCH_WORDS:
        return text
    return " ".join(text[:MAX_SEARCH].split()[:MAX_SEARCH_WORDS])


def note(request: HttpRequest, text: str) -> None:
    """Puts a line above the list, once."""
    notes: list[str] = request.__dict__.setdefault("notes_on_list", [])
    if text not in notes:
        notes.append(text)
