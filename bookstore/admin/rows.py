"""Editing rows in a list: each row is bound to its object by id and by the shown values, and is saved separately.

Django binds the inputs of a list to the rows at the same position of the current list: after an error, when a colleague
has added or deleted a row, a number typed beside one title is saved to another. Here valid rows are saved; only the
others are shown again, with the reason beside each.
"""

import copy
import re
from collections import defaultdict
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponseRedirect, QueryDict

from bookstore.admin.conflicts import RefusesConflicts, who_deleted
from bookstore.admin.history import differences_of
from bookstore.admin.lists import is_id
from bookstore.admin.refusals import in_staff_words
from bookstore.admin.saving import TouchedFieldsOnly
from bookstore.api.errors import ApiError
from bookstore.audit.actor import Actor
from bookstore.audit.models import AuditChange
from bookstore.audit.recording import changed, record

POSTED = re.compile(r"(initial-)?form-([0-9]{1,6})-(.+)", re.DOTALL)
SPARE_FIELDS = 50  # fields of a form beside those of its rows


class RowForm(RefusesConflicts, forms.ModelForm):
    """One row of a list."""


class EditableRows(TouchedFieldsOnly):
    """For an admin with `list_editable`."""

    @property
    def list_max_show_all(self) -> int:  # type: ignore[override]  # Django only reads it
        """Rows of "Show all": bounded by Django's limit of fields in a form. A row has its id, a tick, and inputs."""
        fields = 2 + 2 * len(self.list_editable)
        limit: int = settings.DATA_UPLOAD_MAX_NUMBER_FIELDS
        return (limit - SPARE_FIELDS) // fields

    def get_changelist_form(self, request: HttpRequest, **kwargs: Any) -> Any:
        return super().get_changelist_form(request, **{"form": RowForm, **kwargs})

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        if request.method == "POST" and "_save" in request.POST and self.has_change_permission(request):
            return self.save_rows(request, extra_context)
        return super().changelist_view(request, extra_context)

    def save_rows(self, request: HttpRequest, extra_context: dict[str, Any] | None) -> Any:
        """Saves the valid rows and shows the others again. One transaction, which locks the rows by id."""
        with transaction.atomic():
            formset, gone = self.bind_rows(request)
            written: list[AuditChange] = []
            refused = [
                form for form in formset.forms if form.has_changed() and not self.save_row(request, form, written)
            ]
            if written:
                many = self.opts.verbose_name if len(written) == 1 else self.opts.verbose_name_plural
                summary = f"Changed {len(written)} {many} in the list."
                record(Actor.of_admin(request), summary, written)
                told = f"{len(written)} {many} {'was' if len(written) == 1 else 'were'} changed successfully."
                messages.success(request, told)
        for key in gone:
            messages.error(request, f"{who_deleted(self.model, key)} Nothing was written to it.")
        if not refused:
            return HttpResponseRedirect(request.get_full_path())
        return self.show_refused(request, formset, refused, extra_context)

    def bind_rows(self, request: HttpRequest) -> tuple[Any, list[int]]:
        """A formset of the rows that still exist, locked; and the ids of edited rows that were deleted.

        Ignores forms without a valid id: no browser sends them.
        """
        posted: dict[int, dict[str, list[str]]] = defaultdict(dict)
        for name in request.POST:
            if found := POSTED.fullmatch(name):
                initial, number, rest = found.groups()
                posted[int(number)][f"{initial or ''}form-{{}}-{rest}"] = request.POST.getlist(name)
        keys = {number: (row.get("form-{}-id") or [""])[-1] for number, row in posted.items()}
        wanted = {number: int(key) for number, key in keys.items() if is_id(key)}
        rows = self.model._base_manager.select_for_update(no_key=True).filter(pk__in=wanted.values())
        there = set(rows.order_by("pk").values_list("pk", flat=True))
        data = QueryDict(mutable=True)
        kept = [number for number, key in wanted.items() if key in there]
        for place, number in enumerate(kept):
            for name, values in posted[number].items():
                data.setlist(name.format(place), values)
        data["form-TOTAL_FORMS"] = data["form-INITIAL_FORMS"] = str(len(kept))
        formset = self.get_changelist_formset(request)(
            data, queryset=self.get_queryset(request).filter(pk__in=[wanted[number] for number in kept])
        )
        gone = [key for number, key in wanted.items() if key not in there and was_edited(posted[number])]
        return formset, gone

    def save_row(self, request: HttpRequest, form: Any, written: list[AuditChange]) -> bool:
        """Returns whether the row was saved. If not, the form has the errors."""
        if not form.is_valid():
            return False
        try:
            with transaction.atomic():
                obj = self.save_form(request, form, change=True)
                self.save_model(request, obj, form, change=True)
                self.save_related(request, form, formsets=[], change=True)
        except ApiError as error:
            form.add_error(None, in_staff_words(error))
            return False
        if differences := differences_of(form):
            written.append(changed(obj, differences))
        return True

    def show_refused(
        self, request: HttpRequest, formset: Any, refused: list[Any], extra_context: dict[str, Any] | None
    ) -> Any:
        """The list with only the refused rows, as typed, with the reason beside each."""
        looking = copy.copy(request)
        looking.method = "GET"
        answer: Any = super().changelist_view(looking, extra_context)
        if not hasattr(answer, "context_data"):  # a redirect, because of an invalid filter
            return answer
        formset.forms, formset._errors = refused, [form.errors for form in refused]
        changelist = answer.context_data["cl"]
        changelist.formset = formset
        changelist.result_list = [form.instance for form in refused]
        changelist.result_count = len(refused)
        changelist.multi_page = changelist.can_show_all = changelist.is_cut = False
        number = "This row was" if len(refused) == 1 else f"These {len(refused)} rows were"
        answer.context_data["refused_rows"] = f"{number} not saved. Every other row that you changed is."
        return answer


def was_edited(row: dict[str, list[str]]) -> bool:
    """Whether a row's inputs differ from the shown values, compared as texts."""
    shown = {name.removeprefix("initial-"): values for name, values in row.items() if name.startswith("initial-")}
    return any(
        row.get(name, ["False"]) != values and not same_flag(row.get(name), values) for name, values in shown.items()
    )


def same_flag(typed: list[str] | None, shown: list[str]) -> bool:
    """Compares a checkbox: a tick is sent as "on", and was shown as "True"."""
    return typed == ["on"] and shown == ["True"]
