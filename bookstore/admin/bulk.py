"""Actions on many rows: a preview, then batches with a progress bar, on exactly the rows of the preview.

The rows are stored when the action is chosen (models.BulkAction), instead of in a thousand hidden fields. Each batch is
one transaction in one request; the page requests the next, and can be left and resumed. All batches are one event of
the history.
"""

import time
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.options import ModelAdmin
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.text import capfirst

from bookstore.admin.lists import MAX_SELECTED
from bookstore.admin.models import BulkAction
from bookstore.admin.refusals import in_staff_words
from bookstore.admin.verbs import BulkVerb, DeleteRows, shown_of
from bookstore.api.errors import ApiError
from bookstore.audit.actor import Actor
from bookstore.audit.recording import as_text, continue_event, record

BATCH = 200  # rows of one transaction; a verb that needs several queries for each row has its own
LONGEST = 1.0  # seconds after which a request starts no further batch
AT_ONCE = 100  # rows, ticked one by one, that are changed without a preview
PREVIEWED = 20  # rows
KEPT_REASONS = 100  # of skipped rows


class BulkActions(ModelAdmin):
    """Base of an admin whose `actions` are BulkVerbs."""

    actions: Any = (DeleteRows(),)

    def get_urls(self) -> list[Any]:
        name = f"{self.opts.app_label}_{self.opts.model_name}_bulk"
        return [path("bulk/<uuid:key>/", self.admin_site.admin_view(self.bulk_view), name=name), *super().get_urls()]

    def name_and_effects(self, row: Any) -> str:
        return str(row)

    def refused_deletions(self, request: HttpRequest, rows: Any) -> dict[int, str]:
        """The rows that must not be deleted, by id, with the reason for staff."""
        return {row.pk: "You may not delete it." for row in rows if not self.has_delete_permission(request, row)}

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """For the page that asks before one deletion: what goes with it, and why it may stay. Django's own would list
        each row that points to it, by the names of tables. Two queries.
        """
        rows = list(self.get_queryset(request).filter(pk__in=[row.pk for row in objs]))
        refused = self.refused_deletions(request, rows)
        held = [f"{row}: {refused[row.pk]}" for row in rows if row.pk in refused]
        told = [self.name_and_effects(row) for row in rows]
        return told, {self.opts.verbose_name_plural: len(rows)}, set(), held

    def verb_named(self, name: str) -> BulkVerb | None:
        return next((verb for verb in self.actions if verb.name == name), None)

    def may_do(self, request: HttpRequest, verb: BulkVerb) -> bool:
        return all(getattr(self, f"has_{permission}_permission")(request) for permission in verb.permissions)

    def begin_bulk(
        self, request: HttpRequest, verb: BulkVerb, queryset: Any, *, back: str | None = None
    ) -> HttpResponse | None:
        """Stores the chosen rows and redirects to the preview; changes a few rows at once. Two queries."""
        rows = [
            [pk, {name: as_text(value) for name, value in zip(verb.shows, shown, strict=True)}]
            for pk, *shown in queryset.order_by("pk").values_list("pk", *verb.shows)[: MAX_SELECTED + 1]
        ]
        if not rows:  # the books of a genre that has none, or rows that were deleted meanwhile
            messages.warning(
                request, f"Nothing was changed: there is no {self.opts.verbose_name} among what you chose."
            )
            return None
        if len(rows) > MAX_SELECTED:
            many = f"These are more than {MAX_SELECTED:,} {self.opts.verbose_name_plural}"
            messages.error(request, f"{many}: choose fewer by a filter. Nothing was changed.")
            return None
        ticked = request.POST.get("select_across", "0") in {"0", ""}
        at_once = ticked and not verb.always_asks and verb.form is None and len(rows) <= AT_ONCE
        action = BulkAction(
            actor_id=key_of(request),
            kind=self.opts.label_lower,
            verb=verb.name,
            parameters=None if verb.form else {},
            rows=rows,
            back=(request.META.get("QUERY_STRING", "") if back is None else back)[:2000],
        )
        if not at_once:
            action.save(force_insert=True)
            return HttpResponseRedirect(self.bulk_url(action))
        with transaction.atomic():
            while not action.is_over:
                self.run_batch(request, verb, action)
        self.tell_outcome(request, verb, action)
        return None

    def bulk_url(self, action: BulkAction) -> str:
        return reverse(f"admin:{action.kind.replace('.', '_')}_bulk", args=[action.pk])

    def list_url(self, action: BulkAction) -> str:
        address = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")
        return f"{address}?{action.back}" if action.back else address

    def bulk_view(self, request: HttpRequest, key: UUID) -> HttpResponse:
        """GET shows the preview or the progress; POST fills in the form, runs some batches, or cancels."""
        action = BulkAction.objects.filter(pk=key, actor_id=key_of(request), kind=self.opts.label_lower).first()
        verb = self.verb_named(action.verb) if action else None
        if action is None or verb is None:
            if not self.has_view_or_change_permission(request):
                raise PermissionDenied
            messages.warning(request, "This action is over, or somebody else's.")
            return HttpResponseRedirect(reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist"))
        if not self.may_do(request, verb):
            raise PermissionDenied
        form = verb.form(request.POST if request.POST.get("step") == "ask" else None) if verb.form else None
        if request.method == "POST":
            if request.POST.get("step") == "stop":
                return self.stop(request, verb, action)
            if form is not None and form.is_bound and form.is_valid() and not action.done:
                parameters = {name: as_parameter(value) for name, value in form.cleaned_data.items()}
                # Unless another tab has begun it, or ended it.
                BulkAction.objects.filter(pk=action.pk, done=0).update(parameters=parameters)
                return HttpResponseRedirect(self.bulk_url(action))
            if request.POST.get("step") == "run" and action.parameters is not None:
                return self.go_on(request, verb, action)
        return self.bulk_page(request, verb, action, form)

    def go_on(self, request: HttpRequest, verb: BulkVerb, action: BulkAction) -> HttpResponse:
        """Runs batches for about a second, at least one. Of two requests for the same batch only one runs it."""
        until = time.monotonic() + LONGEST
        begun = False
        try:
            while not action.is_over and not (begun and time.monotonic() > until):
                begun = True
                with transaction.atomic():
                    current = BulkAction.objects.select_for_update().filter(pk=action.pk).first()
                    if current is None or current.done != action.done:
                        return HttpResponseRedirect(self.bulk_url(action))
                    self.run_batch(request, verb, current)
                    current.save(update_fields=["done", "changed", "skipped", "number_skipped", "event"])
                action = current
        except ApiError as error:
            messages.error(request, f"Stopped after {action.done:,} rows: {in_staff_words(error)}")
            return HttpResponseRedirect(self.bulk_url(action))
        if not action.is_over:
            return HttpResponseRedirect(f"{self.bulk_url(action)}?on=1")
        return self.stop(request, verb, action)

    def stop(self, request: HttpRequest, verb: BulkVerb, action: BulkAction) -> HttpResponse:
        """Ends the action; reports the finished batches, which stay."""
        if action.done:
            self.tell_outcome(request, verb, action)
        BulkAction.objects.filter(pk=action.pk).delete()
        return HttpResponseRedirect(self.list_url(action))

    def run_batch(self, request: HttpRequest, verb: BulkVerb, action: BulkAction) -> None:
        """The next rows, locked by id, in the caller's transaction."""
        chunk = shown_of(action.rows[action.done : action.done + (verb.batch or BATCH)])
        verb.lock_first(action.parameters or {}, chunk.keys())
        locked = self.model._default_manager.select_for_update(no_key=True, of=("self",)).filter(pk__in=chunk)
        rows = list(locked.order_by("pk"))
        outcome = verb.run(self, request, rows, chunk, action.parameters or {})
        gone = len(chunk) - len(rows)
        skipped = [*outcome.skipped, *[("", "It was deleted meanwhile.")] * gone]
        if outcome.changes:
            action.changed += len(outcome.changes)
            if action.event is None:
                action.event = record(Actor.of_admin(request), self.done_words(verb, action), outcome.changes)
            else:
                continue_event(action.event, outcome.changes, self.done_words(verb, action))
        action.done += len(chunk)
        action.number_skipped += len(skipped)
        action.skipped = [*action.skipped, *skipped][:KEPT_REASONS]

    def done_words(self, verb: BulkVerb, action: BulkAction) -> str:
        return verb.done.format(self.counted(action.changed), **(action.parameters or {}))

    def counted(self, number: int) -> str:
        return f"{number:,} {self.opts.verbose_name if number == 1 else self.opts.verbose_name_plural}"

    def tell_outcome(self, request: HttpRequest, verb: BulkVerb, action: BulkAction) -> None:
        if action.changed:
            messages.success(request, self.done_words(verb, action))
        elif not action.number_skipped:
            messages.info(request, "Nothing had to be changed.")
        if action.number_skipped:
            told = [f"“{name}”: {reason}" if name else reason for name, reason in action.skipped[:3]]
            more = "" if action.number_skipped <= len(told) else " …"
            messages.warning(request, f"Left {self.counted(action.number_skipped)} alone. {' '.join(told)}{more}")

    def bulk_page(self, request: HttpRequest, verb: BulkVerb, action: BulkAction, form: Any) -> HttpResponse:
        asking = form is not None and (action.parameters is None or form.is_bound)
        keys = [pk for pk, _ in action.rows[action.done : action.done + PREVIEWED]]
        found = self.get_queryset(request).in_bulk(keys)
        rows = [found[pk] for pk in keys if pk in found]
        context = {
            **self.admin_site.each_context(request),
            "title": capfirst(verb.title % {"verbose_name_plural": self.opts.verbose_name_plural}),
            "subtitle": None,
            "opts": self.opts,
            "action": action,
            "form": form,
            "asking": asking,
            "names": [str(row) for row in rows] if asking else [],
            "preview": [] if asking else verb.preview(self, request, rows, action.parameters),
            "counted": self.counted(len(action.rows)),
            "more": len(action.rows) - action.done - len(rows),
            "percent": 100 * action.done // max(len(action.rows), 1),
            "goes_on": "on" in request.GET,
            "back": self.list_url(action),
            "dangerous": isinstance(verb, DeleteRows),
            "media": self.media + (form.media if form else self.media),
            "checkbox": ACTION_CHECKBOX_NAME,
        }
        request.current_app = self.admin_site.name  # as Django's own views do
        return TemplateResponse(request, "admin/bulk_action.html", context)


def key_of(request: HttpRequest) -> int:
    """The id of the action's user. Only staff reach this."""
    return request.user.pk or 0


def as_parameter(value: Any) -> Any:
    """A cleaned value as JSON: the id of an object, a decimal as text."""
    if hasattr(value, "pk"):
        return value.pk
    return value if isinstance(value, int | str | bool) or value is None else str(value)
