"""Anonymises a customer in the history: events stay, without the customer's email."""

from contextlib import suppress
from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django.db.models import QuerySet, Value
from django.db.models.functions import Replace

from bookstore.audit.models import AuditChange, AuditEvent


def forget(user: Any) -> None:
    """Replaces the emails in the changes of this user and of rows that point to it, and in their events.

    Also former emails. A query, and eight for each kind that has changes, and each email.
    """
    name = f"user {user.pk}"
    of_user = AuditChange.objects.filter(kind=user._meta.label_lower, object_id=user.pk)
    emails = {user.email, *user.email_changes.values_list("old_email", flat=True)}
    for fields in of_user.values_list("fields", flat=True):  # those that staff replaced
        emails.update(email for email in (fields or {}).get("email", ()) if email)
    for email in emails:
        then = user._meta.model(pk=user.pk, email=email)
        hide(of_user, email, name)
        for relation in user._meta.related_objects:
            model: Any = relation.related_model
            ids = model._base_manager.filter(**{relation.field.name: user.pk}).values("pk")
            of_kind = AuditChange.objects.filter(kind=model._meta.label_lower)
            hide(of_kind.filter(object_id__in=ids), email, name)
            # Of a row that was deleted before, the history has only the name, which may be made of the email.
            with suppress(ObjectDoesNotExist):  # a name that is made of other rows, too
                hide(of_kind.filter(name_folded=str(model(**{relation.field.name: then})).casefold()), email, name)


def hide(changes: "QuerySet[AuditChange]", email: str, name: str) -> None:
    events = AuditEvent.objects.filter(pk__in=changes.values("event"))
    events.filter(summary__contains=email).update(summary=Replace("summary", Value(email), Value(name)))
    for change in changes.filter(fields__isnull=False).only("fields"):
        hidden = {
            field: [str(value).replace(email, name) for value in pair] for field, pair in (change.fields or {}).items()
        }
        if hidden != change.fields:
            AuditChange.objects.filter(pk=change.pk).update(fields=hidden)
    # Last: the changes may be chosen by this name.
    changes.update(
        name=Replace("name", Value(email), Value(name)), name_folded=Replace("name_folded", Value(email), Value(name))
    )
