"""Admin pages that write only the changed fields, and only into an existing row."""

from typing import Any

from django.contrib import messages
from django.contrib.admin.options import ModelAdmin
from django.contrib.admin.utils import unquote
from django.db import transaction
from django.db.models import Field
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from bookstore.admin.conflicts import who_deleted
from bookstore.admin.lists import is_id
from bookstore.admin.refusals import lock_or_refuse
from bookstore.admin.wording import put_in_words


class TouchedFieldsOnly(ModelAdmin):
    """Writes only changed fields. Django writes every field as the page showed it, over a colleague's changes.

    A row that was deleted meanwhile stays deleted, where Django's `save()` would insert it again. A form derived from
    conflicts.RefusesConflicts refuses a field that two people changed.
    """

    def formfield_for_dbfield(self, db_field: "Field[Any, Any]", request: HttpRequest, **kwargs: Any) -> Any:
        """Adds a hidden input with the shown value to each field, and words for its errors."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None:
            field.show_hidden_initial = True
            put_in_words(field, db_field.validators)
        return field

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Locks the row before Django reads it, so that the form compares with the current values until it saves."""
        key = unquote(object_id) if object_id else ""
        if request.method != "POST" or not is_id(key) or not self.has_change_permission(request):
            return super().changeform_view(request, object_id, form_url, extra_context)
        with transaction.atomic():
            if not self.lock_for_saving(request, int(key)):
                messages.error(request, f"{who_deleted(self.model, int(key))} Nothing was changed.")
                return HttpResponseRedirect(reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist"))
            return super().changeform_view(request, object_id, form_url, extra_context)

    def lock_for_saving(self, request: HttpRequest, key: int) -> bool:
        """Locks the row that this POST changes, and returns whether there is one. One query.

        Override it to lock referenced rows first.
        """
        return bool(self.model._base_manager.select_for_update(no_key=True).filter(pk=key).values_list("pk"))

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if not change:
            super().save_model(request, obj, form, change)
            return
        columns = {field.name for field in self.opts.concrete_fields}
        with transaction.atomic():
            lock_or_refuse(obj)
            obj.save(update_fields=[name for name in form.changed_data if name in columns])

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Writes only the changes of many-to-many fields, too: adds and removes what this form changed."""
        if not change:
            super().save_related(request, form, formsets, change)
            return
        for field in self.opts.many_to_many:
            if field.name in form.changed_data:
                links = getattr(form.instance, field.name)
                shown = set(form.data.getlist(form[field.name].html_initial_name))
                chosen = {str(row.pk): row for row in form.cleaned_data[field.name]}
                links.add(*(row for key, row in chosen.items() if key not in shown))
                links.remove(*(row for row in links.all() if str(row.pk) in shown - set(chosen)))
        for formset in formsets:
            self.save_formset(request, form, formset, change=change)
