"""The Accept header, query strings, and the order of the checks."""

import pytest
from rest_framework.test import APIClient

from bookstore.accounts.models import LoginSession
from bookstore.accounts.tests.factories import UserFactory

pytestmark = pytest.mark.django_db

TOO_MANY = "x=1&" * 1_001
# One that is chosen for at once, and one that DRF weighs up.
ACCEPTS = ["*/*", "application/json, text/plain"]


@pytest.mark.parametrize("accept", ACCEPTS)
@pytest.mark.parametrize("path", ["/books"])
def test_a_query_of_too_many_parameters_is_422(api, path, accept):
    response = api.get(f"{path}?{TOO_MANY}", headers={"Accept": accept})

    assert response.status_code == 422
    assert response.json() == {
        "detail": "Send no more than 1,000 parameters.",
        "code": "VALIDATION_ERROR",
        "field": "query",
        "errors": [{"field": "query", "code": "max_length", "detail": "Send no more than 1,000 parameters."}],
    }


def test_a_query_of_as_many_parameters_as_are_read_is_served(api, settings):
    settings.STRICT_QUERY = False

    assert api.get(f"/books?{'x=1&' * 999}x=1").status_code == 200


@pytest.mark.parametrize("accept", ACCEPTS)
def test_a_call_without_parameters_does_not_look_at_its_query(api, accept):
    read = api.get(f"/health?{TOO_MANY}", headers={"Accept": accept})
    schema = api.get(f"/schema?{TOO_MANY}", headers={"Accept": accept})
    signed_out = api.post(f"/auth/logout?{TOO_MANY}", {"refresh_token": "x"}, headers={"Accept": accept})

    assert (read.status_code, schema.status_code, signed_out.status_code) == (200, 200, 204)


def test_accept_is_refused_before_the_query_is_read(api):
    response = api.get(f"/books?{TOO_MANY}", headers={"Accept": "text/html"})

    assert (response.status_code, response.json()["code"]) == (406, "NOT_ACCEPTABLE")


def refusals(client):
    """What each of these answers to a browser's Accept."""
    calls = [("GET", "/cart"), ("PUT", "/cart/items/1"), ("POST", "/cart/merge"), ("POST", "/books"), ("GET", "/books")]
    answers = [client.generic(method, path, b"", headers={"Accept": "text/html"}) for method, path in calls]
    return [(answer.status_code, answer.json()["code"]) for answer in answers]


def test_who_calls_is_asked_before_what_they_accept(api, client_for):
    carol, dave = UserFactory(is_superuser=True, is_staff=True), UserFactory()
    bad = APIClient()
    bad.credentials(HTTP_AUTHORIZATION="Bearer no.good.token")
    nobody, invalid = (401, "NOT_AUTHENTICATED"), (401, "AUTH_TOKEN_INVALID")
    forbidden, html = (403, "AUTH_FORBIDDEN"), (406, "NOT_ACCEPTABLE")

    assert refusals(api) == [nobody, nobody, nobody, nobody, html]
    assert refusals(bad) == [invalid, invalid, invalid, invalid, html]
    assert refusals(client_for(dave)) == [html, html, html, forbidden, html]
    assert refusals(client_for(carol)) == [html] * 5


def test_a_session_that_is_over_is_told_before_what_is_accepted(client_for):
    client = client_for(UserFactory())
    LoginSession.objects.all().end()

    assert refusals(client)[:4] == [(401, "AUTH_SESSION_OVER")] * 4


def test_what_one_client_asks_of_the_schema_is_not_in_what_others_get(api, monkeypatch):
    monkeypatch.setattr("bookstore.api.schema_views.SchemaView.made", {})

    first = api.get("/schema?version=evil&lang=xx", headers={"Host": "testserver"})

    assert b"evil" not in first.content
    assert api.get("/schema").content == first.content
