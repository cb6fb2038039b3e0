"""The history of the staff's sign-ins and passwords, and of what commands do to rights."""

import io
import sys
from unittest.mock import Mock

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError, OutputWrapper
from django.test import Client

from bookstore.accounts.management.commands import changepassword
from bookstore.accounts.models import User
from bookstore.accounts.tests.factories import PASSWORD, StaffFactory, UserFactory
from bookstore.audit.models import AuditChange, AuditEvent

pytestmark = pytest.mark.django_db

LOGIN = "/admin/login/"


@pytest.fixture
def bob(db):
    return StaffFactory(email="bob@example.com", password=PASSWORD)


def sign_in(email, password=PASSWORD):
    browser = Client(HTTP_USER_AGENT="Firefox", REMOTE_ADDR="192.0.2.7")
    browser.post(LOGIN, {"username": email, "password": password, "next": "/admin/"})
    return browser


def events():
    """The oldest first: (who, by, from, what)."""
    return list(AuditEvent.objects.order_by("pk").values_list("actor", "channel", "address", "summary"))


def test_sign_in_and_sign_out_are_recorded(bob):
    sign_in("bob@example.com").post("/admin/logout/")

    assert events() == [
        ("bob@example.com", "admin", "192.0.2.7", "Signed in to this site."),
        ("bob@example.com", "admin", "192.0.2.7", "Signed out of this site."),
    ]
    assert AuditChange.objects.first().fields == {"sign-in": ["", "Firefox"]}


def test_refused_sign_in_of_staff_is_recorded(bob):
    sign_in("BOB@example.com", "a wrong password")

    [event] = events()
    assert event == (
        *("bob@example.com", "admin", "192.0.2.7"),
        "A sign-in to this site was refused: wrong password, or deactivated.",
    )
    assert list(AuditChange.objects.values_list("kind", "object_id")) == [("accounts.user", bob.pk)]


def test_refused_sign_in_of_others_leaves_nothing(bob):
    UserFactory(email="alice@example.com", password=PASSWORD)

    for email in ("alice@example.com", "nobody@example.com"):
        sign_in(email)

    assert events() == []


def test_own_password_that_is_changed_is_recorded_and_not_shown(bob):
    new = "battery staple horse"
    typed = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}

    sign_in("bob@example.com").post("/admin/password_change/", typed)

    assert events()[-1][3] == "Changed their own password."
    assert AuditChange.objects.latest("pk").fields == {"password": ["", "(not shown)"]}


def test_make_staff_is_recorded_with_the_rights_from_and_to(capsys):
    UserFactory(email="alice@example.com", verified_email="alice@example.com")

    for _ in range(2):  # the second time nothing changes
        call_command("make_staff", "alice@example.com", groups=["Catalogue"])

    assert events() == [("make_staff", "command", "", "Let alice@example.com into this site.")]
    assert AuditChange.objects.get().fields == {"is_staff": ["no", "yes"], "groups": ["", "Catalogue"]}


def test_make_staff_records_a_new_password_and_does_not_show_it(monkeypatch, capsys):
    UserFactory(email="alice@example.com")
    monkeypatch.setattr("sys.stdin", io.StringIO("nine old horses\n"))

    call_command("make_staff", "alice@example.com")

    assert events() == [("make_staff", "command", "", "Let alice@example.com into this site with a new password.")]
    assert AuditChange.objects.get().fields == {"is_staff": ["no", "yes"], "password": ["", "(not shown)"]}


def test_createsuperuser_is_recorded(monkeypatch, capsys):
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", PASSWORD)

    call_command("createsuperuser", "--noinput", email="olga@example.com")

    assert events() == [("createsuperuser", "command", "", "Made the superuser “olga@example.com”.")]


def test_changepassword_is_recorded_and_not_shown(bob, monkeypatch):
    monkeypatch.setattr(changepassword.Command, "_get_pass", lambda self, prompt="": "battery staple horse")

    call_command("changepassword", "bob@example.com", stdout=OutputWrapper(sys.stderr))

    assert events() == [("changepassword", "command", "", "Set the password of “bob@example.com”.")]
    assert AuditChange.objects.get().fields == {"password": ["", "(not shown)"]}
    assert User.objects.get(pk=bob.pk).check_password("battery staple horse")


def test_changepassword_without_an_answer_changes_nothing(bob, monkeypatch):
    monkeypatch.setattr("getpass.getpass", Mock(side_effect=EOFError))

    with pytest.raises(CommandError, match=r"^No password was given. Nothing was changed.$"):
        call_command("changepassword", "bob@example.com")

    assert events() == []
