"""Forged, changed and foreign tokens: all are refused, and none causes a 500.

The tokens are made by PyJWT or by hand, not by the code under test. `signed` ones have the right key: their claims
must still be exactly as we issue them.
"""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import jwt
import pytest
from django.conf import settings

from bookstore.accounts import tokens
from bookstore.accounts.models import LoginSession
from bookstore.accounts.tests.factories import UserFactory

pytestmark = pytest.mark.django_db

KEY = settings.JWT_SIGNING_KEY
OTHER_KEY = "another-signing-key-0123456789-0123456789-0123456789-0123456789-012345"
ABSENT = object()


@pytest.fixture
def claims(alice) -> dict[str, Any]:
    """Those of a good access token of Alice's."""
    session = LoginSession.objects.begin(alice)
    return {
        "token_type": "access",
        "exp": int(time.time()) + 300,
        "iat": int(time.time()),
        "jti": "0" * 32,
        "sub": str(alice.pk),
        "role": "user",
        "sid": session.pk,
        "ses": session.identity,
        "iss": settings.TOKEN_ISSUERS[0],
        "aud": settings.TOKEN_ISSUERS[0],
    }


def signed(claims: dict[str, Any], key: str = KEY, algorithm: str = "HS256", **headers: Any) -> str:
    return jwt.encode(claims, key, algorithm=algorithm, headers=headers or None)


