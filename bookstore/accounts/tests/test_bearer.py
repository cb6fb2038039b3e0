"""The header `Authorization: Bearer …`, on a call that needs one."""

from time import time

import pytest

from bookstore.accounts import tokens
from bookstore.accounts.authentication import BearerAuthentication
from bookstore.accounts.models import LoginSession, User
from bookstore.accounts.tests.factories import UserFactory

pytestmark = pytest.mark.django_db

NOT_AUTHENTICATED = {
    "detail": "Sign in first: send an access token as `Authorization: Bearer …`.",
    "code": "NOT_AUTHENTICATED",
}
OVER = {"detail": "The session of this token is over: sign in again.", "code": "AUTH_SESSION_OVER"}
INVALID = {
    "detail": "This access token is not valid (any more): refresh it, or sign in again.",
    "code": "AUTH_TOKEN_INVALID",
}
INACTIVE = {"detail": "The user of this token was deleted or deactivated.", "code": "AUTH_USER_INACTIVE"}


def test_valid_token_is_accepted(alice, tokens_of, call_with):
    response = call_with(f"Bearer {tokens_of(alice)['access_token']}")

    assert response.status_code == 200


@pytest.mark.parametrize("scheme", ["bearer", "BEARER", "BeArEr"])
def test_scheme_is_read_in_any_case(alice, tokens_of, call_with, scheme):
    assert call_with(f"{scheme} {tokens_of(alice)['access_token']}").status_code == 200


def test_token_good_a_moment_ago_is_refused_when_it_expires(alice, tokens_of, call_with, monkeypatch):
    """What was verified is remembered; that must not make a token live longer."""
    token = tokens_of(alice)["access_token"]
    before = call_with(f"Bearer {token}").status_code
    later = time() + 301
    monkeypatch.setattr(tokens, "time", lambda: later)

    response = call_with(f"Bearer {token}")

    assert before == 200
    assert (response.status_code, response.json()["code"]) == (401, "AUTH_TOKEN_EXPIRED")


def test_blanks_around_the_token_are_forgiven(alice, tokens_of, call_with):
    assert call_with(f" Bearer   {tokens_of(alice)['access_token']} ").status_code == 200


@pytest.mark.parametrize(
    "header",
    [None, "", " ", "Basic YWxpY2U6c2VjcmV0", "Token abc", "Bearertoken", "Bäarer x", "\xff\xfe", "\t", "Digest a, b"],
)
def test_no_bearer_token_answers_401_not_authenticated(call_with, header):
    response = call_with(header)

    assert response.status_code == 401
    assert response.json() == NOT_AUTHENTICATED
    assert response.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "header", ["Bearer", "Bearer ", "bearer   ", "Bearer x", "Bearer a.b.c", "Bearer é", "Bearer \xff"]
)
def test_bearer_of_nonsense_answers_401_token_invalid(call_with, header):
    response = call_with(header)

    assert response.status_code == 401
    assert response.json() == INVALID
    assert response.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("pattern", ["Bearer {0} {0}", "Bearer {0}, Bearer {0}", "Bearer Bearer {0}", "Bearer {0} x"])
def test_bearer_with_more_than_a_token_answers_401_token_invalid(alice, tokens_of, call_with, pattern):
    response = call_with(pattern.format(tokens_of(alice)["access_token"]))

    assert (response.status_code, response.json()) == (401, INVALID)


def test_token_in_the_query_is_not_read(api, alice, tokens_of):
    response = api.get("/cart", {"access_token": tokens_of(alice)["access_token"]})

    assert (response.status_code, response.json()) == (401, NOT_AUTHENTICATED)


def test_session_cookie_of_the_admin_site_is_not_read(api, alice):
    api.force_login(alice)

    assert api.get("/cart").status_code == 401


def test_deactivated_user_answers_401_user_inactive_at_once(alice, tokens_of, call_with):
    token = tokens_of(alice)["access_token"]
    User.objects.update(is_active=False)

    response = call_with(f"Bearer {token}")

    assert response.status_code == 401
    assert response.json() == INACTIVE
    assert response.headers["WWW-Authenticate"] == "Bearer"


def test_deleted_user_answers_401_user_inactive_on_the_next_request(alice, tokens_of, call_with):
    token = tokens_of(alice)["access_token"]
    alice.delete()

    response = call_with(f"Bearer {token}")

    assert (response.status_code, response.json()) == (401, INACTIVE)


def test_changed_password_answers_401_session_over_at_once(alice, tokens_of, call_with):
    token = tokens_of(alice)["access_token"]
    alice.set_password("another horse battery")
    alice.save()

    response = call_with(f"Bearer {token}")

    assert (response.status_code, response.json()) == (401, OVER)


def test_password_changed_by_a_bare_update_answers_401_session_over(alice, tokens_of, call_with):
    token = tokens_of(alice)["access_token"]
    User.objects.update(password="!")

    assert call_with(f"Bearer {token}").json() == OVER


def test_same_password_set_again_answers_401_session_over(alice, tokens_of, call_with):
    token = tokens_of(alice)["access_token"]
    alice.set_password("correct horse battery")
    alice.save()

    assert call_with(f"Bearer {token}").json() == OVER


def test_session_ended_by_staff_answers_401_session_over(alice, tokens_of, call_with):
    token = tokens_of(alice)["access_token"]
    LoginSession.objects.end()

    response = call_with(f"Bearer {token}")

    assert (response.status_code, response.json()) == (401, OVER)


def test_session_that_was_cleared_away_answers_401_session_over(alice, tokens_of, call_with):
    token = tokens_of(alice)["access_token"]
    LoginSession.objects.all().delete()

    assert call_with(f"Bearer {token}").json() == OVER


def test_changed_email_keeps_the_token_good(alice, tokens_of, call_with):
    token = tokens_of(alice)["access_token"]
    User.objects.update(email="alice.liddell@example.com")

    assert call_with(f"Bearer {token}").status_code == 200


def test_role_is_decided_by_the_database_and_not_by_the_token(api, alice, client_for):
    User.objects.update(is_staff=True)
    alice.refresh_from_db()
    client = client_for(alice)
    User.objects.update(is_staff=False)

    response = client.post("/genres", {"name": "Gothic fiction"})

    assert (response.status_code, response.json()["code"]) == (403, "AUTH_FORBIDDEN")


@pytest.mark.parametrize("users", [1, 3])
def test_checking_a_token_costs_one_query(rf, users, tokens_of, django_assert_num_queries):
    readers = [UserFactory() for _ in range(users)]
    token = [tokens_of(reader) for reader in readers][-1]["access_token"]
    request = rf.get("/cart", HTTP_AUTHORIZATION=f"Bearer {token}")

    with django_assert_num_queries(1):
        user, caller = BearerAuthentication().authenticate(request)
        assert user == readers[-1]  # the first look asks, the second does not

    assert user.email == readers[-1].email
    assert caller.claims.user_id == readers[-1].pk
