"""The pages of users, groups and sessions: tests/support/staff_pages.py."""

from typing import Any

from django.contrib.auth.models import Group

from bookstore.accounts.models import LoginSession
from tests.support.staff_pages import CHANGED, NEXT_PASSWORD, NONE_TO_ADD, READ, of_model, pages

ANYBODY, NO_METHOD_FOR_ANYBODY = (200,) * 5, (405,) * 5
PAGES = {
    # Only a superuser changes groups.
    **of_model("auth/group", actions=READ, add=pages(NONE_TO_ADD, NONE_TO_ADD), change=NONE_TO_ADD, delete=NONE_TO_ADD),
    # A session is created by a sign-in, and never changed, only ended, by the action of the list.
    **of_model("accounts/loginsession", add=pages(NONE_TO_ADD, NONE_TO_ADD), change=NONE_TO_ADD),
    **of_model("accounts/user"),
    "accounts/user/<id>/password/": pages(READ, CHANGED),
    # For who forgot the password: the same for everybody. The table's token is none.
    "password-reset/": pages(ANYBODY, ANYBODY),
    "password-reset/sent/": pages(ANYBODY, NO_METHOD_FOR_ANYBODY),
    "password-reset/done/": pages(ANYBODY, NO_METHOD_FOR_ANYBODY),
    "password-reset/<str:token>/": pages(ANYBODY, ANYBODY),
}
MODELS = ("accounts.User", "accounts.LoginSession", "auth.Group")
NEW_PASSWORD = {"password1": NEXT_PASSWORD, "password2": NEXT_PASSWORD}
FORMS: dict[str, dict[str, Any]] = {
    "auth/group/add/": {"name": "Sellers"},
    "auth/group/<path:object_id>/change/": {"name": "Sellers"},
    "accounts/user/add/": {"email": "erin@example.com", "usable_password": "true", **NEW_PASSWORD},
    "accounts/user/<path:object_id>/change/": {"email": "rob@example.com", "is_active": "on"},
    "accounts/user/<id>/password/": {"usable_password": "true", **NEW_PASSWORD},
}
ACTIONS = {"accounts/loginsession/": "end"}
# A deletion of several redirects to the page that asks.
ONLY_LED_ON = {"auth/group/", "accounts/user/"}


def furnish(site: Any) -> None:
    site.objects["auth/group/"] = Group.objects.create(name="Buyers")
    site.objects["accounts/loginsession/"] = LoginSession.objects.begin(site.bob)
    site.objects["accounts/user/"] = site.bob
