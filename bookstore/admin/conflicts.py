"""Optimistic locking of admin pages: a field that two people changed is refused with both values, and by whom.

Other fields are merged, because a form writes only changed fields (saving.py). The view locks the row before the form
is made, so that the comparison is with the current values.
"""

from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Model
from django.forms.models import ModelChoiceField, ModelMultipleChoiceField

from bookstore.admin.lists import is_id
from bookstore.audit.models import Action, AuditChange

LOOKED_THROUGH = 20  # changes of one object in which the one of a field is searched
MAX_TEXT = 120  # characters of a value in a message


class RefusesConflicts:
    """Mixin for a ModelForm whose fields carry the shown values (`show_hidden_initial`)."""

    # Numbers that others increase and decrease all the time, as orders do with a stock. A refused edit is offered again
    # as its difference, on top of the current number.
    counted: tuple[str, ...] = ()

    def clean(self) -> Any:
        cleaned = super().clean()  # type: ignore[misc]  # a mixin, to mypy
        form: Any = self
        if form.instance.pk is None:
            return cleaned
        for name in form.changed_data:
            field, bound = form.fields[name], form[name]
            if isinstance(field, ModelMultipleChoiceField) or bound.html_initial_name not in form.data:
                continue
            shown, typed, now = form.data.get(bound.html_initial_name), bound.data, bound.initial
            # In a counted field the same new number may be two changes: 5 became 4 by a sale, and by this edit.
            if differs(field, now, shown) and (name in self.counted or differs(field, now, typed)):
                form.data = form.data.copy()
                kept = with_difference(form.instance, name, shown, typed, now) if name in self.counted else None
                told = conflict(form.instance, name, field, shown=shown, typed=typed, now=now, kept=kept)
                form.add_error(name, told)
                if kept is not None:
                    form.data[bound.html_name] = str(kept)
                # The refused page shows the other value, so saving it again overwrites that value.
                form.data[bound.html_initial_name] = "" if now is None else str(field.prepare_value(now))
        return cleaned


def differs(field: Any, now: Any, sent: Any) -> bool:
    """Whether a value from a form differs from the database's. Browsers send CR LF for a new line."""
    if isinstance(now, str):
        now = now.replace("\r\n", "\n")
    if isinstance(sent, str):
        sent = sent.replace("\r\n", "\n")
    try:
        return bool(field.has_changed(now, sent))
    except (ValueError, TypeError):
        return True


def with_difference(row: Model, name: str, shown: Any, typed: Any, now: int) -> int | None:
    """The current number plus the difference of the edit; None if the model refuses it."""
    try:
        number: int = now + int(typed) - int(shown)
        field: Any = row._meta.get_field(name)
        field.run_validators(number)
    except (ValueError, TypeError, ValidationError):
        return None
    return number


def conflict(row: Model, name: str, field: Any, *, shown: Any, typed: Any, now: Any, kept: int | None = None) -> str:
    """One sentence for each of the three values, and what is filled in (`kept`, else what was typed).

    One query, two for a foreign key.
    """
    said = {"was": shown, "is": now, "typed": typed}
    texts = {key: text_of(field, value) for key, value in said.items()}
    return (
        f"Not saved, because {who_changed(row, name)} meanwhile: this page showed {texts['was']}, it is "
        f"{texts['is']} now, and you wrote {texts['typed']}. "
        + (
            "Save again to write yours."
            if kept is None
            else f"Save again to write “{kept}”: your change of {kept - now:+}, on top of what it is now."
        )
    )


def text_of(field: Any, value: Any) -> str:
    if value in (None, ""):
        return "nothing"
    if isinstance(field, ModelChoiceField) and field.queryset is not None:
        chosen = field.queryset.filter(pk=value).first() if is_id(str(value)) else None
        return f"“{chosen or value}”"
    text = str(value)
    return f"“{text[:MAX_TEXT]}{'…' * (len(text) > MAX_TEXT)}”"


def who_changed(row: Model, name: str) -> str:
    """ "bob@example.com changed it at 14:03 UTC", by the history; "it was changed" if that has no entry. One query."""
    for change in AuditChange.objects.of(row)[:LOOKED_THROUGH]:
        if name in change.fields:
            return f"{change.event.actor} changed it at {change.event.at:%H:%M} UTC"
    return "it was changed"


def who_deleted(model: type[Model], key: int) -> str:
    """The message for a deleted row: its name and who deleted it, from the history. One query."""
    kind = model._meta.verbose_name
    last = AuditChange.objects.of_object(model._meta.label_lower, key).filter(action=Action.DELETE).first()
    if last is None:
        return f"There is no {kind} with the number {key} any more."
    return f"The {kind} “{last.name}” was deleted meanwhile by {last.event.actor}."
