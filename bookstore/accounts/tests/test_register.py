"""POST /auth/register"""

import jwt
import pytest

from bookstore.accounts.models import LoginSession, User
from bookstore.accounts.tests.factories import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db

CONFLICT = {"detail": "This email is registered already.", "code": "AUTH_EMAIL_CONFLICT", "field": "email"}


def register(api, email="alice@example.com", password=PASSWORD):
    return api.post("/auth/register", {"email": email, "password": password})


def faults_of(response) -> list[tuple[str, str]]:
    return [(fault["field"], fault["code"]) for fault in response.json()["errors"]]


def test_register_answers_201_with_tokens(api):
    response = register(api)

    assert response.status_code == 201
    body = response.json()
    assert set(body) == {"access_token", "refresh_token", "token_type", "expires_in"}
    assert body["token_type"] == "bearer"
    assert response.headers["Cache-Control"] == "no-store"


def test_register_signs_in_at_once(api, call_with):
    access_token = register(api).json()["access_token"]

    assert call_with(f"Bearer {access_token}").status_code == 200


def test_register_puts_the_contracts_claims_into_the_token(api):
    token = register(api).json()["access_token"]

    header, claims = jwt.get_unverified_header(token), jwt.decode(token, options={"verify_signature": False})
    assert header == {"alg": "HS256", "typ": "JWT"}
    assert claims["sub"] == str(User.objects.get().pk)
    assert claims["role"] == "user"
    assert claims["exp"] - claims["iat"] == 300
    assert isinstance(claims["jti"], str)


def test_register_keeps_the_email_normalized_and_password_hashed(api):
    register(api, "Alice@Example.COM")

    alice = User.objects.get()
    assert alice.email == "alice@example.com"
    assert alice.check_password(PASSWORD)
    assert PASSWORD not in alice.password
    assert (alice.is_staff, alice.is_superuser, alice.is_active) == (False, False, True)


def test_register_keeps_blanks_of_the_password(api):
    register(api, password="  correct horse  ")

    assert User.objects.get().check_password("  correct horse  ")
    assert not User.objects.get().check_password("correct horse")


def test_register_ignores_unknown_fields(api):
    body = {"email": "alice@example.com", "password": PASSWORD, "is_staff": True, "is_superuser": True, "id": 7}

    response = api.post("/auth/register", body)

    assert response.status_code == 201
    assert not User.objects.filter(is_staff=True).exists()


@pytest.mark.parametrize(
    "again", ["alice@example.com", "ALICE@example.com", "Alice@Example.Com", "alice@example.com".replace("a", "ａ")]
)
def test_register_answers_409_for_an_email_that_is_taken_in_any_case(api, again):
    UserFactory(email="alice@example.com")

    response = register(api, again)

    assert response.status_code == 409
    assert response.json() == CONFLICT
    assert User.objects.count() == 1
    assert not LoginSession.objects.exists()


def test_register_answers_409_for_an_email_kept_in_another_case(api):
    from django.db import connection

    UserFactory(email="alice@example.com")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE users SET email = 'Alice@Example.com'")

    response = register(api, "alice@example.com")

    assert (response.status_code, response.json()) == (409, CONFLICT)


@pytest.mark.parametrize(
    ("email", "code"),
    [
        ("x", "invalid"),
        ("alice@", "invalid"),
        ("@example.com", "invalid"),
        ("alice@example", "invalid"),
        ("alice example@example.com", "invalid"),
        ('"alice"@example.com', "invalid"),
        ('"bob@example.com,"@example.com', "invalid"),
        ("=?utf-8?q?bob?=@example.com", "invalid"),  # mail libraries would send it to bob@example.com
        ("bob@exam\u200dple.com", "invalid"),  # nor this: IDNA allows no joiner here, and mail libraries drop it
        ("bob@\u2603.example", "invalid"),  # IDNA does not allow a snowman
        ("al\u0131ce@example.com", "invalid"),  # a dotless i: equals `I` where case is ignored
        ("alice@localhost", "invalid"),
        ("alice@[127.0.0.1]", "invalid"),
        ("", "blank"),
        (None, "null"),
        (7, "invalid"),
        (True, "invalid"),
        (["alice@example.com"], "invalid"),
        ({"email": "alice@example.com"}, "invalid"),
        ("a\0lice@example.com", "null_characters_not_allowed"),
        ("a" * 243 + "@example.com", "max_length"),
    ],
)
def test_register_answers_422_for_what_is_no_email(api, email, code):
    response = register(api, email)

    assert response.status_code == 422
    assert response.json()["code"] == "VALIDATION_ERROR"
    assert ("email", code) in faults_of(response)
    assert {field for field, _ in faults_of(response)} == {"email"}
    assert not User.objects.exists()


def test_register_answers_422_for_a_lone_surrogate(api):
    response = api.post(
        "/auth/register",
        rb'{"email": "a\ud800@example.com", "password": "correct \udfff battery"}',
        content_type="application/json",
    )

    assert response.status_code == 422
    assert {field for field, _ in faults_of(response)} == {"email", "password"}


