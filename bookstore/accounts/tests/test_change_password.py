"""POST /auth/password"""

import pytest

from bookstore.accounts.models import LoginSession, User
from bookstore.accounts.tests.factories import PASSWORD

pytestmark = pytest.mark.django_db

NEW = "another horse battery"


def change(api, tokens, old=PASSWORD, new=NEW):
    api.credentials(HTTP_AUTHORIZATION=f"Bearer {tokens['access_token']}")
    return api.post("/auth/password", {"old_password": old, "new_password": new})


def test_change_answers_204_and_the_new_password_counts(api, alice, tokens_of):
    response = change(api, tokens_of(alice))

    assert (response.status_code, response.content) == (204, b"")
    alice.refresh_from_db()
    assert (alice.check_password(NEW), alice.check_password(PASSWORD)) == (True, False)


def test_change_ends_the_other_sessions_and_keeps_this_one(api, alice, bob, tokens_of, call_with):
    here, elsewhere, bobs = tokens_of(alice), tokens_of(alice), tokens_of(bob)

    change(api, here)

    assert call_with(f"Bearer {here['access_token']}").status_code == 200
    assert call_with(f"Bearer {elsewhere['access_token']}").json()["code"] == "AUTH_SESSION_OVER"
    assert call_with(f"Bearer {bobs['access_token']}").status_code == 200
    assert api.post("/auth/refresh", {"refresh_token": here["refresh_token"]}).status_code == 200
    refused = api.post("/auth/refresh", {"refresh_token": elsewhere["refresh_token"]})
    assert refused.json()["code"] == "AUTH_REFRESH_INVALID"
    assert set(LoginSession.objects.values_list("end_reason", flat=True)) == {"", "password"}


def test_change_with_a_wrong_password_answers_403_and_ends_nothing(api, alice, tokens_of, call_with):
    elsewhere = tokens_of(alice)

    response = change(api, tokens_of(alice), old="wrong horse battery")

    assert (response.status_code, response.json()["code"]) == (403, "AUTH_PASSWORD_WRONG")
    assert response.json()["field"] == "old_password"
    assert call_with(f"Bearer {elsewhere['access_token']}").status_code == 200


def test_change_to_a_bad_password_answers_422(api, alice, tokens_of):
    response = change(api, tokens_of(alice), new="alice@example.com")

    assert response.status_code == 422
    assert [(fault["field"], fault["code"]) for fault in response.json()["errors"]] == [
        ("new_password", "password_too_similar")
    ]


def test_change_that_somebody_else_made_meanwhile_answers_403(api, alice, tokens_of, monkeypatch):
    tokens, look = tokens_of(alice), User.check_password

    def changed_after_the_look(user, raw):
        known = look(user, raw)
        User.objects.filter(pk=user.pk).update(password="!")
        return known

    monkeypatch.setattr(User, "check_password", changed_after_the_look)

    response = change(api, tokens)

    assert (response.status_code, response.json()["code"]) == (403, "AUTH_PASSWORD_WRONG")
    assert User.objects.get().password == "!"
