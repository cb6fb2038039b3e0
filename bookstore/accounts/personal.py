"""Exports and deletes the personal data of a customer. Each app declares its part in its AppConfig:

- `personal_data(user, page)`: the app's data about this customer as JSON, for GET /auth/me/export. Rows without a bound
  come by pages: `rows, more = page.of(queryset)`, and `more` in the JSON says that another page has the next ones
- `forget(user)`: anonymises rows of the app that outlive the user's row

Rows with a cascading foreign key to the user need no `forget`.
"""

from typing import Any, NamedTuple

from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import QuerySet

from bookstore.accounts.exceptions import PasswordWrong, StaffAccount, UserInactive
from bookstore.accounts.models import User
from bookstore.database import retrying
from bookstore.database.locks import lock

MOST_SESSIONS = 100
PAGE_ROWS = 100  # of each kind


class Page(NamedTuple):
    """A page of an export, counted from 1."""

    number: int

    def of(self, rows: QuerySet[Any]) -> tuple[list[Any], bool]:
        """The rows of this page, and whether there are more. `rows` has a stable order, the oldest first. One query."""
        start = (self.number - 1) * PAGE_ROWS
        found = list(rows[start : start + PAGE_ROWS + 1])
        return found[:PAGE_ROWS], len(found) > PAGE_ROWS


def export_of(user: User, page: Page) -> dict[str, Any]:
    """Everything kept about this customer, by app; `more` while another page has further rows. Four queries, and those
    of the other apps.
    """
    facts = ("created_at", "rotated_at", "expires_at", "ended_at", "end_reason", "device", "address")
    sessions, more_sessions = page.of(user.sessions.order_by("pk").values(*facts))
    parts = {
        app.label: app.personal_data(user, page) for app in apps.get_app_configs() if hasattr(app, "personal_data")
    }
    return {
        "account": {
            "id": user.pk,
            "email": user.email,
            "email_verified": user.email_verified,
            "name": user.name,
            "email_changes": list(
                user.email_changes.order_by("pk").values("old_email", "new_email", "requested_at", "confirmed_at")
            ),
            "date_joined": user.date_joined,
            "last_login": user.last_login,
            "role": "admin" if user.is_staff else "user",
            "groups": [group.name for group in user.groups.order_by("name")],
        },
        "sessions": sessions,
        **parts,
        "page": page.number,
        "more": more_sessions or any(isinstance(part, dict) and part.get("more") for part in parts.values()),
    }


@retrying
def delete_account(user: User, password: str) -> None:
    """Deletes a customer and their personal data, in one transaction that locks the user first.

    Raises PasswordWrong; StaffAccount for staff, whose name stays in the shop's history.
    """
    if not user.check_password(password):
        raise PasswordWrong
    with transaction.atomic():
        lock(User._base_manager.filter(pk=user.pk))
        here = User.objects.filter(pk=user.pk).first()
        if here is None:
            raise UserInactive
        if here.is_staff or here.is_superuser:
            raise StaffAccount
        if here.password != user.password:
            raise PasswordWrong  # changed meanwhile
        for app in apps.get_app_configs():
            if hasattr(app, "forget"):
                app.forget(here)
        key = str(here.pk)
        here.delete()
        user_type = ContentType.objects.get_for_model(get_user_model())
        LogEntry.objects.filter(content_type=user_type, object_id=key).update(
            object_repr=f"user {key}", change_message=""
        )