def with_changes(claims: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """The claims with others, and without those that are ABSENT."""
    now = int(time.time())
    changed = {name: value for name, value in (claims | changes).items() if value is not ABSENT}
    return {
        name: now + int(value.total_seconds()) if isinstance(value, timedelta) else value
        for name, value in changed.items()
    }


def part(data: Any) -> str:
    raw = data if isinstance(data, bytes) else json.dumps(data).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def by_hand(header: Any, payload: Any, key: str = KEY, digest: Any = hashlib.sha256) -> str:
    content = f"{part(header)}.{part(payload)}"
    return f"{content}.{part(hmac.new(key.encode(), content.encode(), digest).digest())}"


def test_token_made_here_like_a_good_one_is_accepted(claims, call_with):
    """Otherwise each refusal below could have another reason."""
    assert call_with(f"Bearer {signed(claims)}").status_code == 200
    assert call_with(f"Bearer {by_hand({'alg': 'HS256', 'typ': 'JWT'}, claims)}").status_code == 200


# A timedelta is counted from the test's own now: a run may take longer than clocks differ.
CHANGED_CLAIMS = {
    "expired": {"exp": timedelta(seconds=-1)},
    "expired within the leeway of clocks": {"exp": timedelta(seconds=-tokens.CLOCKS_DIFFER // 2)},
    "expired long ago": {"exp": 1},
    "not yet valid": {"nbf": timedelta(hours=1)},
    "issued in the future": {"iat": timedelta(hours=1)},
    "issued further ahead than clocks differ": {"iat": timedelta(seconds=tokens.CLOCKS_DIFFER + 60)},
    "refresh as access": {"token_type": "refresh"},
    "unknown type": {"token_type": "sliding"},
    "type is null": {"token_type": None},
    "type is missing": {"token_type": ABSENT},
    "sub is missing": {"sub": ABSENT},
    "sub is null": {"sub": None},
    "sub is empty": {"sub": ""},
    "sub is a number": {"sub": 1},
    "sub is no number": {"sub": "alice"},
    "sub is an email": {"sub": "alice@example.com"},
    "sub is a float": {"sub": "1.0"},
    "sub is negative": {"sub": "-1"},
    "sub is zero": {"sub": "0"},
    "sub has a sign": {"sub": "+1"},
    "sub has a blank": {"sub": " 1"},
    "sub has a leading zero": {"sub": "01"},
    "sub has an underscore": {"sub": "1_0"},
    "sub in other digits": {"sub": "١"},
    "sub is 2**63": {"sub": str(2**63)},
    "sub is huge": {"sub": "9" * 19},
    "sub is a list": {"sub": ["1"]},
    "sub is an object": {"sub": {"id": 1}},
    "sub is true": {"sub": True},
    "sub has a NUL": {"sub": "1\0"},
    "jti is missing": {"jti": ABSENT},
    "jti is null": {"jti": None},
    "jti is a number": {"jti": 7},
    "jti has a NUL": {"jti": "0" * 31 + "\0"},
    "jti is too long": {"jti": "0" * 33},
    "exp is missing": {"exp": ABSENT},
    "exp is null": {"exp": None},
    "exp is a word": {"exp": "never"},
    "exp is huge": {"exp": 10**18},
    "exp is a list": {"exp": [4_000_000_000]},
    "exp is true": {"exp": True},
    "iat is a word": {"iat": "now"},
    "sid is missing": {"sid": ABSENT},
    "sid is null": {"sid": None},
    "sid is a string": {"sid": "1"},
    "sid is a float": {"sid": 1.0},
    "sid is true": {"sid": True},
    "sid is zero": {"sid": 0},
    "sid is negative": {"sid": -1},
    "sid is 2**63": {"sid": 2**63},
    "sid is of nobody": {"sid": 2**63 - 1},
    "ses is missing": {"ses": ABSENT},
    "ses is null": {"ses": None},
    "ses is empty": {"ses": ""},
    "ses is a number": {"ses": 0},
    "ses has a NUL": {"ses": "0" * 31 + "\0"},
    "ses is of nobody": {"ses": "0" * 32},
    "all of the deployment is missing": {"ses": ABSENT, "iss": ABSENT, "aud": ABSENT},
    "iss is missing": {"iss": ABSENT},
    "iss is another shop": {"iss": "rehearsal.example"},
    "iss is a list": {"iss": [settings.TOKEN_ISSUERS[0]]},
    "aud is missing": {"aud": ABSENT},
    "aud is another shop": {"aud": "rehearsal.example"},
    "aud is a list": {"aud": [settings.TOKEN_ISSUERS[0]]},
    "aud is an object": {"aud": {}},
}
# Well-formed, and of no session that there is.
NAMES_NO_SESSION = ("sid is of nobody", "ses is missing", "ses is of nobody", "all of the deployment is missing")


@pytest.mark.parametrize("case", CHANGED_CLAIMS)
def test_signed_token_with_other_claims_is_refused(claims, call_with, case):
    forged = with_changes(claims, CHANGED_CLAIMS[case])

    response = call_with(f"Bearer {by_hand({'alg': 'HS256', 'typ': 'JWT'}, forged)}")

    assert response.status_code == 401
    exp = forged.get("exp")
    expired = isinstance(exp, int) and exp < time.time()  # true is 1
    otherwise = "AUTH_SESSION_OVER" if case in NAMES_NO_SESSION else "AUTH_TOKEN_INVALID"
    expected = "AUTH_TOKEN_EXPIRED" if expired else otherwise
    assert response.json()["code"] == expected


def test_new_token_of_a_host_whose_clock_is_ahead_is_accepted(claims, call_with):
    ahead = claims | {"iat": int(time.time()) + 5, "exp": int(time.time()) + 305}

    assert call_with(f"Bearer {signed(ahead)}").status_code == 200


def test_new_refresh_token_of_a_host_whose_clock_is_ahead_is_accepted(api, claims):
    session = LoginSession.objects.get()
    ahead = claims | {"token_type": "refresh", "jti": session.refresh_jti, "iat": int(time.time()) + 5}

    assert api.post("/auth/refresh", {"refresh_token": signed(ahead)}).status_code == 200


def none(claims: dict[str, Any]) -> str:
    return f"{part({'alg': 'none', 'typ': 'JWT'})}.{part(claims)}."


def replaced(token: str, index: int, by: str) -> str:
    parts = token.split(".")
    parts[index] = by
    return ".".join(parts)


def last_bits_changed(token: str) -> str:
    """The same bytes, spelt otherwise: base64 leaves two bits of the last character without a meaning."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return token[:-1] + alphabet[alphabet.index(token[-1]) + 1]


FORGERIES: dict[str, Callable[[dict[str, Any]], str]] = {
    "alg none": none,
    "alg none with a signature": lambda c: none(c) + signed(c).split(".")[2],
    "alg None": lambda c: by_hand({"alg": "None", "typ": "JWT"}, c),
    "alg NONE, signed": lambda c: by_hand({"alg": "NONE"}, c),
    "alg is missing": lambda c: by_hand({"typ": "JWT"}, c),
    "alg is null": lambda c: by_hand({"alg": None}, c),
    "alg is a list": lambda c: by_hand({"alg": ["HS256"]}, c),
    "alg in another case": lambda c: by_hand({"alg": "hs256"}, c),
    "HS384 with our key": lambda c: signed(c, algorithm="HS384"),
    "HS512 with our key": lambda c: signed(c, algorithm="HS512"),
    "RS256 in the header, HMAC below": lambda c: by_hand({"alg": "RS256", "typ": "JWT"}, c),
    "ES256 in the header, HMAC below": lambda c: by_hand({"alg": "ES256", "typ": "JWT"}, c),
    "HS384 in the header, HS256 below": lambda c: by_hand({"alg": "HS384"}, c),
    "HS256 in the header, SHA-1 below": lambda c: by_hand({"alg": "HS256"}, c, digest=hashlib.sha1),
    "another key": lambda c: signed(c, OTHER_KEY),
    "an empty key": lambda c: by_hand({"alg": "HS256"}, c, key=""),
    "SECRET_KEY": lambda c: signed(c, settings.SECRET_KEY),
    "a key of its own in the header": lambda c: signed(
        c, OTHER_KEY, jwk={"kty": "oct", "k": part(OTHER_KEY.encode())}, kid="../../dev/null", jku="http://evil.example"
    ),
    "another user's sub over our signature": lambda c: replaced(
        signed(c), 1, part(c | {"sub": str(int(c["sub"]) + 1)})
    ),
    "role raised over our signature": lambda c: replaced(signed(c), 1, part(c | {"role": "admin"})),
    "another header over our signature": lambda c: replaced(signed(c), 0, part({"alg": "HS256"})),
    "header is no JSON": lambda c: replaced(signed(c), 0, part(b"{")),
    "header is a list": lambda c: by_hand([], c),
    "header is nested as deep as it can be": lambda c: f"{part(b'[' * 710)}.e30.{'A' * 43}",
    "header is nested deeper": lambda c: f"{part(b'[' * 100_000)}.e30.{'A' * 43}",
    "payload is no JSON": lambda c: by_hand({"alg": "HS256"}, b"{"),
    "payload is a list": lambda c: by_hand({"alg": "HS256"}, [c]),
    "payload is null": lambda c: by_hand({"alg": "HS256"}, None),
    "payload is empty": lambda c: by_hand({"alg": "HS256"}, {}),
    "payload is not UTF-8": lambda c: by_hand({"alg": "HS256"}, b"\xff\xfe"),
    "payload is nested deep": lambda c: by_hand({"alg": "HS256"}, b'{"a":' * 100 + b"1" + b"}" * 100),
    "payload has a number of 5000 digits": lambda c: by_hand({"alg": "HS256"}, b'{"sid":' + b"9" * 600 + b"}"),
    "a critical header that we do not know": lambda c: signed(c, crit=["exp"], exp=1),
    "encrypted, it says": lambda c: by_hand({"alg": "dir", "enc": "A128GCM"}, c),
    "signature is empty": lambda c: replaced(signed(c), 2, ""),
    "signature is cut": lambda c: signed(c)[:-1],
    "signature is all zero": lambda c: replaced(signed(c), 2, part(bytes(32))),
    "signature spelt otherwise": lambda c: last_bits_changed(signed(c)),
    "signature is padded": lambda c: signed(c) + "=",
    "payload is cut": lambda c: replaced(signed(c), 1, signed(c).split(".")[1][:-4]),
    "payload is empty text": lambda c: replaced(signed(c), 1, ""),
    "one part": lambda c: signed(c).split(".")[0],
    "two parts": lambda c: signed(c).rpartition(".")[0],
    "four parts": lambda c: signed(c) + ".e30",
    "five parts": lambda c: f"{signed(c)}.e30.e30",
    "only points": lambda c: "..",
    "a line break at the end": lambda c: signed(c) + "\\n",
    "standard base64": lambda c: signed(c).replace("-", "+").replace("_", "/") + "/",
    "not ASCII": lambda c: signed(c).replace("e", "е"),
    "not ASCII in the signature": lambda c: signed(c)[:-1] + "é",
    "very long": lambda c: signed(c | {"junk": "x" * 5000}),
}


@pytest.mark.any_database
@pytest.mark.parametrize("forge", FORGERIES.values(), ids=FORGERIES.keys())
@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
def test_forged_token_is_refused(claims, call_with, forge):
    response = call_with(f"Bearer {forge(claims)}")

    assert response.status_code == 401
    assert response.json()["code"] == "AUTH_TOKEN_INVALID"


@pytest.mark.any_database
@pytest.mark.parametrize("forge", FORGERIES.values(), ids=FORGERIES.keys())
@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
def test_forged_refresh_token_is_refused(api, claims, forge):
    session = LoginSession.objects.get()
    good = claims | {"token_type": "refresh", "jti": session.refresh_jti}

    response = api.post("/auth/refresh", {"refresh_token": forge(good)})

    assert response.status_code == 401
    assert response.json()["code"] == "AUTH_REFRESH_INVALID"
    assert LoginSession.objects.going_on().exists()


@pytest.mark.parametrize("changes", CHANGED_CLAIMS.values(), ids=CHANGED_CLAIMS.keys())
def test_signed_refresh_token_with_other_claims_is_refused(api, claims, changes):
    session = LoginSession.objects.get()
    if changes == {"token_type": "refresh"}:
        changes = {"token_type": "access"}
    good = claims | {"token_type": "refresh", "jti": session.refresh_jti}
    forged = with_changes(good, changes)

    response = api.post("/auth/refresh", {"refresh_token": by_hand({"alg": "HS256"}, forged)})

    assert response.status_code == 401
    assert response.json()["code"] == "AUTH_REFRESH_INVALID"


def test_token_with_another_users_session_is_refused(claims, call_with):
    bobs = LoginSession.objects.begin(UserFactory(email="bob@example.com"))

    response = call_with(f"Bearer {signed(claims | {'sid': bobs.pk, 'ses': bobs.identity})}")

    assert (response.status_code, response.json()["code"]) == (401, "AUTH_SESSION_OVER")


def test_signed_token_with_another_sub_needs_that_users_session(claims, call_with):
    bob = UserFactory(email="bob@example.com")

    response = call_with(f"Bearer {signed(claims | {'sub': str(bob.pk)})}")

    assert (response.status_code, response.json()["code"]) == (401, "AUTH_SESSION_OVER")


def test_any_single_changed_character_makes_a_token_invalid(claims, call_with):
    token = signed(claims)

    for index in range(0, len(token), 7):
        other = "A" if token[index] != "A" else "B"
        response = call_with(f"Bearer {token[:index]}{other}{token[index + 1 :]}")
        assert (response.status_code, response.json()["code"]) == (401, "AUTH_TOKEN_INVALID"), index


def test_expired_token_says_that_it_expired(claims, call_with):
    response = call_with(f"Bearer {signed(with_changes(claims, {'exp': timedelta(seconds=-1)}))}")

    assert response.status_code == 401
    assert response.json() == {
        "detail": "This access token has expired: refresh it.",
        "code": "AUTH_TOKEN_EXPIRED",
    }
    assert response.headers["WWW-Authenticate"] == "Bearer"


def test_refresh_token_with_another_users_session_does_not_touch_it(api, claims):
    bobs = LoginSession.objects.begin(UserFactory(email="bob@example.com"))
    forged = signed(claims | {"token_type": "refresh", "sid": bobs.pk, "ses": bobs.identity, "jti": bobs.refresh_jti})

    response = api.post("/auth/refresh", {"refresh_token": forged})
    api.post("/auth/logout", {"refresh_token": forged})

    assert (response.status_code, response.json()["code"]) == (401, "AUTH_REFRESH_INVALID")
    bobs.refresh_from_db()
    assert bobs.ended_at is None
