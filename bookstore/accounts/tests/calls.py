"""The calls of /auth, as the tests of the whole shop need to know them: tests/support/calls.py."""

from rest_framework.test import APIClient

from bookstore.accounts.links import RESET, VERIFY
from tests.support.calls import BODY, QUERY, TOKEN, Answers, Row, Shop, only, signed_in
from tests.support.hostile import NOT_TEXT, Operation, fields

PASSWORD = "correct horse battery"

ACCESS: dict[str, Row] = {
    "auth/register": only(POST=(201, 201, 201, 201, 201)),
    "auth/login": only(POST=(200, 200, 200, 200, 200)),
    "auth/refresh": only(POST=(200, 200, 200, 200, 200)),
    "auth/logout": only(POST=(204, 204, 204, 204, 204)),
    "auth/sessions": only(GET=signed_in(200), HEAD=signed_in(200), DELETE=signed_in(204)),
    "auth/password": only(POST=signed_in(204)),
    "auth/password/forgot": only(POST=(202, 202, 202, 202, 202)),
    "auth/password/reset": only(POST=(204, 204, 204, 204, 204)),
    "auth/verify": only(POST=(204, 204, 204, 204, 204)),
    "auth/verify/resend": only(POST=signed_in(202)),
    # Staff cannot delete themselves.
    "auth/me": only(GET=signed_in(200), HEAD=signed_in(200), PATCH=signed_in(200), DELETE=(401, 204, 204, 403, 403)),
    "auth/me/export": only(GET=signed_in(200), HEAD=signed_in(200)),
}

CONTRACT: dict[tuple[str, str], Answers] = {
    ("POST", "/auth/register"): {201: None, 409: {"AUTH_EMAIL_CONFLICT"}, 429: {"THROTTLED"}, **BODY},
    ("POST", "/auth/login"): {200: None, 401: {"AUTH_INVALID_CREDENTIALS"}, 429: {"THROTTLED"}, **BODY},
    ("POST", "/auth/refresh"): {200: None, 401: {"AUTH_REFRESH_INVALID", "AUTH_TOKEN_REUSE"}, **BODY},
    ("POST", "/auth/logout"): {204: None, 401: {"AUTH_TOKEN_INVALID", "AUTH_TOKEN_EXPIRED"}, **BODY},
    ("GET", "/auth/sessions"): {200: None, **TOKEN},
    ("DELETE", "/auth/sessions"): {204: None, **QUERY, **TOKEN},
    ("POST", "/auth/password"): {204: None, 403: {"AUTH_PASSWORD_WRONG"}, 429: {"THROTTLED"}, **BODY, **TOKEN},
    ("POST", "/auth/password/forgot"): {202: None, 409: {"AUTH_MAIL_OFF"}, 429: {"THROTTLED"}, **BODY},
    ("POST", "/auth/password/reset"): {204: None, 403: {"AUTH_LINK_INVALID"}, **BODY},
    ("POST", "/auth/verify"): {204: None, 403: {"AUTH_LINK_INVALID"}, 409: {"AUTH_EMAIL_CONFLICT"}, **BODY},
    ("POST", "/auth/verify/resend"): {202: None, 409: {"AUTH_MAIL_OFF"}, 429: {"THROTTLED"}, **TOKEN},
    ("PATCH", "/auth/me"): {
        200: None,
        403: {"AUTH_PASSWORD_WRONG", "AUTH_STAFF_ACCOUNT"},
        409: {"AUTH_EMAIL_CONFLICT", "AUTH_MAIL_OFF"},
        429: {"THROTTLED"},
        **BODY,
        **TOKEN,
    },
    ("GET", "/auth/me"): {200: None, **TOKEN},
    ("DELETE", "/auth/me"): {
        204: None,
        403: {"AUTH_PASSWORD_WRONG", "AUTH_STAFF_ACCOUNT"},
        429: {"THROTTLED"},
        **BODY,
        **TOKEN,
    },
    ("GET", "/auth/me/export"): {200: None, **QUERY, **TOKEN},
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
    # Without a refresh token it is the bearer token's session that ends.
    Operation(
        "POST",
        "/auth/logout",
        {"refresh_token": "x"},
        protected=False,
        takes_nothing=204,
        bad=fields(refresh_token=[*NOT_TEXT, None]),
    ),
    Operation("GET", "/auth/sessions"),
    Operation("DELETE", "/auth/sessions"),
    Operation(
        "POST",
        "/auth/password",
        {"old_password": "wrong horse battery", "new_password": "another horse battery"},
        bad=fields(
            old_password=[*NOT_TEXT, "", "a" * 129, None],
            new_password=[*NOT_TEXT, "", "short", "1234567890", "a" * 129, None],
        ),
    ),
    Operation(
        "POST",
        "/auth/password/forgot",
        {"email": "alice@example.com"},
        protected=False,
        bad=fields(email=[*NOT_TEXT, "", "a" * 400, None]),
    ),
    Operation(
        "POST",
        "/auth/password/reset",
        {"token": "7.1vQ3xh.x", "new_password": "another horse battery"},
        protected=False,
        bad=fields(
            token=[*NOT_TEXT, "", "a" * 201, None], new_password=[*NOT_TEXT, "", "short", "1234567890", "a" * 129, None]
        ),
    ),
    Operation(
        "POST",
        "/auth/verify",
        {"token": "7.1vQ3xh.x"},
        protected=False,
        bad=fields(token=[*NOT_TEXT, "", "a" * 201, None]),
    ),
    Operation("POST", "/auth/verify/resend"),
    Operation("GET", "/auth/me"),
    Operation(
        "PATCH",
        "/auth/me",
        {"name": "Alice", "email": "erin@example.com", "password": "wrong horse battery"},
        takes_nothing=200,
        bad=fields(
            name=[*NOT_TEXT, "a" * 151, None], email=[*NOT_AN_EMAIL, None], password=[*NOT_TEXT, "", "a" * 129, None]
        ),
    ),
    Operation(
        "DELETE", "/auth/me", {"password": "wrong horse battery"}, bad=fields(password=[*NOT_TEXT, "", "a" * 129, None])
    ),
    Operation("GET", "/auth/me/export", bad_queries=("page=0", "page=x", "page=1.5")),
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
        "auth/password": {"old_password": PASSWORD, "new_password": "another horse battery"},
        "auth/password/forgot": {"email": shop.alice.email},
        "auth/password/reset": {
            "token": RESET.token(shop.alice.pk, shop.alice.reset_state),
            "new_password": "another horse battery",
        },
        "auth/verify": {"token": VERIFY.token(shop.alice.pk, shop.alice.email)},
        "auth/me": {"name": "A reader"},
        "DELETE auth/me": {"password": PASSWORD},
    }
