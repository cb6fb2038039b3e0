"""“Forgotten your login credentials?” on the staff's sign-in page."""

import re

import pytest
from django.core import mail
from django.urls import reverse

from bookstore.accounts.links import RESET
from bookstore.accounts.models import User
from bookstore.accounts.tests.factories import PASSWORD, StaffFactory
from bookstore.tasks.worker import run_waiting

pytestmark = pytest.mark.django_db

FORM = reverse("admin_password_reset")
NEW = {"new_password1": "another horse battery", "new_password2": "another horse battery"}


@pytest.fixture
def clerk() -> User:
    return StaffFactory(email="clerk@example.com")


def set_page(user):
    return reverse("admin_password_reset_confirm", args=[RESET.token(user.pk, user.reset_state)])


def test_sign_in_page_links_to_it(client):
    assert f'href="{FORM}"' in client.get(reverse("admin:login")).content.decode()
    assert client.get(FORM).status_code == 200


@pytest.mark.parametrize("page", ["admin_password_reset", "password_reset_done", "password_reset_complete"])
def test_pages_do_not_say_what_a_stranger_may_edit(client, page):
    shown = client.get(reverse(page))

    assert shown.status_code == 200
    assert "have permission" not in shown.content.decode()


def test_clerk_sets_a_new_password_by_the_mail(client, clerk):
    sent = client.post(FORM, {"email": "Clerk@example.com"})
    run_waiting()

    assert (sent.status_code, sent.url) == (302, reverse("password_reset_done"))
    assert client.get(sent.url).status_code == 200
    [message] = mail.outbox
    assert message.to == ["clerk@example.com"]
    page = re.search(r"http://testserver(/admin/password-reset/\S+/)", message.body)[1]
    assert "Change my password" in client.get(page).content.decode()
    done = client.post(page, NEW)
    assert (done.status_code, done.url) == (302, reverse("password_reset_complete"))
    assert reverse("admin:login") in client.get(done.url).content.decode()
    clerk.refresh_from_db()
    assert clerk.check_password("another horse battery")
    assert "link was invalid" in client.get(page).content.decode()
    assert "link was invalid" in client.post(page, NEW).content.decode()


def test_customers_and_strangers_get_no_mail(client, alice):
    pages = [client.post(FORM, {"email": email}) for email in ("alice@example.com", "nobody@example.com")]
    run_waiting()

    assert [page.url for page in pages] == [reverse("password_reset_done")] * 2
    assert mail.outbox == []


def test_customers_token_opens_no_page_of_staff(client, alice):
    assert "link was invalid" in client.get(set_page(alice)).content.decode()
    assert "link was invalid" in client.post(set_page(alice), NEW).content.decode()
    alice.refresh_from_db()
    assert alice.check_password(PASSWORD)


def test_bad_password_is_told_and_sets_nothing(client, clerk):
    page = client.post(set_page(clerk), {"new_password1": "password", "new_password2": "password"})

    assert "too common" in page.content.decode()
    clerk.refresh_from_db()
    assert clerk.check_password(PASSWORD)


def test_mails_are_throttled(client, clerk, settings):
    settings.MAIL_THROTTLE_RATE = (1, 3600)

    answers = [client.post(FORM, {"email": "clerk@example.com"}).status_code for _ in range(2)]

    assert answers == [302, 429]
    assert "No mail was sent." in client.post(FORM, {"email": "clerk@example.com"}).content.decode()


@pytest.mark.parametrize("email", ["", "clerk", "a" * 300 + "@example.com", "clerk\0@example.com"])
def test_bad_email_is_told(client, email):
    page = client.post(FORM, {"email": email})

    assert page.status_code == 200
    assert page.context["form"].errors


def test_new_password_needs_the_forms_own_token(clerk):
    from django.test import Client

    assert Client(enforce_csrf_checks=True).post(set_page(clerk), NEW).status_code == 403
