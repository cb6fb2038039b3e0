"""A customer's wish for another email, until it is confirmed at the new address; and those that were confirmed."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from bookstore.accounts.emails import MAX_EMAIL_LENGTH, NormalisedEmailField
from bookstore.accounts.sessions import CREDENTIAL_LENGTH

if TYPE_CHECKING:
    from bookstore.accounts.models import User


def oldest() -> Any:
    return Now() - timedelta(hours=settings.VERIFY_HOURS)


class EmailChangeQuerySet(models.QuerySet["EmailChange"]):
    def waiting(self) -> EmailChangeQuerySet:
        return self.filter(confirmed_at=None)

    def waiting_of(self, user: User) -> EmailChange | None:
        """The change that this user may confirm: young enough, and the password is the same as when it was asked for,
        so that a thief's wish ends with the password they knew. One query.
        """
        return self.waiting().filter(user=user, credential=user.credential, requested_at__gt=oldest()).first()

    def outdated(self) -> EmailChangeQuerySet:
        return self.waiting().filter(requested_at__lte=oldest())


class EmailChange(models.Model):
    """At most one of a user's is unconfirmed. Confirmed ones stay with the user: the history may have the old email.

    In PostgreSQL the foreign key `fk_email_changes_user_id` deletes it with its user.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="email_changes")
    old_email = NormalisedEmailField(max_length=MAX_EMAIL_LENGTH)
    new_email = NormalisedEmailField(max_length=MAX_EMAIL_LENGTH)
    # The end of the password's hash, as a session keeps it.
    credential = models.CharField(max_length=CREDENTIAL_LENGTH)
    requested_at = models.DateTimeField(db_default=Now())
    confirmed_at = models.DateTimeField(null=True)

    objects = EmailChangeQuerySet.as_manager()

    class Meta:
        db_table = "email_changes"
        default_permissions = ()  # not shown in the admin
        constraints = (
            models.UniqueConstraint(
                fields=["user"], condition=models.Q(confirmed_at=None), name="uq_email_changes_waiting"
            ),
        )

    def __str__(self) -> str:
        return f"Email of user {self.user_id}"
