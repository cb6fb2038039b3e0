"""The history in the admin: a searchable list of events, a page with the changes of each, and both as CSV."""

import csv
from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.urls import NoReverseMatch, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst

from bookstore.admin.lists import BoundedList, is_id
from bookstore.audit.models import AuditChange, AuditEvent, Channel

MAX_FOUND = 2_000  # changes found by the name of an object
SHOWN = 200  # changes on the page of an event; the file has all
MAX_EXPORTED = 100_000  # changes of one file
BATCH = 1_000  # events of one query of an export
COLUMNS = ("when", "who", "by", "from", "event", "kind", "id", "name", "done", "field", "old", "new")
RISKY = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet would take the cell for a formula


class KindFilter(admin.SimpleListFilter):
    title = "what was changed"
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        models = filter(model_admin.admin_site.is_registered, apps.get_models())
        return sorted((model._meta.label_lower, str(model._meta.verbose_name_plural)) for model in models)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(kind=self.value()) if self.value() else queryset


class ChannelFilter(admin.SimpleListFilter):
    title = "way in"
    parameter_name = "by"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(value, capfirst(str(label))) for value, label in Channel.choices]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(channel=self.value()) if self.value() else queryset


class ObjectFilter(admin.SimpleListFilter):
    """Events that changed one object, `catalog.book:42`. Has no choices: other pages link to it."""

    title = "object"
    parameter_name = "object"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        chosen = request.GET.get(self.parameter_name, "")[:100]
        return [(chosen, chosen.replace(":", " "))] if chosen else []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if not self.value():
            return queryset
        kind, _, key = (self.value() or "").partition(":")
        if not is_id(key):
            raise IncorrectLookupParameters
        found = AuditChange.objects.of_object(kind, int(key)).values_list("event_id", flat=True)
        return queryset.filter(pk__in=list(found[:MAX_FOUND]))


@admin.register(AuditEvent)
class AuditEventAdmin(BoundedList):
    """Events are read-only; `manage.py clean_up` deletes those older than AUDIT_DAYS."""

    list_display = ("when", "actor", "what", "number_of_changes", "channel", "address")
    list_display_links = ("when",)
    list_filter = (KindFilter, ChannelFilter, ObjectFilter)
    ordering = ("-id",)
    sortable_by = ()
    search_fields = ("actor",)  # shows the box; get_search_results says what is searched
    search_help_text = "Beginning of the email of who did it, or of the title, name or email of what was changed"
    change_form_template = "admin/audit/event.html"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description="when (UTC)")
    def when(self, event: AuditEvent) -> str:
        return f"{event.at:%Y-%m-%d %H:%M:%S}"

    @admin.display(description="what")
    def what(self, event: AuditEvent) -> SafeString:
        return format_html('<span class="audit-what">{}</span>', event.summary)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Searches by two indexes: of actors, and of names of changed objects. One query more."""
        text = search_term.strip().casefold()
        if not text:
            return queryset, False
        named = AuditChange.objects.filter(name_folded__startswith=text).order_by("-id")
        events = list(named.values_list("event_id", flat=True)[:MAX_FOUND])
        return queryset.filter(Q(actor__startswith=text) | Q(pk__in=events)), False

    def get_urls(self) -> list[Any]:
        return [
            path("export/", self.admin_site.admin_view(self.export), name="audit_auditevent_export"),
            path("<int:event_id>/export/", self.admin_site.admin_view(self.export), name="audit_auditevent_rows"),
            *super().get_urls(),
        ]

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        """The page of an event. Four queries."""
        changes = []
        if is_id(object_id):
            changes = list(AuditChange.objects.filter(event=int(object_id)).order_by("pk")[: SHOWN + 1])
        for change in changes:
            change.url = history_url(change)  # type: ignore[attr-defined]  # the template reads it
        shown = {"changes": changes[:SHOWN], "is_cut": len(changes) > SHOWN, "title": "Event"}
        return super().change_view(request, object_id, form_url, {**shown, **(extra_context or {})})

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """An event has no history of its own."""
        return HttpResponseRedirect(reverse("admin:audit_auditevent_changelist"))

    def export(self, request: HttpRequest, event_id: int | None = None) -> Any:
        """Streams CSV: one event, or the events of the list with its search and filters, newest first."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if event_id is not None:
            events: list[int] = [event_id] if AuditEvent.objects.filter(pk=event_id).exists() else []
            if not events:
                raise Http404
        else:
            try:
                found = self.get_changelist_instance(request).queryset.values_list("pk", flat=True)
                events = list(found[:MAX_EXPORTED])
            except IncorrectLookupParameters:
                return HttpResponseRedirect(reverse("admin:audit_auditevent_changelist"))
        answer = StreamingHttpResponse(lines(events), content_type="text/csv; charset=utf-8")
        answer.headers["Content-Disposition"] = 'attachment; filename="history.csv"'
        return answer


def history_url(change: AuditChange) -> str:
    try:
        return reverse(f"admin:{change.kind.replace('.', '_')}_history", args=[change.object_id])
    except NoReverseMatch:  # the model has no admin pages
        return ""


class Echo:
    """A file for the csv module: `write` returns the line."""

    def write(self, line: str) -> str:
        return line


def lines(events: list[int]) -> Iterator[str]:
    """The lines of the file: at most MAX_EXPORTED changes. One query for each BATCH of events."""
    writer = csv.writer(Echo())
    yield "\ufeff" + writer.writerow(COLUMNS)
    written = 0
    for start in range(0, len(events), BATCH):
        found = AuditChange.objects.filter(event__in=events[start : start + BATCH]).select_related("event")
        for change in found.order_by("-event_id", "pk").iterator(BATCH):
            written += 1
            if written > MAX_EXPORTED:
                yield writer.writerow([f"Cut after {MAX_EXPORTED:,} changes: filter the list and export again."])
                return
            for field in change.differences or [("", "", "")]:
                yield writer.writerow([as_cell(value) for value in (*head_of(change), *field)])


def head_of(change: AuditChange) -> tuple[Any, ...]:
    event = change.event
    when = event.at.strftime("%Y-%m-%d %H:%M:%S")
    who = (when, event.actor, event.get_channel_display(), event.address, event.summary)
    return (*who, change.kind, change.object_id, change.name, change.get_action_display())


def as_cell(value: Any) -> str:
    """A text that a spreadsheet would execute gets an apostrophe before it."""
    text = str(value)
    return f"'{text}" if text.startswith(RISKY) else text
