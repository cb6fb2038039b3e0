"""Pages of the admin that write what somebody touched on them, and only into a row that is still there."""

from typing import Any

from django.db import transaction
from django.db.models import Field, Model
from django.http import HttpRequest

from bookstore.admin.refusals import hold


class TouchedFieldsOnly:
    """For a ModelAdmin. Django's writes every field as the page showed it, over what a colleague changed since.

    And where the row was deleted meanwhile, Django's `save()` makes it anew.
    """

    opts: Any

    def formfield_for_dbfield(self, db_field: "Field[Any, Any]", request: HttpRequest, **kwargs: Any) -> Any:
        """Each field knows what the page showed."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)  # type: ignore[misc]
        if field is not None:
            field.show_hidden_initial = True
        return field

    def save_model(self, request: HttpRequest, obj: Model, form: Any, change: bool) -> None:
        if not change:
            super().save_model(request, obj, form, change)  # type: ignore[misc]
            return
        columns = {field.name for field in self.opts.concrete_fields}
        with transaction.atomic():
            hold(obj)
            obj.save(update_fields=[name for name in form.changed_data if name in columns])

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Of many-to-many fields, too: what was chosen anew is added, what was taken out is removed, the rest stays."""
        if not change:
            super().save_related(request, form, formsets, change)  # type: ignore[misc]
            return
        for field in self.opts.many_to_many:
            if field.name in form.changed_data:
                links = getattr(form.instance, field.name)
                shown = set(form.data.getlist(form[field.name].html_initial_name))
                chosen = {str(row.pk): row for row in form.cleaned_data[field.name]}
                links.add(*(row for key, row in chosen.items() if key not in shown))
                links.remove(*(row for row in links.all() if str(row.pk) in shown - set(chosen)))
        for formset in formsets:
            self.save_formset(request, form, formset, change=change)  # type: ignore[attr-defined]
