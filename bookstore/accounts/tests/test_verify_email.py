"""POST /auth/verify, its resend, and PATCH /auth/me"""

import re

import pytest
from django.core import mail
from django.db import IntegrityError, transaction

from bookstore.accounts.exceptions import EmailUnverified
from bookstore.accounts.links import VERIFY
from bookstore.accounts.models import EmailChange, User
from bookstore.accounts.tests.factories import PASSWORD, StaffFactory, UserFactory
from bookstore.tasks.worker import run_waiting

pytestmark = pytest.mark.django_db

NEW = "alice@books.example"


def token_in(message):
    return re.search(r"token=(\S+)", message.body)[1]


def verify(api, token):
    return api.post("/auth/verify", {"token": token})


def ask_for(client, email=NEW, password=PASSWORD):
    return client.patch("/auth/me", {"email": email, "password": password})


def test_registered_email_is_verified_by_its_mail(api):
    tokens = api.post("/auth/register", {"email": "erin@example.com", "password": PASSWORD}).json()
    run_waiting()

    [message] = mail.outbox
    assert (message.to, message.subject) == (["erin@example.com"], "Please confirm your email")
    assert verify(api, token_in(message)).status_code == 204
    assert verify(api, token_in(message)).status_code == 204  # a second click
    api.credentials(HTTP_AUTHORIZATION=f"Bearer {tokens['access_token']}")
    assert api.get("/auth/me").json()["email_verified"] is True


def test_refused_registration_queues_no_mail(api, alice):
    assert api.post("/auth/register", {"email": alice.email, "password": PASSWORD}).status_code == 409

    assert run_waiting() == 0


def test_name_is_changed_alone(client_for, alice):
    response = client_for(alice).patch("/auth/me", {"name": "Alice Liddell"})

    assert response.status_code == 200
    assert (response.json()["name"], response.json()["email"]) == ("Alice Liddell", "alice@example.com")
    assert client_for(alice).get("/auth/me").json() == response.json()
    assert client_for(alice).patch("/auth/me", {}).json() == response.json()
    assert run_waiting() == 0


def test_email_changes_when_the_new_address_confirms(client_for, api, alice):
    client = client_for(alice)
    User.objects.filter(pk=alice.pk).update(verified_email=alice.email)

    asked = ask_for(client)
    run_waiting()

    assert asked.status_code == 200
    assert (asked.json()["email"], asked.json()["new_email"]) == ("alice@example.com", NEW)
    to_new, to_old = mail.outbox
    assert (to_new.to, to_old.to) == ([NEW], ["alice@example.com"])
    assert (NEW in to_old.body, "token" in to_old.body) == (True, False)
    assert verify(api, token_in(to_new)).status_code == 204
    me = client.get("/auth/me").json()
    assert (me["email"], me["email_verified"], me["new_email"]) == (NEW, True, None)
    assert verify(api, token_in(to_new)).status_code == 204  # a second click
    assert api.post("/auth/login", {"email": NEW, "password": PASSWORD}).status_code == 200
    assert api.post("/auth/login", {"email": "alice@example.com", "password": PASSWORD}).status_code == 401


def test_notice_to_an_unverified_address_has_no_text_of_the_customers(client_for, alice):
    ask_for(client_for(alice), email="visit-spam.example@books.example")

    run_waiting()

    _, to_old = mail.outbox
    written = to_old.body + to_old.alternatives[0].content
    assert (to_old.to, "spam" in written) == (["alice@example.com"], False)
    assert "wants to sign in to the bookshop with another email in place of this email" in to_old.body


def test_old_address_is_told_though_the_new_one_confirmed_first(client_for, api, alice):
    ask_for(client_for(alice))
    verify(api, VERIFY.token(alice.pk, NEW))

    run_waiting()

    assert [message.to for message in mail.outbox] == [["alice@example.com"]]


def test_email_change_needs_the_password(client_for, alice):
    client = client_for(alice)

    wrong, missing = ask_for(client, password="wrong horse battery"), client.patch("/auth/me", {"email": NEW})

    assert (wrong.status_code, wrong.json()["code"]) == (403, "AUTH_PASSWORD_WRONG")
    assert missing.status_code == 422
    assert missing.json()["errors"] == [{"field": "password", "code": "required", "detail": "This field is required."}]
    assert not EmailChange.objects.exists()


def test_staff_do_not_change_their_email_here(client_for):
    clerk = StaffFactory(email="clerk@example.com")

    response = ask_for(client_for(clerk))

    assert (response.status_code, response.json()["code"]) == (403, "AUTH_STAFF_ACCOUNT")
    assert not EmailChange.objects.exists()


def test_email_of_somebody_else_answers_409(client_for, alice, bob):
    response = ask_for(client_for(alice), "BOB@example.com")

    assert (response.status_code, response.json()["code"]) == (409, "AUTH_EMAIL_CONFLICT")


def test_email_that_was_registered_meanwhile_answers_409(client_for, api, alice):
    ask_for(client_for(alice))
    UserFactory(email=NEW)

    response = verify(api, VERIFY.token(alice.pk, NEW))

    assert (response.status_code, response.json()["code"]) == (409, "AUTH_EMAIL_CONFLICT")
    alice.refresh_from_db()
    assert alice.email == "alice@example.com"
    assert EmailChange.objects.get().confirmed_at is None


@pytest.mark.parametrize("undo", ["ask for another", "take it back", "change the password", "wait too long"])
def test_a_wish_that_ended_is_not_confirmed(client_for, api, alice, settings, undo):
    client = client_for(alice)
    ask_for(client)
    match undo:
        case "ask for another":
            ask_for(client, "alice@other.example")
        case "take it back":
            ask_for(client, "alice@example.com")
        case "change the password":
            client.post("/auth/password", {"old_password": PASSWORD, "new_password": "another horse battery"})
        case "wait too long":
            settings.VERIFY_HOURS = 0

    response = verify(api, VERIFY.token(alice.pk, NEW))

    assert (response.status_code, response.json()["code"]) == (403, "AUTH_LINK_INVALID")
    alice.refresh_from_db()
    assert alice.email == "alice@example.com"


def test_resend_goes_to_the_address_that_is_to_be_confirmed(client_for, alice):
    client = client_for(alice)

    assert client.post("/auth/verify/resend").status_code == 202
    run_waiting()
    ask_for(client)
    run_waiting()
    assert client.post("/auth/verify/resend").status_code == 202
    run_waiting()

    assert [message.to for message in mail.outbox] == [["alice@example.com"], [NEW], ["alice@example.com"], [NEW]]


def test_resend_sends_nothing_when_all_is_verified(client_for, alice):
    User.objects.update(verified_email=alice.email)

    assert client_for(alice).post("/auth/verify/resend").status_code == 202
    run_waiting()

    assert mail.outbox == []


def test_email_that_staff_change_is_not_verified_any_more(alice):
    User.objects.update(verified_email=alice.email)

    User.objects.update(email="alice@staff.example")

    assert User.objects.get().email_verified is False


def test_unverified_customers_are_refused_what_needs_it_by_setting(alice, settings):
    alice.require_verified()
    settings.REQUIRE_VERIFIED_EMAIL = True

    with pytest.raises(EmailUnverified):
        alice.require_verified()

    alice.verified_email = alice.email
    alice.require_verified()


def test_the_database_keeps_one_wish_for_each_user(alice):
    wish = {"user": alice, "old_email": alice.email, "credential": alice.credential}
    EmailChange.objects.create(**wish, new_email=NEW)

    with pytest.raises(IntegrityError), transaction.atomic():
        EmailChange.objects.create(**wish, new_email="alice@other.example")
