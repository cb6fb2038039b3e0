"""POST /auth/refresh"""

from datetime import timedelta

import jwt
import pytest
from django.db.models import F

from bookstore.accounts import tokens
from bookstore.accounts.models import LoginSession, User
from bookstore.accounts.tests.factories import PASSWORD

pytestmark = pytest.mark.django_db

INVALID = {
    "detail": "This refresh token is not valid (any more): sign in again.",
    "code": "AUTH_REFRESH_INVALID",
}
REUSED = {
    "detail": "This refresh token was used before, so its session is over: sign in again.",
    "code": "AUTH_TOKEN_REUSE",
}


def refresh(api, refresh_token):
    return api.post("/auth/refresh", {"refresh_token": refresh_token})


def test_refresh_answers_200_with_new_tokens(api, alice, tokens_of, call_with):
    old = tokens_of(alice)

    response = refresh(api, old["refresh_token"])

    assert response.status_code == 200
    new = response.json()
    assert set(new) == {"access_token", "refresh_token", "token_type", "expires_in"}
    assert new["refresh_token"] != old["refresh_token"]
    assert response.headers["Cache-Control"] == "no-store"
    assert call_with(f"Bearer {new['access_token']}").status_code == 200


def test_refresh_goes_on_and_on_in_one_session(api, alice, tokens_of):
    token = tokens_of(alice)["refresh_token"]

    for _ in range(3):
        token = refresh(api, token).json()["refresh_token"]

    assert LoginSession.objects.count() == 1


def test_refresh_prolongs_the_session(api, alice, tokens_of):
    token = tokens_of(alice)["refresh_token"]
    session = LoginSession.objects.get()
    LoginSession.objects.update(expires_at=session.expires_at - timedelta(days=6))

    refresh(api, token)

    assert LoginSession.objects.get().expires_at >= session.expires_at


def test_refresh_leaves_the_earlier_access_token_to_its_five_minutes(api, alice, tokens_of, call_with):
    old = tokens_of(alice)

    refresh(api, old["refresh_token"])

    assert call_with(f"Bearer {old['access_token']}").status_code == 200


def seconds_later(seconds):
    """As if the last refresh of every session had been so long ago."""
    LoginSession.objects.update(rotated_at=F("rotated_at") - timedelta(seconds=seconds))


def test_refresh_again_within_the_grace_answers_the_same_successor(api, alice, tokens_of, call_with):
    used = tokens_of(alice)["refresh_token"]
    first = refresh(api, used).json()

    again = [refresh(api, used).json() for _ in range(3)]

    assert {answer["refresh_token"] for answer in again} == {first["refresh_token"]}
    assert [call_with(f"Bearer {answer['access_token']}").status_code for answer in again] == [200] * 3
    assert refresh(api, first["refresh_token"]).status_code == 200


def test_refresh_within_the_grace_does_not_prolong_the_grace(api, alice, tokens_of):
    used = tokens_of(alice)["refresh_token"]
    refresh(api, used)
    seconds_later(20)
    refresh(api, used)
    seconds_later(11)

    assert refresh(api, used).json() == REUSED


@pytest.mark.parametrize(("grace", "seconds"), [(30, 31), (0, 0), (1, 2)])
def test_refresh_with_a_used_token_after_the_grace_answers_401_reuse(api, alice, tokens_of, settings, grace, seconds):
    settings.REFRESH_GRACE_SECONDS = grace
    used = tokens_of(alice)["refresh_token"]
    refresh(api, used)
    seconds_later(seconds)

    response = refresh(api, used)

    assert response.status_code == 401
    assert response.json() == REUSED
    assert response.headers["WWW-Authenticate"] == "Bearer"
    assert response.headers["Cache-Control"] == "no-store"


def test_refresh_with_the_token_before_the_used_one_answers_401_reuse(api, alice, tokens_of):
    oldest = tokens_of(alice)["refresh_token"]
    refresh(api, refresh(api, oldest).json()["refresh_token"])

    assert refresh(api, oldest).json() == REUSED


def test_reuse_ends_that_session_and_no_other(api, alice, bob, tokens_of, call_with, settings):
    settings.REFRESH_GRACE_SECONDS = 0
    used, elsewhere, bobs = tokens_of(alice)["refresh_token"], tokens_of(alice), tokens_of(bob)
    successor = refresh(api, used).json()

    refresh(api, used)

    assert refresh(api, successor["refresh_token"]).json() == INVALID
    assert call_with(f"Bearer {successor['access_token']}").json()["code"] == "AUTH_SESSION_OVER"
    for tokens_elsewhere in (elsewhere, bobs):
        assert call_with(f"Bearer {tokens_elsewhere['access_token']}").status_code == 200
        assert refresh(api, tokens_elsewhere["refresh_token"]).status_code == 200


