"""The admin's sign-in counts in the API's throttle."""

import re

import pytest
from django.urls import reverse

from bookstore.accounts.models import User
from bookstore.accounts.tests.factories import PASSWORD, StaffFactory

pytestmark = pytest.mark.django_db

LOGIN = reverse("admin:login")


@pytest.fixture(autouse=True)
def three_a_minute(settings):
    settings.AUTH_THROTTLE_RATE = (3, 60)


@pytest.fixture
def clerk() -> User:
    return StaffFactory(email="clerk@example.com")


def sign_in(client, password="wrong horse battery", email="clerk@example.com"):
    return client.post(LOGIN, {"username": email, "password": password})


@pytest.mark.parametrize("sent", ["", "//evil.example", "https://evil.example/", "/\\evil.example"])
def test_sign_in_leads_to_the_first_page_where_next_leads_nowhere(client, clerk, sent):
    signed_in = client.post(LOGIN, {"username": clerk.email, "password": PASSWORD, "next": sent})

    assert (signed_in.status_code, signed_in.url) == (302, reverse("admin:index"))


def test_attempt_beyond_the_limit_answers_429_on_the_page(client, clerk):
    answers = [sign_in(client).status_code for _ in range(3)]

    response = sign_in(client, PASSWORD)

    assert answers == [403, 403, 403]
    assert response.status_code == 429
    assert response.headers["Content-Type"].startswith("text/html")
    wait = int(response.headers["Retry-After"])
    assert response.context["form"].non_field_errors() == [
        f"Too many attempts: try again in {wait} s. Nobody was signed in."
    ]
    assert client.get(reverse("admin:index")).status_code == 302


def test_attempts_at_the_api_count_for_the_admin_and_the_other_way(client, api, clerk):
    body = {"email": "clerk@example.com", "password": "wrong horse battery"}
    answers = [api.post("/auth/login", body).status_code, sign_in(client).status_code, sign_in(client).status_code]

    assert answers == [401, 403, 403]
    assert (api.post("/auth/login", body).status_code, sign_in(client, PASSWORD).status_code) == (429, 429)


def test_sign_ins_that_succeed_leave_the_address_alone(client):
    for number in range(5):
        StaffFactory(email=f"clerk{number}@example.com")

    answers = [sign_in(client, PASSWORD, f"clerk{number}@example.com").status_code for number in range(5)]

    assert answers == [302] * 5


def test_form_without_a_password_is_not_counted(client, clerk):
    assert [sign_in(client, "").status_code for _ in range(5)] == [403] * 5
    assert sign_in(client, PASSWORD).status_code == 302


@pytest.mark.parametrize("email", ["clerk@example.com", "nobody@example.com"])
def test_refused_sign_in_is_logged_and_names_nobody(client, clerk, caplog, email):
    sign_in(client, email=email)

    [line] = [record.getMessage() for record in caplog.records if record.name == "bookstore.accounts"]
    assert re.fullmatch(r"Sign-in refused \(admin\): account [0-9a-f]{12}, address [0-9a-f]{12}", line)


@pytest.mark.parametrize(("email", "password"), [("bob@example.com", PASSWORD), ("clerk@example.com", "wrong horse")])
def test_refusal_takes_the_same_time_for_all(client, clerk, monkeypatch, email, password):
    slept = []
    monkeypatch.setattr("bookstore.accounts.sign_in_time.pace.now", lambda others: 0.05)
    monkeypatch.setattr("bookstore.accounts.sign_in_time.sleep", slept.append)

    sign_in(client, password, email)

    assert len(slept) == 1


def test_old_password_cannot_be_guessed_on_the_page_of_ones_own_password(client, clerk):
    client.force_login(clerk)
    new = {"new_password1": "another horse battery", "new_password2": "another horse battery"}
    page = reverse("admin:password_change")
    answers = [client.post(page, {"old_password": "wrong horse battery", **new}).status_code for _ in range(3)]

    response = client.post(page, {"old_password": PASSWORD, **new})

    assert answers == [200, 200, 200]
    assert response.status_code == 429
    wait = int(response.headers["Retry-After"])
    assert response.context["form"].errors == {
        "old_password": [f"Too many attempts: try again in {wait} s. Nothing was changed."]
    }
    clerk.refresh_from_db()
    assert clerk.check_password(PASSWORD)
