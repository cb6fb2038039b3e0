"""The forms of the admin that set a password, or leave a user without one."""

from typing import Any

from django.contrib.admin.forms import AdminPasswordChangeForm as OwnPasswordChangeForm
from django.contrib.auth.forms import AdminPasswordChangeForm
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest

from bookstore.accounts.models import User
from bookstore.accounts.throttling import count_attempt
from bookstore.admin.refusals import lock_or_refuse
from bookstore.admin.wording import StaffWords
from bookstore.api.errors import Throttled

# Django's help names other ways to sign in, which this shop does not have. Its styles know the warning's id.
DISABLED = "Disabled: they cannot sign in, and get no mail for a forgotten password, until a password is set here."
LOST = '<ul id="id_unusable_warning" class="messagelist"><li class="warning">The password is lost.</li></ul>'


class PasswordOnly:
    """Mixin for a form that sets a password: writes only that column. Django's save() would recreate a deleted user."""

    def set_password_and_save(self, user: User, *args: Any, commit: bool = True, **kwargs: Any) -> User:
        super().set_password_and_save(user, *args, commit=False, **kwargs)  # type: ignore[misc]  # a mixin, to mypy
        if commit:
            with transaction.atomic():
                User.objects.filter(pk=user.pk).lock_superusers_first()
                lock_or_refuse(user)
                user.save(update_fields=["password"])
        return user


class PasswordForm(PasswordOnly, StaffWords, AdminPasswordChangeForm):
    """Sets another user's password."""

    usable_password_help_text = DISABLED + LOST


class OwnPasswordForm(PasswordOnly, StaffWords, OwnPasswordChangeForm):
    """Shares the throttle of POST /auth/password: whoever finds an open browser must not guess the password.

    OwnPasswordView sets `request`, and answers with the status of `refused`.
    """

    request: HttpRequest
    refused: Throttled | None = None

    def clean_old_password(self) -> str:
        try:
            attempt = count_attempt(self.request, "password", self.user.email)
        except Throttled as refusal:
            self.refused = refusal
            raise ValidationError(f"{refusal.detail} Nothing was changed.") from refusal
        old: str = super().clean_old_password()
        attempt.succeeded()
        return old