def test_refresh_with_a_used_token_answers_401_reuse_every_time(api, alice, tokens_of, settings):
    settings.REFRESH_GRACE_SECONDS = 0
    used = tokens_of(alice)["refresh_token"]
    refresh(api, used)

    answers = [refresh(api, used).json() for _ in range(3)]

    assert answers == [REUSED] * 3


def test_used_refresh_token_of_a_signed_out_session_ends_nothing(api, alice, tokens_of, call_with):
    used, elsewhere = tokens_of(alice)["refresh_token"], tokens_of(alice)
    successor = refresh(api, used).json()["refresh_token"]
    api.post("/auth/logout", {"refresh_token": successor})

    assert refresh(api, used).json() == INVALID
    assert call_with(f"Bearer {elsewhere['access_token']}").status_code == 200
    assert refresh(api, elsewhere["refresh_token"]).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_refresh_reuse_is_committed_although_the_answer_is_an_error(api, alice, tokens_of, settings):
    settings.REFRESH_GRACE_SECONDS = 0
    used = tokens_of(alice)["refresh_token"]
    refresh(api, used)

    refresh(api, used)

    assert not LoginSession.objects.going_on().exists()


def test_signing_in_after_a_reuse_works(api, alice, tokens_of, call_with, settings):
    settings.REFRESH_GRACE_SECONDS = 0
    used = tokens_of(alice)["refresh_token"]
    refresh(api, used)
    refresh(api, used)

    response = api.post("/auth/login", {"email": "alice@example.com", "password": PASSWORD})

    assert call_with(f"Bearer {response.json()['access_token']}").status_code == 200


def test_refresh_after_logout_answers_401(api, alice, tokens_of):
    token = tokens_of(alice)["refresh_token"]
    api.post("/auth/logout", {"refresh_token": token})

    response = refresh(api, token)

    assert (response.status_code, response.json()) == (401, INVALID)


def test_refresh_of_a_deactivated_user_answers_401(api, alice, tokens_of):
    token = tokens_of(alice)["refresh_token"]
    User.objects.update(is_active=False)

    response = refresh(api, token)

    assert (response.status_code, response.json()) == (401, INVALID)


def test_refresh_of_a_deleted_user_answers_401(api, alice, tokens_of):
    token = tokens_of(alice)["refresh_token"]
    alice.delete()

    response = refresh(api, token)

    assert (response.status_code, response.json()) == (401, INVALID)


def test_refresh_after_a_change_of_the_password_answers_401(api, alice, tokens_of):
    token = tokens_of(alice)["refresh_token"]
    alice.set_password("another horse battery")
    alice.save()

    response = refresh(api, token)

    assert (response.status_code, response.json()) == (401, INVALID)


def test_used_refresh_token_after_a_password_change_ends_nothing(api, alice, tokens_of, call_with):
    used = tokens_of(alice)["refresh_token"]
    refresh(api, used)
    alice.set_password("another horse battery")
    alice.save()
    fresh = tokens_of(alice)

    assert refresh(api, used).json() == INVALID
    assert call_with(f"Bearer {fresh['access_token']}").status_code == 200


def test_refresh_with_an_access_token_answers_401(api, alice, tokens_of):
    response = refresh(api, tokens_of(alice)["access_token"])

    assert (response.status_code, response.json()) == (401, INVALID)


@pytest.mark.parametrize("token", ["x", "a.b.c", " ", "ключ", "e" * 5000, "[" * 100_000, "." * 2, "eyJ9..", "a\u00a0b"])
def test_refresh_with_nonsense_answers_401(api, token):
    response = refresh(api, token)

    assert (response.status_code, response.json()) == (401, INVALID)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "required"),
        ({"refresh_token": None}, "null"),
        ({"refresh_token": ""}, "blank"),
        ({"refresh_token": 7}, "invalid"),
        ({"refresh_token": ["x"]}, "invalid"),
        ({"refresh_token": "a\0"}, "null_characters_not_allowed"),
    ],
)
def test_refresh_answers_422_without_a_token_in_the_body(api, body, code):
    response = api.post("/auth/refresh", body)

    assert response.status_code == 422
    assert [(fault["field"], fault["code"]) for fault in response.json()["errors"]] == [("refresh_token", code)]


def test_refresh_costs_three_queries_and_a_transaction(api, alice, tokens_of, django_assert_num_queries):
    token = tokens_of(alice)["refresh_token"]

    with django_assert_num_queries(5):  # two of them begin and end the transaction
        refresh(api, token)


def test_refresh_token_names_its_session_and_says_when_it_expires(alice):
    session = LoginSession.objects.begin(alice)
    session.expires_at -= timedelta(days=3)

    token = tokens.issue(session)["refresh_token"]

    claims = tokens.read_refresh(token)
    assert (claims.user_id, claims.session_id, claims.jti) == (alice.pk, session.pk, session.refresh_jti)
    assert jwt.decode(token, options={"verify_signature": False})["exp"] == int(session.expires_at.timestamp())
