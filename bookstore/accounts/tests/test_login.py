"""POST /auth/login"""

from unicodedata import normalize

import jwt
import pytest
from django.contrib.auth import hashers

from bookstore.accounts.models import LoginSession, User
from bookstore.accounts.tests.factories import PASSWORD, StaffFactory, UserFactory

pytestmark = pytest.mark.django_db

REFUSED = {"detail": "Invalid email or password", "code": "AUTH_INVALID_CREDENTIALS"}


def login(api, email="alice@example.com", password=PASSWORD):
    return api.post("/auth/login", {"email": email, "password": password})


def test_login_answers_200_with_tokens(api, alice, call_with):
    response = login(api)

    assert response.status_code == 200
    body = response.json()
    assert set(body) == {"access_token", "refresh_token", "token_type", "expires_in"}
    assert (body["token_type"], body["expires_in"]) == ("bearer", 300)
    assert response.headers["Cache-Control"] == "no-store"
    assert call_with(f"Bearer {body['access_token']}").status_code == 200


@pytest.mark.parametrize(
    "written", ["ALICE@example.com", "Alice@Example.Com", "ａlice@example.com", " alice@example.com\t"]
)
def test_login_knows_an_email_in_any_case(api, alice, written):
    assert login(api, written).status_code == 200


def test_login_knows_an_email_that_is_too_long_only_as_it_is_written(api):
    label = "a\N{COMBINING DIAERESIS}" * 50
    written = f"alice@{label}.{label}.{label}.example"
    registered = api.post("/auth/register", {"email": written, "password": PASSWORD})

    answers = [login(api, written), login(api, normalize("NFKC", written))]

    assert (len(written), len(normalize("NFKC", written))) == (316, 166)
    assert registered.status_code == 201
    assert [response.status_code for response in answers] == [200, 200]


@pytest.mark.parametrize("path", ["/auth/register", "/auth/login"])
def test_an_email_that_is_too_long_by_far_is_not_normalised(api, monkeypatch, path):
    def normalised(email):
        raise AssertionError

    monkeypatch.setattr("bookstore.accounts.serializers.normalise_email", normalised)

    response = api.post(path, {"email": "a\N{COMBINING DIAERESIS}" * 100_000, "password": ""})

    assert response.status_code == 422
    assert ("email", "max_length") in [(fault["field"], fault["code"]) for fault in response.json()["errors"]]


def test_login_of_staff_says_admin_in_the_token(api):
    StaffFactory(email="clerk@example.com")

    token = login(api, "clerk@example.com").json()["access_token"]

    assert jwt.decode(token, options={"verify_signature": False})["role"] == "admin"


def test_login_begins_a_session_beside_the_others(api, alice):
    first, second = login(api).json(), login(api).json()

    assert LoginSession.objects.going_on().count() == 2
    assert first["refresh_token"] != second["refresh_token"]


def test_login_answers_401_for_a_wrong_password(api, alice):
    response = login(api, password="another horse battery")

    assert response.status_code == 401
    assert response.json() == REFUSED
    assert response.headers["WWW-Authenticate"] == "Bearer"
    assert response.headers["Cache-Control"] == "no-store"


def test_login_answers_401_for_an_unknown_email(api, alice):
    response = login(api, "bob@example.com")

    assert (response.status_code, response.json()) == (401, REFUSED)


def test_login_answers_401_for_a_deactivated_user(api):
    UserFactory(email="alice@example.com", is_active=False)

    response = login(api)

    assert (response.status_code, response.json()) == (401, REFUSED)


def test_login_answers_401_for_a_user_without_a_password(api):
    UserFactory(email="alice@example.com", password=None)

    response = login(api)

    assert (response.status_code, response.json()) == (401, REFUSED)


@pytest.mark.parametrize("email", ["x", "alice@", "alice @example.com", "%", "' OR 1=1 --"])
def test_login_answers_401_for_what_is_no_email(api, alice, email):
    response = login(api, email)

    assert (response.status_code, response.json()) == (401, REFUSED)


@pytest.mark.parametrize("password", [PASSWORD.upper(), f" {PASSWORD}", f"{PASSWORD} ", "x"])
def test_login_takes_a_password_to_the_letter(api, alice, password):
    assert login(api, password=password).status_code == 401


@pytest.mark.parametrize(
    ("body", "faults"),
    [
        ({}, [("email", "required"), ("password", "required")]),
        ({"email": None, "password": None}, [("email", "null"), ("password", "null")]),
        ({"email": "", "password": ""}, [("email", "blank"), ("password", "blank")]),
        ({"email": 1, "password": True}, [("email", "invalid"), ("password", "invalid")]),
        ({"email": [], "password": {}}, [("email", "invalid"), ("password", "invalid")]),
        ({"email": "x" * 255, "password": "x" * 129}, [("email", "max_length"), ("password", "max_length")]),
        (
            {"email": "a\0", "password": "a\0"},
            [("email", "null_characters_not_allowed"), ("password", "null_characters_not_allowed")],
        ),
    ],
)
def test_login_answers_422_for_a_body_of_another_shape(api, body, faults):
    response = api.post("/auth/login", body)

    assert response.status_code == 422
    assert [(fault["field"], fault["code"]) for fault in response.json()["errors"]] == faults


@pytest.mark.django_db(transaction=True)
def test_login_when_the_user_is_deleted_meanwhile_answers_401(api, alice, monkeypatch):
    def check_and_delete(user: User, raw_password: str) -> bool:
        User.objects.all().delete()
        return True

    monkeypatch.setattr(User, "check_password", check_and_delete)

    response = login(api)

    assert (response.status_code, response.json()) == (401, REFUSED)


def test_login_leaves_last_login_to_the_admin_site(api, alice):
    login(api)

    alice.refresh_from_db()
    assert alice.last_login is None


def test_login_costs_three_queries_and_a_transaction(api, alice, django_assert_num_queries):
    with django_assert_num_queries(5):  # two of them begin and end the transaction
        login(api)


@pytest.mark.parametrize("case", ["unknown", "wrong", "inactive", "unusable"])
def test_login_hashes_the_password_exactly_once_whatever_is_wrong(api, settings, monkeypatch, case):
    settings.PASSWORD_HASHERS = ["bookstore.accounts.hashers.Argon2id"]
    UserFactory(email="alice@example.com")
    UserFactory(email="inactive@example.com", is_active=False)
    UserFactory(email="unusable@example.com", password=None)
    email, password = {
        "unknown": ("bob@example.com", PASSWORD),
        "wrong": ("alice@example.com", "another horse battery"),
        "inactive": ("inactive@example.com", PASSWORD),
        "unusable": ("unusable@example.com", PASSWORD),
    }[case]
    hashed = []
    hasher = hashers.get_hasher()
    monkeypatch.setattr(hasher, "encode", counting(hasher.encode, hashed))
    monkeypatch.setattr(hasher, "verify", counting(hasher.verify, hashed))

    response = login(api, email, password)

    assert (response.status_code, response.json()) == (401, REFUSED)
    assert len(hashed) == 1


def counting(function, calls):
    def counted(*args):
        calls.append(args)
        return function(*args)

    return counted
