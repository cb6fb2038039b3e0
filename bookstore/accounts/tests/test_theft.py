"""The use of a stolen refresh token: before its owner used it, within the grace, and after it."""

from datetime import timedelta

import pytest
from django.db.models import F

from bookstore.accounts.models import LoginSession

pytestmark = pytest.mark.django_db


def refresh(api, refresh_token):
    return api.post("/auth/refresh", {"refresh_token": refresh_token})


def minutes_later():
    LoginSession.objects.update(rotated_at=F("rotated_at") - timedelta(minutes=5))


def test_thief_who_refreshed_first_is_out_at_the_owners_refresh(api, alice, tokens_of, call_with):
    stolen = tokens_of(alice)["refresh_token"]
    thiefs = refresh(api, stolen).json()
    minutes_later()

    owner = refresh(api, stolen)

    assert owner.json()["code"] == "AUTH_TOKEN_REUSE"
    assert call_with(f"Bearer {thiefs['access_token']}").json()["code"] == "AUTH_SESSION_OVER"
    assert refresh(api, thiefs["refresh_token"]).json()["code"] == "AUTH_REFRESH_INVALID"


def test_thief_within_the_grace_is_noticed_when_both_go_on(api, alice, tokens_of, call_with):
    stolen = tokens_of(alice)["refresh_token"]
    owners, thiefs = refresh(api, stolen).json(), refresh(api, stolen).json()
    assert call_with(f"Bearer {thiefs['access_token']}").status_code == 200  # until then both are in
    minutes_later()
    owners_next = refresh(api, owners["refresh_token"]).json()
    minutes_later()

    thief = refresh(api, thiefs["refresh_token"])

    assert thief.json()["code"] == "AUTH_TOKEN_REUSE"
    assert call_with(f"Bearer {owners_next['access_token']}").json()["code"] == "AUTH_SESSION_OVER"


def test_thief_after_the_grace_gains_nothing_and_ends_the_session(api, alice, tokens_of, call_with):
    stolen, elsewhere = tokens_of(alice)["refresh_token"], tokens_of(alice)
    owners = refresh(api, stolen).json()
    minutes_later()

    thief = refresh(api, stolen)

    assert (thief.status_code, thief.json()["code"]) == (401, "AUTH_TOKEN_REUSE")
    assert call_with(f"Bearer {owners['access_token']}").json()["code"] == "AUTH_SESSION_OVER"
    assert call_with(f"Bearer {elsewhere['access_token']}").status_code == 200
