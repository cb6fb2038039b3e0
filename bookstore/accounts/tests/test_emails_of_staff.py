"""Staff and operators write emails by the rules of the API: the admin, `createsuperuser`, `make_staff`."""

import html

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.urls import reverse

from bookstore.accounts.models import User
from bookstore.accounts.tests.factories import PASSWORD, SuperuserFactory, UserFactory

pytestmark = pytest.mark.django_db

ADD = reverse("admin:accounts_user_add")
REFUSED = [
    '"alice"@example.com',
    "=?utf-8?q?bob?=@example.com",
    "bob@exam\u200dple.com",  # IDNA allows no joiner here
    "bob@\u2603.example",  # nor a snowman
    "alice@localhost",
    "alice@[127.0.0.1]",
]
refused = pytest.mark.parametrize("email", REFUSED)


@pytest.fixture
def site(client):
    client.force_login(SuperuserFactory(email="owner@example.com"))
    return client


@refused
def test_full_clean_refuses_what_the_api_refuses(email):
    with pytest.raises(ValidationError) as raised:
        User(email=email, password="!").full_clean()

    assert [fault.code for fault in raised.value.error_dict["email"]] == ["invalid"]


@refused
def test_createsuperuser_refuses_what_the_api_refuses(email, monkeypatch):
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", PASSWORD)

    with pytest.raises(CommandError, match="valid email address"):
        call_command("createsuperuser", "--noinput", email=email, verbosity=0)

    assert not User.objects.exists()


@refused
def test_make_staff_refuses_what_the_api_refuses(email):
    with pytest.raises(CommandError) as raised:
        call_command("make_staff", email)

    assert str(raised.value) == f"{email!r} is no email address."


@refused
def test_admin_refuses_what_the_api_refuses(site, email):
    fields = {"email": email, "usable_password": "true", "password1": PASSWORD, "password2": PASSWORD}

    response = site.post(ADD, fields)

    assert "Write an email address, such as reader@example.com." in html.unescape(response.content.decode())
    assert User.objects.count() == 1


def test_international_domain_is_taken_as_mail_is_sent_there(site):
    fields = {"email": "a@BÜCHER.example", "usable_password": "true", "password1": PASSWORD, "password2": PASSWORD}

    response = site.post(ADD, fields)

    assert response.status_code == 302
    assert User.objects.filter(email="a@xn--bcher-kva.example").exists()


def test_email_from_before_the_rules_hinders_no_other_change(site):
    alice = UserFactory(email="alice@localhost")
    fields = {"email": alice.email, "initial-email": alice.email, "initial-is_active": "True"}

    response = site.post(reverse("admin:accounts_user_change", args=[alice.pk]), fields)

    alice.refresh_from_db()
    assert (response.status_code, alice.is_active) == (302, False)
