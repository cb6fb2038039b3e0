"""GET and DELETE /auth/me, GET /auth/me/export"""

import json
from datetime import datetime

import pytest
from django.apps import apps
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.urls import reverse

from bookstore.accounts import me
from bookstore.accounts.exceptions import UserInactive
from bookstore.accounts.links import VERIFY
from bookstore.accounts.models import LoginSession, User
from bookstore.accounts.tests.factories import PASSWORD, StaffFactory, SuperuserFactory
from bookstore.api.views import validated

pytestmark = pytest.mark.django_db


def tables_that_name(text: str) -> list[str]:
    """Every table of the database is read, whole."""
    found = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')  # noqa: S608  # table names from the database
            if any(text in str(value) for row in cursor.fetchall() for value in row):
                found.append(table)
    return found


def test_me_answers_the_account(client_for, alice):
    response = client_for(alice).get("/auth/me")

    assert response.status_code == 200
    assert response.json() == {
        "id": alice.pk,
        "email": "alice@example.com",
        "email_verified": False,
        "new_email": None,
        "name": "",
        "role": "user",
        "date_joined": alice.date_joined.isoformat().replace("+00:00", "Z"),
    }
    assert response.headers["Cache-Control"] == "no-store"


def test_export_has_everything_that_is_kept(client_for, alice):
    client = client_for(alice)

    response = client.get("/auth/me/export")

    assert response.status_code == 200
    exported = response.json()
    assert (exported["account"]["email"], exported["account"]["groups"]) == ("alice@example.com", [])
    assert len(exported["sessions"]) == 1
    assert exported["cart"] == client.get("/cart").json()
    assert alice.credential not in response.content.decode()


def test_every_app_that_keeps_something_of_a_customer_exports_it():
    """A new app with a table that points to users says what it keeps: AppConfig.personal_data."""
    keeps = {
        relation.related_model._meta.app_label
        for relation in User._meta.related_objects
        if not relation.related_model._meta.auto_created
    }
    exports = {app.label for app in apps.get_app_configs() if hasattr(app, "personal_data")}

    assert keeps - {"accounts", "admin"} <= exports


def test_deleted_account_is_gone_from_every_table(client, client_for, api, alice):
    customer = client_for(alice)
    customer.get("/cart")
    client.force_login(SuperuserFactory(email="owner@shop.example"))
    page = reverse("admin:accounts_user_change", args=[alice.pk])
    shown = {"email": alice.email, "is_active": "on", "initial-email": alice.email, "initial-is_active": "True"}
    client.post(page, shown | {"is_staff": "on"})
    client.post(page, shown | {"initial-is_staff": "True"})
    user_type = ContentType.objects.get_for_model(User)
    LogEntry.objects.create(
        user=User.objects.get(email="owner@shop.example"),
        content_type=user_type,
        object_id=str(alice.pk),
        object_repr=str(alice),
        action_flag=CHANGE,
    )
    api.post("/auth/login", {"email": alice.email, "password": "wrong horse battery"})
    assert {"users", "audit_changes", "django_admin_log"} <= set(tables_that_name("alice@example.com"))

    response = customer.delete("/auth/me", {"password": PASSWORD})

    assert (response.status_code, response.content) == (204, b"")
    assert tables_that_name("alice@example.com") == []
    assert not LoginSession.objects.exists()
    assert customer.get("/auth/me").json()["code"] == "AUTH_USER_INACTIVE"


def test_account_is_not_deleted_with_a_wrong_password(client_for, alice):
    response = client_for(alice).delete("/auth/me", {"password": "wrong horse battery"})

    assert response.status_code == 403
    assert response.json() == {
        "detail": "This is not the password of this account.",
        "code": "AUTH_PASSWORD_WRONG",
        "field": "password",
    }
    assert User.objects.filter(pk=alice.pk).exists()


def test_staff_do_not_delete_themselves(client_for):
    clerk = StaffFactory()

    response = client_for(clerk).delete("/auth/me", {"password": PASSWORD})

    assert (response.status_code, response.json()["code"]) == (403, "AUTH_STAFF_ACCOUNT")
    assert User.objects.filter(pk=clerk.pk).exists()


