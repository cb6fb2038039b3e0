"""Access to the API in one table: every route × every method × every kind of caller.

Each app declares the rows of its own calls (tests/support/calls.py).
"""

import json
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.urls import URLPattern
from django.urls import path as django_path
from rest_framework.permissions import AllowAny
from rest_framework.response import Response

from bookstore.accounts.models import LoginSession, User
from bookstore.accounts.tests.factories import UserFactory
from bookstore.api.views import ApiView, confirms_caller
from bookstore.server.metrics import Metered
from tests.support.bearer import bearer, token_of
from tests.support.calls import CALLERS, EVERYBODY, METHODS, access, furnished, only
from tests.support.routes import routes

ONLY_READ = only(GET=EVERYBODY, HEAD=EVERYBODY)
REDIRECTED = only(GET=(302, 302, 302, 302, 302), HEAD=(302, 302, 302, 302, 302))
TABLE = access() | {
    "health": ONLY_READ,
    "ready": ONLY_READ,
    "schema": ONLY_READ,
    "docs": ONLY_READ,
    "": REDIRECTED,
    "admin": REDIRECTED,
}
# Redirects by Django's RedirectView.
REDIRECTS = {"", "admin"}


def api_routes() -> dict[str, URLPattern]:
    return {route: view for route, view in routes() if not route.startswith("admin/")}


@pytest.fixture(scope="module")
def there(rows_of_module):
    """A token of each caller, in the table's order, and what there is to call."""

    def make() -> Any:
        people = [UserFactory(email=f"{name}@example.com") for name in ("alice", "bob", "carol", "dave")]
        alice, _, carol, dave = people
        User.objects.filter(pk__in=[carol.pk, dave.pk]).update(is_staff=True)
        carol.user_permissions.set(Permission.objects.all())
        furniture = furnished(alice)
        return ["", *map(token_of, people)], furniture

    return rows_of_module(make)


@pytest.fixture
def shop(db, there):
    """The callers, in the table's order, and the paths and bodies of what they call."""
    tokens, furniture = there
    return [bearer(token) for token in tokens], furniture.path, furniture.bodies


def test_the_table_has_every_route_and_every_method():
    assert set(TABLE) == set(api_routes())
    assert {route: set(METHODS) - set(methods) for route, methods in TABLE.items() if set(METHODS) - set(methods)} == {}


@pytest.mark.slow
@pytest.mark.parametrize("caller", range(len(CALLERS)), ids=CALLERS)
@pytest.mark.parametrize("route", TABLE)
def test_calls_are_answered_as_the_table_says(shop, route, caller):
    clients, path, bodies = shop
    answers = {}
    for method in METHODS:
        body = bodies.get(route if method in {"POST", "PUT", "PATCH"} else f"{method} {route}")
        answers[method] = clients[caller].generic(method, path(route), *encoded(body))

    assert {method: found.status_code for method, found in answers.items()} == {
        method: TABLE[route][method][caller] for method in METHODS
    }
    assert answers.pop("HEAD").content == b""
    refusals = [found for found in answers.values() if found.status_code >= 400]
    assert [found.content for found in refusals if not found.json().keys() >= {"detail", "code"}] == []
    challenges = {found.headers.get("WWW-Authenticate") for found in refusals if found.status_code == 401}
    assert challenges <= {"Bearer"}


# --- tokens that are no longer valid, on every route of the URL map ---


def end_the_session(alice: User, tokens: Any) -> None:
    LoginSession.objects.filter(user=alice).end()


def deactivate(alice: User, tokens: Any) -> None:
    User.objects.filter(pk=alice.pk).update(is_active=False)


def change_the_password(alice: User, tokens: Any) -> None:
    alice.set_password("another horse battery")
    alice.save()


