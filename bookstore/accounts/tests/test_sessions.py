"""GET and DELETE /auth/sessions"""

import pytest

from bookstore.accounts.models import LoginSession
from bookstore.accounts.tests.factories import PASSWORD

pytestmark = pytest.mark.django_db


def sign_in(api, **headers):
    return api.post("/auth/login", {"email": "alice@example.com", "password": PASSWORD}, **headers).json()


def with_token(api, tokens):
    api.credentials(HTTP_AUTHORIZATION=f"Bearer {tokens['access_token']}")
    return api


def test_list_tells_device_address_and_which_is_this_one(api, alice):
    sign_in(api, HTTP_USER_AGENT="Phone/1.0", REMOTE_ADDR="198.51.100.7")
    here = sign_in(api, HTTP_USER_AGENT="Browser/2.0", REMOTE_ADDR="2001:db8:1:2::3")

    response = with_token(api, here).get("/auth/sessions")

    assert response.status_code == 200
    body = response.json()
    told = [(session["device"], session["address"], session["current"]) for session in body["items"]]
    assert told == [("Browser/2.0", "2001:db8:1::/48", True), ("Phone/1.0", "198.51.100.0/24", False)]
    assert set(body["items"][0]) == {"created_at", "last_used_at", "expires_at", "device", "address", "current"}
    assert body["notices"] == []


@pytest.mark.parametrize(("setting", "kept"), [("full", "198.51.100.7"), ("network", "198.51.100.0/24"), ("off", "")])
def test_address_is_kept_as_the_setting_allows(api, alice, settings, setting, kept):
    settings.SESSION_ADDRESS = setting

    sign_in(api, REMOTE_ADDR="198.51.100.7")

    assert LoginSession.objects.get().address == kept


def test_device_is_shortened_and_printable(api, alice):
    sign_in(api, HTTP_USER_AGENT="A\x07b" + "x" * 500)

    assert LoginSession.objects.get().device == "Ab" + "x" * 197


def test_list_has_no_session_that_is_over_and_none_of_others(api, alice, bob, tokens_of):
    LoginSession.objects.begin(bob)
    over = LoginSession.objects.begin(alice)
    LoginSession.objects.filter(pk=over.pk).end()

    body = with_token(api, tokens_of(alice)).get("/auth/sessions").json()

    assert [session["current"] for session in body["items"]] == [True]


def test_list_has_a_notice_of_a_session_whose_token_came_again(api, alice, tokens_of, settings):
    settings.REFRESH_GRACE_SECONDS = 0
    stolen = tokens_of(alice)["refresh_token"]
    for _ in range(2):
        api.post("/auth/refresh", {"refresh_token": stolen})

    body = with_token(api, tokens_of(alice)).get("/auth/sessions").json()

    assert [notice["code"] for notice in body["notices"]] == ["AUTH_TOKEN_REUSE"]
    assert body["notices"][0]["ended_at"] is not None


@pytest.mark.parametrize(("query", "here_goes_on"), [("", True), ("?scope=others", True), ("?scope=all", False)])
def test_end_ends_the_others_or_all(api, alice, bob, tokens_of, call_with, query, here_goes_on):
    here, elsewhere, bobs = tokens_of(alice), tokens_of(alice), tokens_of(bob)

    response = with_token(api, here).delete(f"/auth/sessions{query}")

    assert (response.status_code, response.content) == (204, b"")
    assert (call_with(f"Bearer {here['access_token']}").status_code == 200) is here_goes_on
    assert call_with(f"Bearer {elsewhere['access_token']}").json()["code"] == "AUTH_SESSION_OVER"
    assert call_with(f"Bearer {bobs['access_token']}").status_code == 200


def test_end_with_another_scope_answers_422_and_ends_nothing(api, alice, tokens_of):
    elsewhere = tokens_of(alice)

    response = with_token(api, tokens_of(alice)).delete("/auth/sessions?scope=mine")

    assert (response.status_code, response.json()["field"]) == (422, "scope")
    assert response.json()["detail"] == '"mine" is not one of others, all.'
    assert with_token(api, elsewhere).get("/auth/sessions").status_code == 200


def test_end_with_two_scopes_answers_422_and_ends_nothing(api, alice, tokens_of):
    elsewhere = tokens_of(alice)

    response = with_token(api, tokens_of(alice)).delete("/auth/sessions?scope=all&scope=others")

    assert (response.status_code, response.json()["field"]) == (422, "scope")
    assert with_token(api, elsewhere).get("/auth/sessions").status_code == 200


@pytest.mark.parametrize("sessions", [1, 3])
def test_list_costs_the_same_for_any_number(api, alice, tokens_of, django_assert_num_queries, sessions):
    for _ in range(sessions):
        tokens = tokens_of(alice)

    with django_assert_num_queries(3):  # the caller, and each of the two lists
        with_token(api, tokens).get("/auth/sessions")