def test_guesses_at_the_password_are_throttled(client_for, alice, settings):
    settings.AUTH_THROTTLE_RATE = (2, 60)
    client = client_for(alice)

    answers = [client.delete("/auth/me", {"password": "wrong horse battery"}).status_code for _ in range(3)]

    assert answers == [403, 403, 429]
    assert client.delete("/auth/me", {"password": PASSWORD}).status_code == 429


def test_export_is_json_of_known_types(client_for, alice):
    assert json.loads(client_for(alice).get("/auth/me/export").content)


def test_export_is_complete_by_pages(client_for, alice, monkeypatch):
    monkeypatch.setattr("bookstore.accounts.personal.PAGE_ROWS", 2)
    client = client_for(alice)
    for _ in range(4):
        LoginSession.objects.begin(alice)

    pages = [client.get(f"/auth/me/export?page={page}").json() for page in (1, 2, 3, 4)]

    assert [(page["page"], page["more"], len(page["sessions"])) for page in pages] == [
        (1, True, 2),
        (2, True, 2),
        (3, False, 1),
        (4, False, 0),
    ]
    shown = [datetime.fromisoformat(session["created_at"]) for page in pages for session in page["sessions"]]
    assert shown == sorted(shown)


def test_former_email_is_gone_from_every_table_too(client, client_for, api, alice):
    client.force_login(SuperuserFactory(email="owner@shop.example"))
    page = reverse("admin:accounts_user_change", args=[alice.pk])
    client.post(page, {"email": alice.email, "initial-email": alice.email, "initial-is_active": "True"})
    # A session of the same millisecond, SQLite's unit, would be one of before.
    User.objects.filter(pk=alice.pk).update(is_active=True, signed_out_at=None)
    customer = client_for(User.objects.get(pk=alice.pk))
    customer.patch("/auth/me", {"email": "liddell@example.com", "password": PASSWORD})
    api.post("/auth/verify", {"token": VERIFY.token(alice.pk, "liddell@example.com")})
    assert {"audit_changes", "email_changes"} <= set(tables_that_name("alice@example.com"))

    response = customer.delete("/auth/me", {"password": PASSWORD})

    assert response.status_code == 204
    assert tables_that_name("alice@example.com") + tables_that_name("liddell@example.com") == []


def test_name_of_an_account_that_was_deleted_meanwhile_is_401(client_for, alice, monkeypatch):
    def deleted_first(*arguments):
        User.objects.all().delete()
        return validated(*arguments)

    client = client_for(alice)
    monkeypatch.setattr(me, "validated", deleted_first)

    response = client.patch("/auth/me", {"name": "Alice Liddell"})

    assert (response.status_code, response.json()["code"]) == (401, UserInactive.code)


def test_name_that_nobody_can_see_is_422_and_none_is_none(client_for, alice):
    client = client_for(alice)

    unseen = client.patch("/auth/me", {"name": "\u202e"})
    none = client.patch("/auth/me", {"name": " "})

    assert (unseen.status_code, unseen.json()["field"]) == (422, "name")
    assert (none.status_code, none.json()["name"]) == (200, "")


def test_email_that_staff_replaced_is_gone_from_every_table_too(client, client_for, alice):
    client.force_login(SuperuserFactory(email="owner@shop.example"))
    page = reverse("admin:accounts_user_change", args=[alice.pk])
    kept = {"is_active": "on", "initial-is_active": "True"}
    client.post(page, kept | {"email": "liddell@example.com", "initial-email": "alice@example.com"})
    client.post(page, kept | {"email": "hatter@example.com", "initial-email": "liddell@example.com"})
    assert tables_that_name("alice@example.com") == ["audit_changes"]

    response = client_for(User.objects.get(pk=alice.pk)).delete("/auth/me", {"password": PASSWORD})

    assert response.status_code == 204
    assert [table for who in ("alice", "liddell", "hatter") for table in tables_that_name(f"{who}@example.com")] == []
