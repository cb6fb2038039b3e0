"""Tokens after a restore, when ids of users and sessions are used again, and in a copy of the database."""

import jwt
import pytest
from django.conf import settings as django_settings

from bookstore.accounts import tokens
from bookstore.accounts.models import LoginSession, User
from bookstore.accounts.tests.factories import UserFactory

pytestmark = pytest.mark.django_db

GONE = {"ses", "iss", "aud"}  # the claims that tokens of earlier releases do not have


def as_an_earlier_release_made_it(token: str) -> str:
    options = {"verify_signature": False}
    claims = {name: value for name, value in jwt.decode(token, options=options).items() if name not in GONE}
    return jwt.encode(claims, django_settings.JWT_SIGNING_KEY, "HS256")


@pytest.fixture
def restored(alice):
    """Eve's tokens after a restore of a backup from before her registration: her ids are now Alice's."""
    eve = UserFactory(email="eve@example.com")
    session = LoginSession.objects.begin(eve)
    eves = tokens.issue(session)
    ids = eve.pk, session.pk
    eve.delete()
    User.objects.filter(pk=alice.pk).update(id=ids[0])
    LoginSession.objects.filter(pk=LoginSession.objects.begin(User.objects.get()).pk).update(id=ids[1])
    return eves


def test_token_from_before_a_restore_opens_nobodys_cart(restored, call_with):
    response = call_with(f"Bearer {restored['access_token']}")

    assert (response.status_code, response.json()["code"]) == (401, "AUTH_SESSION_OVER")


def test_token_from_before_a_restore_refreshes_and_ends_nothing(api, restored):
    refreshed = api.post("/auth/refresh", {"refresh_token": restored["refresh_token"]})
    api.post("/auth/logout", {"refresh_token": restored["refresh_token"]})

    assert (refreshed.status_code, refreshed.json()["code"]) == (401, "AUTH_REFRESH_INVALID")
    assert LoginSession.objects.going_on().count() == 1


def test_tokens_of_an_earlier_release_stay_good(api, alice, tokens_of, call_with):
    issued = tokens_of(alice)
    LoginSession.objects.update(identity="")  # as the migration leaves it
    access, refresh = (as_an_earlier_release_made_it(issued[name]) for name in ("access_token", "refresh_token"))

    successor = api.post("/auth/refresh", {"refresh_token": refresh})

    assert successor.status_code == 200
    assert call_with(f"Bearer {access}").status_code == 200
    assert call_with(f"Bearer {successor.json()['access_token']}").status_code == 200
    assert api.post("/auth/refresh", {"refresh_token": successor.json()["refresh_token"]}).status_code == 200


def test_token_of_an_earlier_release_opens_no_later_session(alice, tokens_of, call_with):
    access = as_an_earlier_release_made_it(tokens_of(alice)["access_token"])

    assert call_with(f"Bearer {access}").json()["code"] == "AUTH_SESSION_OVER"


def test_a_copy_of_the_database_under_another_name_takes_no_token(api, alice, tokens_of, call_with, settings):
    issued = tokens_of(alice)
    settings.TOKEN_ISSUERS = ("rehearsal.example",)

    access = call_with(f"Bearer {issued['access_token']}")
    refreshed = api.post("/auth/refresh", {"refresh_token": issued["refresh_token"]})

    assert (access.status_code, access.json()["code"]) == (401, "AUTH_TOKEN_INVALID")
    assert (refreshed.status_code, refreshed.json()["code"]) == (401, "AUTH_REFRESH_INVALID")


def test_a_host_that_is_added_before_the_others_signs_nobody_out(alice, tokens_of, call_with, settings):
    settings.TOKEN_ISSUERS = ("shop.example",)
    before = tokens_of(alice)["access_token"]

    settings.TOKEN_ISSUERS = ("new.shop.example", "shop.example")

    assert call_with(f"Bearer {before}").status_code == 200
    issued = jwt.decode(tokens_of(alice)["access_token"], options={"verify_signature": False})
    assert (issued["iss"], issued["aud"]) == ("new.shop.example", "new.shop.example")
