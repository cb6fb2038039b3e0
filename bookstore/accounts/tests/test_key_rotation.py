"""Rotating the signing key signs nobody out: the previous key is accepted for a while, no other is."""

import time

import jwt
import pytest
from django.conf import settings as django_settings
from django.core import signing

from bookstore.accounts import tokens

OLD = "the-signing-key-of-last-year-0123456789-abcdefghij"
NEW = "the-signing-key-of-this-year-0123456789-abcdefghij"
OTHER = "a-signing-key-of-somebody-else-0123456789-abcdefgh"


@pytest.fixture
def key_changed(settings):
    """The settings in the middle of a rotation."""

    def change(*, previous):
        settings.JWT_SIGNING_KEY = NEW
        settings.JWT_SIGNING_KEY_PREVIOUS = previous

    settings.JWT_SIGNING_KEY = OLD
    settings.JWT_SIGNING_KEY_PREVIOUS = ""
    return change


def claims_of(token, key):
    return jwt.decode(token, key, algorithms=["HS256"], audience=django_settings.TOKEN_ISSUERS[0])


def signed_with(token, key):
    try:
        claims_of(token, key)
    except jwt.InvalidSignatureError:
        return False
    return True


def test_access_token_of_the_previous_key_is_still_accepted(alice, tokens_of, call_with, key_changed):
    before = tokens_of(alice)["access_token"]

    key_changed(previous=OLD)

    assert signed_with(before, OLD)
    assert call_with(f"Bearer {before}").status_code == 200


def test_access_token_of_the_previous_key_is_refused_after_the_change(alice, tokens_of, call_with, key_changed):
    before = tokens_of(alice)["access_token"]

    key_changed(previous="")

    response = call_with(f"Bearer {before}")
    assert (response.status_code, response.json()["code"]) == (401, "AUTH_TOKEN_INVALID")


def test_refresh_token_of_the_previous_key_gives_new_key_tokens(api, alice, tokens_of, call_with, key_changed):
    before = tokens_of(alice)["refresh_token"]
    key_changed(previous=OLD)

    refreshed = api.post("/auth/refresh", {"refresh_token": before})

    assert refreshed.status_code == 200
    assert all(signed_with(refreshed.json()[name], NEW) for name in ("access_token", "refresh_token"))
    assert not any(signed_with(refreshed.json()[name], OLD) for name in ("access_token", "refresh_token"))
    key_changed(previous="")
    assert call_with(f"Bearer {refreshed.json()['access_token']}").status_code == 200


def test_new_tokens_are_signed_with_the_new_key_only(alice, tokens_of, key_changed):
    key_changed(previous=OLD)

    issued = tokens_of(alice)["access_token"]

    assert signed_with(issued, NEW)
    assert not signed_with(issued, OLD)


def test_replayed_refresh_token_of_the_previous_key_is_still_a_reuse(api, alice, tokens_of, key_changed, settings):
    settings.REFRESH_GRACE_SECONDS = 0
    before = tokens_of(alice)["refresh_token"]
    key_changed(previous=OLD)
    api.post("/auth/refresh", {"refresh_token": before})

    replayed = api.post("/auth/refresh", {"refresh_token": before})

    assert (replayed.status_code, replayed.json()["code"]) == (401, "AUTH_TOKEN_REUSE")


def test_expired_token_of_the_previous_key_says_that_it_expired(alice, tokens_of, call_with, key_changed):
    claims = jwt.decode(
        tokens_of(alice)["access_token"], OLD, algorithms=["HS256"], audience=django_settings.TOKEN_ISSUERS[0]
    )
    expired = jwt.encode(claims | {"exp": int(time.time()) - 1}, OLD, algorithm="HS256")

    key_changed(previous=OLD)

    assert call_with(f"Bearer {expired}").json()["code"] == "AUTH_TOKEN_EXPIRED"


@pytest.mark.parametrize(
    "forge",
    [
        lambda claims: jwt.encode(claims, OTHER, algorithm="HS256"),
        lambda claims: jwt.encode(claims, OLD, algorithm="HS384"),
        lambda claims: jwt.encode(claims, "", algorithm="none"),
        lambda claims: jwt.encode(claims | {"token_type": "refresh"}, OLD, algorithm="HS256"),
        lambda claims: jwt.encode(claims | {"sub": "1 "}, OLD, algorithm="HS256"),
        lambda claims: jwt.encode(claims | {"exp": None}, OLD, algorithm="HS256"),
        lambda claims: jwt.encode(claims, OLD, algorithm="HS256")[:-43] + "A" * 43,
    ],
    ids=["another key", "HS384", "none", "refresh as access", "sub", "no exp", "no signature"],
)
def test_forged_token_is_refused_during_the_change(alice, tokens_of, call_with, key_changed, forge):
    claims = jwt.decode(
        tokens_of(alice)["access_token"], OLD, algorithms=["HS256"], audience=django_settings.TOKEN_ISSUERS[0]
    )
    key_changed(previous=OLD)
    assert call_with(f"Bearer {jwt.encode(claims, OLD, algorithm='HS256')}").status_code == 200

    response = call_with(f"Bearer {forge(claims)}")

    assert (response.status_code, response.json()["code"]) == (401, "AUTH_TOKEN_INVALID")


def test_without_a_previous_key_an_empty_key_signs_nothing(alice, tokens_of, call_with, key_changed):
    claims = jwt.decode(
        tokens_of(alice)["access_token"], OLD, algorithms=["HS256"], audience=django_settings.TOKEN_ISSUERS[0]
    )
    header, payload, _ = jwt.encode(claims, OLD, algorithm="HS256").split(".")
    signature = jwt.utils.base64url_encode(
        jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256).sign(f"{header}.{payload}".encode(), b"")
    )

    response = call_with(f"Bearer {header}.{payload}.{signature.decode()}")

    assert (response.status_code, response.json()["code"]) == (401, "AUTH_TOKEN_INVALID")


def test_the_keys_are_not_read_anew_for_each_token():
    assert tokens.keys(OLD, NEW, ("shop.example",)) is tokens.keys(OLD, NEW, ("shop.example",))


def test_secret_key_fallbacks_accept_the_previous_signatures(settings):
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = OLD, []
    signed = signing.dumps("alice")
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = NEW, [OLD]

    assert signing.loads(signed) == "alice"
    with pytest.raises(signing.BadSignature):
        signing.loads(signing.dumps("alice", key=OTHER))
