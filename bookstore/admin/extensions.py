"""Extensions of another app's admin pages: columns, fields, and effects of a deletion.

The owner of the page and its extensions do not import each other: an app registers an Extension in its admin module,
`extend(Book, InCarts())`. The owner's ModelAdmin derives from Extensible.
"""

from collections import defaultdict
from collections.abc import Callable
from typing import Any, NamedTuple

from django.contrib.admin.options import ModelAdmin
from django.db.models import Model, QuerySet
from django.http import HttpRequest


class Column(NamedTuple):
    """A column of the list: a function of the row, decorated with `admin.display`, and the column that it follows."""

    function: Callable[[Any], Any]
    after: str


class Fieldset(NamedTuple):
    """A group of read-only fields on the page of one object: its title, functions of the object, and its place."""

    title: str
    functions: tuple[Callable[[Any], Any], ...]
    place: int


class Extension:
    """Override the methods that you need; `request.user` is the member of staff."""

    def rows(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """The page's query with what the columns need."""
        return rows

    def columns(self, request: HttpRequest) -> list[Column]:
        return []

    def fieldsets(self, request: HttpRequest) -> list[Fieldset]:
        return []

    def deletion_effects(self, row: Any) -> str:
        """The effects of a deletion, after the object's name: "which leaves 3 carts". The row comes from `rows`."""
        return ""


_extensions: dict[type[Model], list[Extension]] = defaultdict(list)


def extend(model: type[Model], extension: Extension) -> None:
    """Adds to the admin pages of this model."""
    _extensions[model].append(extension)


class Extensible(ModelAdmin):
    """Base of an admin whose pages other apps may extend."""

    @property
    def extensions(self) -> list[Extension]:
        return _extensions[self.model]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request)
        for extension in self.extensions:
            rows = extension.rows(rows)
        return rows

    def get_list_display(self, request: HttpRequest) -> Any:
        shown: list[Any] = list(super().get_list_display(request))
        for extension in self.extensions:
            for column in extension.columns(request):
                place = shown.index(column.after) + 1 if column.after in shown else len(shown)
                shown.insert(place, column.function)
        return shown

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        added = [function for group in self.added_fieldsets(request, obj) for function in group.functions]
        return [*super().get_readonly_fields(request, obj), *added]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        shown: list[Any] = list(super().get_fieldsets(request, obj))
        for group in self.added_fieldsets(request, obj):
            shown.insert(group.place, (group.title, {"fields": group.functions}))
        return shown

    def added_fieldsets(self, request: HttpRequest, obj: Any) -> list[Fieldset]:
        """None on the page that adds an object."""
        return [] if obj is None else [group for one in self.extensions for group in one.fieldsets(request)]

    def name_and_effects(self, row: Any) -> str:
        """The object's name and the effects of its deletion."""
        said = [extension.deletion_effects(row) for extension in self.extensions]
        return ", ".join([str(row), *(text for text in said if text)])
