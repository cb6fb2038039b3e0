"""Who may call what: every route of the URL map × every method × everybody, as one table declares it.

Carts and books are reached by their paths and their models' names: nothing here may import them.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import Permission
from django.urls import URLPattern, get_resolver
from django.urls import path as django_path
from rest_framework.permissions import AllowAny
from rest_framework.response import Response
from rest_framework.test import APIClient

from bookstore.accounts.models import LoginSession, User
from bookstore.accounts.tests.factories import UserFactory
from bookstore.api.views import ApiView, confirms_caller
from bookstore.server.metrics import Metered

METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")  # in this order: what deletes comes last
CALLERS = ("nobody", "Alice, whose cart it is", "Bob", "Carol, staff", "Dave, staff without permission")

EVERYBODY = (200, 200, 200, 200, 200)
NO_SUCH_METHOD = (405, 405, 405, 405, 405)


def rest(*methods: str, answer: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
    return dict.fromkeys(methods, answer)


def staff(status: int) -> tuple[int, ...]:
    return (401, 403, 403, status, 403)


READ = {"GET": EVERYBODY, "HEAD": EVERYBODY}
ONLY_READ = READ | rest("POST", "PUT", "PATCH", "DELETE", "OPTIONS", answer=NO_SUCH_METHOD)


def only_post(*statuses: int) -> dict[str, tuple[int, ...]]:
    return rest(*METHODS, answer=NO_SUCH_METHOD) | {"POST": statuses}


TABLE: dict[str, dict[str, tuple[int, ...]]] = {
    "auth/register": only_post(201, 201, 201, 201, 201),
    "auth/login": only_post(200, 200, 200, 200, 200),
    "auth/refresh": only_post(200, 200, 200, 200, 200),
    "auth/logout": only_post(204, 204, 204, 204, 204),
    "books": READ
    | rest("PUT", "PATCH", "DELETE", answer=NO_SUCH_METHOD)
    | {"POST": staff(201), "OPTIONS": NO_SUCH_METHOD},
    "books/<id:book_id>": READ
    | {"PUT": staff(200), "DELETE": staff(204)}
    | rest("POST", "PATCH", answer=NO_SUCH_METHOD)
    | {"OPTIONS": NO_SUCH_METHOD},
    "books/<id:book_id>/stock": {"PATCH": staff(200)}
    | rest("POST", "PUT", "DELETE", answer=NO_SUCH_METHOD)
    | rest("GET", "HEAD", "OPTIONS", answer=NO_SUCH_METHOD),
    "genres": READ
    | rest("PUT", "PATCH", "DELETE", answer=NO_SUCH_METHOD)
    | {"POST": staff(201), "OPTIONS": NO_SUCH_METHOD},
    "cart": {"GET": (401, 200, 200, 200, 200), "HEAD": (401, 200, 200, 200, 200)}
    | rest("POST", "PUT", "PATCH", "DELETE", "OPTIONS", answer=NO_SUCH_METHOD),
    "cart/merge": rest(*METHODS, answer=NO_SUCH_METHOD) | {"POST": (401, 200, 200, 200, 200)},
    "cart/preview": rest(*METHODS, answer=NO_SUCH_METHOD) | {"POST": (200, 200, 200, 200, 200)},
    "cart/items": rest(*METHODS, answer=NO_SUCH_METHOD)
    | {"POST": (401, 409, 201, 201, 201), "DELETE": (401, 204, 204, 204, 204)},
    "cart/items/<id:item_id>": rest(*METHODS, answer=NO_SUCH_METHOD)
    | rest("PUT", "PATCH", answer=(401, 200, 403, 403, 403))
    | {"DELETE": (401, 204, 403, 403, 403)}
    | rest("GET", "HEAD", answer=(401, 200, 403, 403, 403)),
    "health": ONLY_READ,
    "ready": ONLY_READ,
    "schema": ONLY_READ,
    "docs": ONLY_READ,
    "": ONLY_READ | rest("GET", "HEAD", answer=(302, 302, 302, 302, 302)),
    "admin": ONLY_READ | rest("GET", "HEAD", answer=(302, 302, 302, 302, 302)),
}
# What Django's RedirectView answers; nothing is behind it.
REDIRECTS = {"", "admin"}


def routes(patterns: Any, prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLPattern):
            yield route, pattern
        else:
            yield from routes(pattern.url_patterns, route)


def api_routes() -> dict[str, URLPattern]:
    return {route: view for route, view in routes(get_resolver().url_patterns) if not route.startswith("admin/")}


@pytest.fixture
def shop(db, client_for):
    """The callers, in the table's order, and the paths and bodies of what they call."""
    alice, bob, carol, dave = (UserFactory(email=f"{name}@example.com") for name in ("alice", "bob", "carol", "dave"))
    User.objects.filter(pk__in=[carol.pk, dave.pk]).update(is_staff=True)
    carol.user_permissions.set(Permission.objects.filter(content_type__app_label="catalog"))
    book = apps.get_model("catalog", "Book").objects.create(
        title="Emma", author="Jane Austen", price="9.50", stock_quantity=5
    )
    cart = apps.get_model("cart", "Cart").objects.create(user=alice)
    line = apps.get_model("cart", "CartItem").objects.create(cart=cart, book=book, quantity=1, price_at_add="9.50")
    password = "correct horse battery"
    alice.set_password(password)
    alice.save()
    tokens = APIClient().post("/auth/login", {"email": alice.email, "password": password}).json()
    bodies = {
        "auth/register": {"email": "erin@example.com", "password": password},
        "auth/login": {"email": alice.email, "password": password},
        "auth/refresh": {"refresh_token": tokens["refresh_token"]},
        "auth/logout": {"refresh_token": tokens["refresh_token"]},
        "books": {"title": "Dracula", "author": "Bram Stoker", "price": "9.50"},
        "books/<id:book_id>": {"price": "8.50"},
        "books/<id:book_id>/stock": {"quantity": 3},
        "genres": {"name": "Gothic"},
        "cart/merge": {"items": [{"book_id": book.pk}]},
        "cart/preview": {"items": [{"book_id": book.pk}]},
        "cart/items": {"book_id": book.pk},
        "cart/items/<id:item_id>": {"quantity": 2},
    }
    clients = [APIClient(), *(client_for(user) for user in (alice, bob, carol, dave))]

    def path(route: str) -> str:
        return "/" + route.replace("<id:book_id>", str(book.pk)).replace("<id:item_id>", str(line.pk))

    return clients, path, bodies


