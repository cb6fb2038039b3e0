"""The calls of /auth, as the tests of the whole shop need to know them: tests/support/calls.py."""

from rest_framework.test import APIClient

from tests.support.calls import BODY, Answers, Row, Shop, only
from tests.support.hostile import NOT_TEXT, Operation, fields

PASSWORD = "correct horse battery"

ACCESS: dict[str, Row] = {
    "auth/register": only(POST=(201, 201, 201, 201, 201)),
    "auth/login": only(POST=(200, 200, 200, 200, 200)),
    "auth/refresh": only(POST=(200, 200, 200, 200, 200)),
    "auth/logout": only(POST=(204, 204, 204, 204, 204)),
}

CONTRACT: dict[tuple[str, str], Answers] = {
    ("POST", "/auth/register"): {201: None, 409: {"AUTH_EMAIL_CONFLICT"}, 429: {"THROTTLED"}, **BODY},
    ("POST", "/auth/login"): {200: None, 401: {"AUTH_INVALID_CREDENTIALS"}, 429: {"THROTTLED"}, **BODY},
    ("POST", "/auth/refresh"): {200: None, 401: {"AUTH_REFRESH_INVALID", "AUTH_TOKEN_REUSE"}, **BODY},
    ("POST", "/auth/logout"): {204: None, 400: BODY[400], 413: BODY[413], 415: BODY[415]},  # 204 for any JSON
}

NOT_AN_EMAIL = [*NOT_TEXT, "", "x", "@", "a@", "@b.example", "a b@c.example", "a@b@c.example", "x" * 300 + "@c.example"]
OPERATIONS = [
    Operation(
        "POST",
        "/auth/register",
        {"email": "erin@example.com", "password": PASSWORD},
        protected=False,
        bad=fields(email=[*NOT_AN_EMAIL, None], password=[*NOT_TEXT, "", "short", "1234567890", "a" * 129, None]),
    ),
    Operation(
        "POST",
        "/auth/login",
        {"email": "alice@example.com", "password": PASSWORD},
        protected=False,
        bad=fields(email=[*NOT_TEXT, "", "a" * 400, None], password=[*NOT_TEXT, "", "a" * 129, None]),
    ),
    Operation(
        "POST", "/auth/refresh", {"refresh_token": "x"}, protected=False, bad=fields(refresh_token=[*NOT_TEXT, None])
    ),
    # Ends what there is to end, and says 204 of anything else, too.
    Operation("POST", "/auth/logout", {"refresh_token": "x"}, protected=False, takes_anything=True),
]


def furnish(shop: Shop) -> None:
    shop.alice.set_password(PASSWORD)
    shop.alice.save()
    sign_in = {"email": shop.alice.email, "password": PASSWORD}
    tokens = APIClient().post("/auth/login", sign_in).json()
    shop.bodies |= {
        "auth/register": {"email": "erin@example.com", "password": PASSWORD},
        "auth/login": sign_in,
        "auth/refresh": {"refresh_token": tokens["refresh_token"]},
        "auth/logout": {"refresh_token": tokens["refresh_token"]},
    }