def test_register_accepts_an_email_of_254_characters(api):
    domain = "example.com"
    email = f"a@{'b' * 60}.{'c' * 60}.{'d' * 60}.{'e' * (254 - 2 - 183 - 1 - len(domain))}.{domain}"
    assert len(email) == 254

    response = register(api, email)

    assert response.status_code == 201


def test_register_answers_422_for_an_email_too_long_normalized(api):
    response = register(api, "\N{ARABIC LIGATURE SALLALLAHOU ALAYHE WASALLAM}" * 15 + "@example.com")

    assert ("email", "max_length") in faults_of(response)


@pytest.mark.parametrize(
    ("password", "codes"),
    [
        ("xq7!vbn", ["password_too_short"]),
        ("1234567", ["password_too_short", "password_too_common", "password_entirely_numeric"]),
        ("password1", ["password_too_common"]),
        ("8305720946271", ["password_entirely_numeric"]),
        ("alice@example.com", ["password_too_similar"]),
        ("x" * 129, ["max_length"]),
        ("", ["blank"]),
        (None, ["null"]),
        (12345678, ["invalid"]),
        ("correct\0horse", ["null_characters_not_allowed"]),
        (10 * " ", ["unseen"]),
    ],
)
def test_register_answers_422_with_each_fault_of_the_password(api, password, codes):
    response = register(api, password=password)

    assert response.status_code == 422
    assert faults_of(response) == [("password", code) for code in codes]
    assert response.json()["field"] == "password"
    assert not User.objects.exists()


def test_register_says_in_words_what_is_wrong_with_the_password(api):
    response = register(api, password="1234567")

    details = [
        "This password is too short. It must contain at least 8 characters.",
        "This password is too common.",
        "This password is entirely numeric.",
    ]
    codes = ["password_too_short", "password_too_common", "password_entirely_numeric"]
    assert response.json() == {
        "detail": details[0],
        "code": "VALIDATION_ERROR",
        "field": "password",
        "errors": [
            {"field": "password", "code": code, "detail": detail} for code, detail in zip(codes, details, strict=True)
        ],
    }


def test_register_names_the_faults_of_both_fields_at_once(api):
    response = register(api, "x", "1234567")

    assert faults_of(response) == [
        ("email", "invalid"),
        ("password", "password_too_short"),
        ("password", "password_too_common"),
        ("password", "password_entirely_numeric"),
    ]


@pytest.mark.parametrize("email", [None, 7, ["alice"], "x.y " * 200_000])
def test_register_checks_the_password_beside_an_email_that_is_none(api, email):
    response = register(api, email, "password1")

    assert {field for field, _ in faults_of(response)} == {"email", "password"}


@pytest.mark.parametrize("password", ["xq7!vbnm", "ж" * 5 + "qx!", "x!" * 64])
def test_register_accepts_passwords_of_8_to_128_characters(api, password):
    assert register(api, password=password).status_code == 201


def test_register_names_every_missing_field(api):
    response = api.post("/auth/register", {})

    assert faults_of(response) == [("email", "required"), ("password", "required")]


@pytest.mark.parametrize("body", [b"[]", b'"alice"', b"7", b"null"])
def test_register_answers_422_for_a_body_that_is_no_object(api, body):
    response = api.post("/auth/register", body, content_type="application/json")

    assert response.status_code == 422


def test_register_answers_400_for_a_body_that_is_no_json(api):
    response = api.post("/auth/register", b'{"email":', content_type="application/json")

    assert response.status_code == 400
    assert response.json()["code"] == "PARSE_ERROR"


def test_register_looks_at_no_bearer_token(api):
    api.credentials(HTTP_AUTHORIZATION="Bearer nonsense")

    assert register(api).status_code == 201


def test_register_costs_three_inserts_in_one_transaction(api, django_assert_num_queries):
    register(api, "warm.up@example.com")

    with django_assert_num_queries(5) as queries:
        register(api)

    verbs = [query["sql"].split()[0] for query in queries.captured_queries]
    assert verbs == ["SAVEPOINT", "INSERT", "INSERT", "INSERT", "RELEASE"]  # user, mail, session


@pytest.mark.parametrize("written", [" alice@example.com", "alice@example.com ", "alice@example.com\n"])
def test_register_takes_blanks_around_an_email_away(api, written):
    response = register(api, written)

    assert response.status_code == 201
    assert User.objects.get().email == "alice@example.com"


def test_register_knows_an_international_domain_in_both_spellings(api):
    first = register(api, "a@bücher.example")
    second = register(api, "a@xn--bcher-kva.example")
    signed_in = api.post("/auth/login", {"email": "a@xn--bcher-kva.example", "password": PASSWORD})

    assert [answer.status_code for answer in (first, second, signed_in)] == [201, 409, 200]