def test_the_table_has_every_route_and_every_method():
    assert set(TABLE) == set(api_routes())
    assert {route: set(METHODS) - set(methods) for route, methods in TABLE.items() if set(METHODS) - set(methods)} == {}


@pytest.mark.parametrize("caller", range(len(CALLERS)), ids=CALLERS)
@pytest.mark.parametrize("route", TABLE)
def test_calls_are_answered_as_the_table_says(shop, route, caller):
    clients, path, bodies = shop
    answers = {}
    for method in METHODS:
        body = bodies.get(route) if method in {"POST", "PUT", "PATCH"} else None
        answers[method] = clients[caller].generic(method, path(route), *encoded(body))

    assert {method: found.status_code for method, found in answers.items()} == {
        method: TABLE[route][method][caller] for method in METHODS
    }
    assert answers.pop("HEAD").content == b""
    refusals = [found for found in answers.values() if found.status_code >= 400]
    assert [found.content for found in refusals if not found.json().keys() >= {"detail", "code"}] == []
    challenges = {found.headers.get("WWW-Authenticate") for found in refusals if found.status_code == 401}
    assert challenges <= {"Bearer"}


# --- whose token counts no more: told nothing, on every route of the URL map ---


def end_the_session(alice: User, tokens: Any) -> None:
    LoginSession.objects.filter(user=alice).end()


def deactivate(alice: User, tokens: Any) -> None:
    User.objects.filter(pk=alice.pk).update(is_active=False)


def change_the_password(alice: User, tokens: Any) -> None:
    alice.set_password("another horse battery")
    alice.save()


@pytest.mark.parametrize("spoil", [end_the_session, deactivate, change_the_password])
@pytest.mark.parametrize("route", TABLE)
def test_token_that_counts_no_more_is_nobodys(shop, route, spoil):
    """As the table says of nobody, but for the code of a 401: that tells a client whether to refresh or to sign in."""
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
    """A view of a new app, which says nothing of who may call."""
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
    """A handler that says that its statement asks, and has no such statement."""
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


def test_view_that_lets_everybody_in_refuses_a_token_that_counts_no_more(shop, settings):
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
