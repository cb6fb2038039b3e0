"""Records changes by admin pages in the history, and shows them on the object's history page."""

from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.contrib.admin.options import ModelAdmin
from django.contrib.admin.utils import unquote
from django.core.exceptions import FieldDoesNotExist, PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.text import capfirst

from bookstore.admin.lists import is_id
from bookstore.audit.actor import Actor
from bookstore.audit.models import AuditChange
from bookstore.audit.recording import Differences, added, changed, deleted, in_words, record

SHOWN = 200  # changes of one object on its history page; the list of events has all


class Recorded(ModelAdmin):
    """Mixin that replaces Django's log, whose rows are deleted with the member of staff."""

    def construct_change_message(  # type: ignore[override]  # Django hands it from one of these to the next
        self, request: HttpRequest, form: Any, formsets: Any, add: bool = False
    ) -> Differences:
        """The old and new value of each field that this form changed; Django passes it to `log_change`."""
        return differences_of(form)

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        record(Actor.of_admin(request), f"Added the {self.opts.verbose_name} “{obj}”.", [added(obj)])

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """`message` has the differences, or one sentence."""
        if isinstance(message, str):
            summary = f"{self.opts.verbose_name} “{obj}”: {message}"
            record(Actor.of_admin(request), summary[:1].upper() + summary[1:], [changed(obj, {})])
        elif message:
            summary = f"Changed {in_words(obj, message)} of the {self.opts.verbose_name} “{obj}”."
            record(Actor.of_admin(request), summary, [changed(obj, message)])

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        rows = list(queryset)
        if not rows:
            return
        summary = (
            f"Deleted the {self.opts.verbose_name} “{rows[0]}”."
            if len(rows) == 1
            else f"Deleted {len(rows):,} {self.opts.verbose_name_plural}."
        )
        record(Actor.of_admin(request), summary, [deleted(row) for row in rows])

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Also for a deleted object, with the view permission on its model. Two queries and those of the page."""
        key = unquote(object_id)
        obj = self.get_object(request, key)
        if not self.has_view_or_change_permission(request, obj):
            raise PermissionDenied
        changes: list[AuditChange] = []
        if is_id(key):
            found = AuditChange.objects.of_object(self.opts.label_lower, int(key))
            changes = list(found[: SHOWN + 1])
        if obj is None and not changes:
            messages.warning(request, f"There is no such {self.opts.verbose_name}, and its history is not known.")
            return HttpResponseRedirect(reverse("admin:index"))
        name = str(obj or changes[0].name)
        context = {
            **self.admin_site.each_context(request),
            "title": f"History of “{name}”",
            "subtitle": None,
            "changes": changes[:SHOWN],
            "is_cut": len(changes) > SHOWN,
            "module_name": str(capfirst(self.opts.verbose_name_plural)),
            "object": obj,
            "name": name,
            "opts": self.opts,
            **(extra_context or {}),
        }
        request.current_app = self.admin_site.name  # as Django's own views do
        return TemplateResponse(request, "admin/object_history.html", context)


def differences_of(form: Any) -> Differences:
    """(from, to) of each field that this saved form changed; the values of a foreign key are ids."""
    found: Differences = {}
    for name in form.changed_data:
        try:
            field = form.instance._meta.get_field(name) if hasattr(form, "instance") else None
        except FieldDoesNotExist:
            field = None
        if field is None:
            found[name] = (None, None)
        elif field.many_to_many:
            found[name] = (names(form.initial.get(name) or ()), names(getattr(form.instance, name).all()))
        else:
            found[name] = (form.initial.get(name), getattr(form.instance, field.attname))
    return {name: pair for name, pair in found.items() if pair[0] != pair[1] or name == "password"}


def names(rows: Iterable[Model]) -> str:
    return ", ".join(sorted(str(row) for row in rows))