@pytest.mark.slow
@pytest.mark.parametrize("spoil", [end_the_session, deactivate, change_the_password])
@pytest.mark.parametrize("route", TABLE)
def test_token_that_counts_no_more_is_nobodys(shop, route, spoil):
    """The answers for nobody, except for the code of a 401, which tells a client whether to refresh or to sign in."""
    clients, path, bodies = shop
    spoil(User.objects.get(email="alice@example.com"), bodies)
    answers = {}
    for method in METHODS:
        body = bodies.get(route) if method in {"POST", "PUT", "PATCH"} and not route.startswith("auth/") else None
        answers[method] = clients[1].generic(method, path(route), *encoded(body))

    assert {
        method: found.status_code
        for method, found in answers.items()
        if not (route.startswith("auth/") and method == "POST")  # they read no bearer token
    } == {method: TABLE[route][method][0] for method in METHODS if not (route.startswith("auth/") and method == "POST")}
    codes = {found.json()["code"] for method, found in answers.items() if found.status_code == 401 and method != "HEAD"}
    assert codes <= {"AUTH_TOKEN_INVALID", "AUTH_SESSION_OVER", "AUTH_USER_INACTIVE"}


@pytest.mark.parametrize("shown", ["nobody is asked for", "a caller is read, and not confirmed"])
def test_view_that_forgets_to_ask_lets_nobody_in(shop, settings, shown):
    """A view of a new app without permission classes."""
    clients, _, _ = shop
    end_the_session(User.objects.get(email="alice@example.com"), {})

    class Wishes(ApiView):
        def get(self, request: Any) -> Response:
            return Response({"wishes": [], "of": request.auth.claims.user_id if shown.startswith("a caller") else 0})

    settings.ROOT_URLCONF = type("Urls", (), {"urlpatterns": [django_path("wishes", Wishes.as_view())]})

    answers = [clients[caller].get("/wishes").status_code for caller in (0, 1, 2)]

    assert answers == [401, 401, 200]


@pytest.mark.parametrize("caller", [1, 2], ids=["session over", "Bob"])
def test_success_that_nobody_was_asked_for_is_a_bug(shop, settings, caller):
    """A handler marked `@confirms_caller` whose statement does not check the caller."""
    clients, _, _ = shop
    end_the_session(User.objects.get(email="alice@example.com"), {})
    clients[caller].raise_request_exception = False

    class Wishes(ApiView):
        @confirms_caller
        def get(self, request: Any) -> Response:
            return Response({"wishes": []})

    settings.ROOT_URLCONF = type("Urls", (), {"urlpatterns": [django_path("wishes", Wishes.as_view())]})

    response = clients[caller].get("/wishes")

    assert (response.status_code, response.json()["code"]) == (500, "INTERNAL_ERROR")


def test_view_that_allows_anybody_refuses_an_old_sessions_token(shop, settings):
    clients, _, _ = shop
    end_the_session(User.objects.get(email="alice@example.com"), {})

    class News(ApiView):
        permission_classes = (AllowAny,)

        def get(self, request: Any) -> Response:
            return Response([])

    settings.ROOT_URLCONF = type("Urls", (), {"urlpatterns": [django_path("news", News.as_view())]})

    answers = [clients[caller].get("/news").status_code for caller in (0, 1, 2)]

    assert answers == [200, 401, 200]


def encoded(body: Any) -> tuple[Any, ...]:
    return (b"", "application/octet-stream") if body is None else (json.dumps(body).encode(), "application/json")


# --- beside the URL map ---


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("caller", range(len(CALLERS)), ids=CALLERS)
def test_the_metrics_are_for_who_scrapes_whoever_is_signed_in(shop, settings, caller, method):
    """Answered before Django: by the address, or by a token of its own. For others there is no such path.

    Who scrapes may only read.
    """
    clients, _, _ = shop
    settings.METRICS_TOKEN = "scrape-0123456789-abcdef"
    bearer = clients[caller]._credentials.get("HTTP_AUTHORIZATION", "")
    handed_on: list[str] = []
    said: list[str] = []

    def shop_of_books(environ: Any, start_response: Any) -> list[bytes]:
        handed_on.append(environ["PATH_INFO"])
        start_response("404 Not Found", [])
        return [b""]

    def ask(authorization: str, address: str) -> str:
        environ = {"REQUEST_METHOD": method, "PATH_INFO": "/metrics", "REMOTE_ADDR": address}
        Metered(shop_of_books)(
            environ | {"HTTP_AUTHORIZATION": authorization}, lambda status, headers: said.append(status)
        )
        return said[-1][:3]

    from_outside, scraping = ask(bearer, "192.0.2.1"), ask(f"Bearer {settings.METRICS_TOKEN}", "192.0.2.1")

    assert (from_outside, scraping) == ("404", "200" if method in {"GET", "HEAD"} else "405")
    assert handed_on == ["/metrics"]
