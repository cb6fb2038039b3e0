"""Mails to an address that nobody has verified."""

import pytest
from django.core import mail

from bookstore.accounts.mailboxes import send_to_customer
from bookstore.accounts.mails import facts
from bookstore.accounts.tests.factories import PASSWORD, UserFactory
from bookstore.mail.sending import NotSent
from bookstore.tasks.worker import run_waiting

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def two_an_hour(settings):
    settings.MAIL_THROTTLE_RATE = (2, 3600)


def send_three(user, to):
    """The number of mails that were sent."""
    for _ in range(3):
        send_to_customer(user, to, "accounts/verify_email", facts(link="https://shop.example", is_change=False))
    return len(mail.outbox)


def test_unverified_address_gets_as_many_mails_as_the_rate_allows(caplog):
    bob, carol = UserFactory(email="bob@example.com"), UserFactory(email="carol@example.com")

    assert send_three(bob, bob.email) == 2
    assert "bob@example.com" not in caplog.text
    assert send_three(carol, carol.email) == 4


def test_verified_address_gets_every_mail():
    bob = UserFactory(email="bob@example.com", verified_email="bob@example.com")

    assert send_three(bob, bob.email) == 3


def test_mail_that_the_server_did_not_take_is_not_counted(settings):
    bob = UserFactory(email="bob@example.com")
    settings.EMAIL_BACKEND = "bookstore.mail.tests.no_such_backend"
    for _ in range(3):
        with pytest.raises(NotSent):
            send_three(bob, bob.email)
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"

    assert send_three(bob, bob.email) == 2


def test_mails_sent_at_once_are_no_more_than_the_rate_allows(monkeypatch):
    bob, sent = UserFactory(email="bob@example.com"), []

    def send_while_another_sends(to, template, context):
        if len(sent) < 3:
            sent.append(to)
            send_to_customer(bob, to, template, context)

    monkeypatch.setattr("bookstore.accounts.mailboxes.send", send_while_another_sends)
    send_to_customer(bob, bob.email, "accounts/verify_email", {})

    assert sent == ["bob@example.com"] * 2


def test_registering_again_and_again_sends_no_more_mails(api):
    for _ in range(3):
        tokens = api.post("/auth/register", {"email": "bob@example.com", "password": PASSWORD}).json()
        run_waiting()
        gone = api.delete("/auth/me", {"password": PASSWORD}, HTTP_AUTHORIZATION=f"Bearer {tokens['access_token']}")
        assert gone.status_code == 204

    assert [message.to for message in mail.outbox] == [["bob@example.com"]] * 2
