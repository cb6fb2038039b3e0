"""POST /auth/password/forgot and /auth/password/reset"""

import re

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django_tasks_db.models import DBTaskResult

from bookstore.accounts.links import RESET, VERIFY
from bookstore.accounts.models import LoginSession, User
from bookstore.accounts.tests.factories import PASSWORD, UserFactory
from bookstore.tasks.worker import run_waiting

pytestmark = pytest.mark.django_db

NEW = "another horse battery"
INVALID = {
    "detail": "This link was used already, has expired, or is not complete: ask for a new one.",
    "code": "AUTH_LINK_INVALID",
    "field": "token",
}


def forget(api, email="alice@example.com"):
    return api.post("/auth/password/forgot", {"email": email})


def reset(api, token, password=NEW):
    return api.post("/auth/password/reset", {"token": token, "new_password": password})


def token_in(message):
    return re.search(r"token=(\S+)", message.body)[1]


def test_forgotten_password_is_mailed_and_reset(api, alice):
    response = forget(api, " Alice@Example.com ")
    run_waiting()

    assert (response.status_code, response.content) == (202, b"")
    [message] = mail.outbox
    assert (message.to, message.subject) == (["alice@example.com"], "Set a new password")
    assert "http://127.0.0.1:8000/shop/#/reset-password?token=" in message.body
    assert token_in(message) in message.alternatives[0].content
    assert reset(api, token_in(message)).status_code == 204
    alice.refresh_from_db()
    assert (alice.check_password(NEW), alice.check_password(PASSWORD), alice.email_verified) == (True, False, True)


def test_reset_ends_every_session(api, alice, tokens_of, call_with):
    tokens = tokens_of(alice)

    reset(api, RESET.token(alice.pk, alice.reset_state))

    assert call_with(f"Bearer {tokens['access_token']}").json()["code"] == "AUTH_SESSION_OVER"
    assert LoginSession.objects.get().end_reason == "password"


def test_token_is_good_once(api, alice):
    token = RESET.token(alice.pk, alice.reset_state)

    answers = [reset(api, token).status_code, reset(api, token, "a third horse battery").status_code]

    assert answers == [204, 403]
    assert User.objects.get().check_password(NEW)
    assert reset(api, token).json() == INVALID


def test_of_two_resets_with_one_token_one_wins(api, alice, monkeypatch):
    token = RESET.token(alice.pk, alice.reset_state)

    def hash_while_another_resets(raw):
        monkeypatch.undo()
        assert reset(api, token, "a third horse battery").status_code == 204
        return "argon2$never-written"

    monkeypatch.setattr("bookstore.accounts.by_mail.hash_of", hash_while_another_resets)

    assert reset(api, token).json() == INVALID
    assert User.objects.get().check_password("a third horse battery")


def test_token_ends_with_its_lifetime(api, alice, settings, monkeypatch):
    token = RESET.token(alice.pk, alice.reset_state)
    settings.RESET_MINUTES = 0
    monkeypatch.setattr("django.core.signing.time.time", lambda: 4_000_000_000.0)

    assert reset(api, token).json() == INVALID


@pytest.mark.parametrize("changed", [{"email": "alice@new.example"}, {"is_active": False}])
def test_token_ends_when_the_account_changes(api, alice, changed):
    token = RESET.token(alice.pk, alice.reset_state)

    User.objects.update(**changed)

    assert reset(api, token).json() == INVALID


@pytest.mark.parametrize(
    "make",
    [
        lambda alice, bob: RESET.token(bob.pk, alice.reset_state),
        lambda alice, bob: VERIFY.token(alice.pk, alice.email),
        lambda alice, bob: RESET.token(alice.pk, alice.reset_state)[:-1],
        lambda alice, bob: f"{alice.pk}",
        lambda alice, bob: f"{10**18}.a.b",
        lambda alice, bob: "٧.a.b",
    ],
)
def test_no_other_token_resets(api, alice, bob, make):
    assert reset(api, make(alice, bob)).json() == INVALID
    assert not User.objects.exclude(password__in=[alice.password, bob.password]).exists()


def test_a_bad_password_answers_422_and_keeps_the_token(api, alice):
    token = RESET.token(alice.pk, alice.reset_state)

    assert reset(api, token, "password").json()["code"] == "VALIDATION_ERROR"
    assert reset(api, token).status_code == 204


def test_a_password_like_the_email_answers_422_and_keeps_the_token(api, alice):
    token = RESET.token(alice.pk, alice.reset_state)

    refused = reset(api, token, "alice@example.com")

    assert refused.status_code == 422
    assert refused.json()["errors"] == [
        {
            "field": "new_password",
            "code": "password_too_similar",
            "detail": "The password is too similar to the email.",
        }
    ]
    assert reset(api, token).status_code == 204


def test_known_and_unknown_emails_cost_the_same_statements(api, alice):
    statements = []
    for email in ("alice@example.com", "nobody@example.com"):
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert forget(api, email).status_code == 202
        statements.append([re.sub(r"'[^']*'|\d+", "?", query["sql"]) for query in captured.captured_queries])

    assert statements[0] == statements[1]


@pytest.mark.parametrize("who", [{"is_active": False}, {"password": None}])
def test_no_mail_for_who_may_not_sign_in(api, who):
    UserFactory(email="carol@example.com", **who)

    assert forget(api, "carol@example.com").status_code == 202
    run_waiting()

    assert mail.outbox == []


def test_no_email_and_no_token_stays_in_the_queue(api, alice):
    forget(api)
    run_waiting()

    kept = str(DBTaskResult.objects.values())

    assert "alice@example.com" not in kept
    assert token_in(mail.outbox[0]) not in kept


def test_mails_are_throttled_by_account_and_address(api, alice, settings):
    settings.MAIL_THROTTLE_RATE = (2, 3600)

    answers = [forget(api, f"{name}@example.com").status_code for name in ("alice", "bob", "alice")]

    assert answers == [202, 202, 429]
    assert DBTaskResult.objects.count() == 2


def test_shop_without_mail_answers_409(api, alice, settings):
    settings.SENDS_MAIL = False

    response = forget(api)

    assert response.status_code == 409
    assert response.json() == {"detail": "This shop sends no mail.", "code": "AUTH_MAIL_OFF"}
    assert not DBTaskResult.objects.exists()
