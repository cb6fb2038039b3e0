"""POST /auth/logout"""

import pytest

from bookstore.accounts.models import LoginSession

pytestmark = pytest.mark.django_db


def logout(api, refresh_token):
    return api.post("/auth/logout", {"refresh_token": refresh_token})


def test_logout_answers_204_and_ends_the_session(api, alice, tokens_of):
    token = tokens_of(alice)["refresh_token"]

    response = logout(api, token)

    assert (response.status_code, response.content) == (204, b"")
    assert not LoginSession.objects.going_on().exists()


def test_logout_ends_the_access_tokens_of_the_session_at_once(api, alice, tokens_of, call_with):
    tokens = tokens_of(alice)
    assert call_with(f"Bearer {tokens['access_token']}").status_code == 200

    logout(api, tokens["refresh_token"])

    response = call_with(f"Bearer {tokens['access_token']}")
    assert (response.status_code, response.json()["code"]) == (401, "AUTH_SESSION_OVER")


def test_logout_leaves_the_other_sessions_alone(api, alice, bob, tokens_of, call_with):
    here, elsewhere, bobs = tokens_of(alice), tokens_of(alice), tokens_of(bob)

    logout(api, here["refresh_token"])

    assert call_with(f"Bearer {elsewhere['access_token']}").status_code == 200
    assert call_with(f"Bearer {bobs['access_token']}").status_code == 200


def test_logout_twice_answers_204(api, alice, tokens_of):
    token = tokens_of(alice)["refresh_token"]

    assert [logout(api, token).status_code for _ in range(2)] == [204, 204]


def test_logout_with_a_used_token_ends_the_session(api, alice, tokens_of):
    used = tokens_of(alice)["refresh_token"]
    api.post("/auth/refresh", {"refresh_token": used})

    response = logout(api, used)

    assert response.status_code == 204
    assert not LoginSession.objects.going_on().exists()


def test_logout_of_a_deleted_user_answers_204(api, alice, tokens_of):
    token = tokens_of(alice)["refresh_token"]
    alice.delete()

    assert logout(api, token).status_code == 204


def test_logout_with_an_access_token_answers_204_and_ends_nothing(api, alice, tokens_of):
    response = logout(api, tokens_of(alice)["access_token"])

    assert response.status_code == 204
    assert LoginSession.objects.going_on().exists()


def test_logout_with_a_refresh_token_looks_at_no_bearer_token(api, alice, tokens_of):
    api.credentials(HTTP_AUTHORIZATION="Bearer nonsense")

    assert logout(api, tokens_of(alice)["refresh_token"]).status_code == 204


def test_logout_without_refresh_token_ends_the_bearers_session(api, alice, tokens_of, call_with):
    here, elsewhere = tokens_of(alice), tokens_of(alice)
    api.credentials(HTTP_AUTHORIZATION=f"Bearer {here['access_token']}")

    response = api.post("/auth/logout", {})

    assert (response.status_code, response.content) == (204, b"")
    assert call_with(f"Bearer {here['access_token']}").json()["code"] == "AUTH_SESSION_OVER"
    assert call_with(f"Bearer {elsewhere['access_token']}").status_code == 200


def test_logout_with_a_bearer_token_that_is_not_good_answers_401(api):
    api.credentials(HTTP_AUTHORIZATION="Bearer nonsense")

    response = api.post("/auth/logout", {})

    assert (response.status_code, response.json()["code"]) == (401, "AUTH_TOKEN_INVALID")


def test_logout_with_a_token_that_names_no_session_answers_204(api):
    assert logout(api, "a.b.c").status_code == 204


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b"[]",
        b"7",
        b'"token"',
        b'{"refresh_token": null}',
        b'{"refresh_token": 7}',
        b'{"refresh_token": ["x"]}',
        b'{"refresh_token": ""}',
        b'{"refresh_token": "\\u0000"}',
        b'{"refresh_token": "\\ud800"}',
        b"",
    ],
)
def test_logout_answers_422_for_a_body_that_names_no_session(api, body):
    response = api.post("/auth/logout", body, content_type="application/json")

    assert (response.status_code, response.json()["code"]) == (422, "VALIDATION_ERROR")


def test_logout_answers_400_for_a_body_that_is_no_json(api):
    response = api.post("/auth/logout", b"{", content_type="application/json")

    assert (response.status_code, response.json()["code"]) == (400, "PARSE_ERROR")


def test_logout_costs_one_query(api, alice, tokens_of, django_assert_num_queries):
    token = tokens_of(alice)["refresh_token"]

    with django_assert_num_queries(1):
        logout(api, token)
