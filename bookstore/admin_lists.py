"""Lists of the admin that stay quick however long their table is: nothing counts or reads to its end."""

from typing import Any, ClassVar

from django.contrib.admin.options import IncorrectLookupParameters, ShowFacets
from django.contrib.admin.views.main import ChangeList
from django.core.paginator import InvalidPage
from django.http import HttpRequest

MAX_LISTED = 5_000  # rows of one list; what lies beyond is reached by searching, filtering, or sorting the other way


class BoundedChangeList(ChangeList):
    """Asks for the keys of the first MAX_LISTED rows, and then for the rows of one page. Two queries, no COUNT.

    Django's own counts every row that matches and, for a list of one page, asks the whole question twice.
    """

    is_cut = False
    max_listed = MAX_LISTED

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


class BoundedList:
    """For a ModelAdmin whose table may grow without end."""

    list_per_page: ClassVar[int] = 50
    show_full_result_count = False
    show_facets = ShowFacets.NEVER  # each choice of each filter would count all rows

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return BoundedChangeList
