"""Exports and deletes the personal data of a customer. Each app declares its part in its AppConfig:

- `personal_data(user)`: the app's data about this customer as JSON, for GET /auth/me/export
- `forget(user)`: anonymises rows of the app that outlive the user's row

Rows with a cascading foreign key to the user need no `forget`.
"""

from typing import Any

from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.contrib.contenttypes.models import ContentType
from django.db import transaction

from bookstore.accounts.exceptions import PasswordWrong, StaffAccount, UserInactive
from bookstore.accounts.models import User
from bookstore.database import retrying
from bookstore.database.locks import lock

MOST_SESSIONS = 100


def export_of(user: User) -> dict[str, Any]:
    """All data about this customer, by app. Three queries, and those of the other apps."""
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
        "sessions": list(
            user.sessions.order_by("-pk").values(
                "created_at", "rotated_at", "expires_at", "ended_at", "end_reason", "device", "address"
            )[:MOST_SESSIONS]
        ),
        **{app.label: app.personal_data(user) for app in apps.get_app_configs() if hasattr(app, "personal_data")},
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
