"""Headers of every response, for any status: security headers, and no-store for personal ones."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client
from django.urls import resolve
from rest_framework.test import APIClient

from bookstore.accounts.tests.factories import SuperuserFactory, UserFactory
from tests.support.bearer import bearer, token_of
from tests.support.calls import METHODS, access, furnished

ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
}
OVER_TLS = {"Strict-Transport-Security": "max-age=31536000; includeSubDomains; preload"}


@pytest.fixture(scope="module")
def there(rows_of_module):
    """What the shop has, the cookies of Carol, who is staff, and a token of each."""

    def make() -> Any:
        alice, bob = UserFactory(email="alice@example.com"), UserFactory(email="bob@example.com")
        carol = SuperuserFactory(email="carol@example.com")
        furniture, browser = furnished(alice), Client()
        browser.force_login(carol)
        return furniture, browser.cookies, {"alice": token_of(alice), "bob": token_of(bob), "carol": token_of(carol)}

    return rows_of_module(make)


@pytest.fixture
def shop(db, there, settings, monkeypatch):
    """Everybody whom an answer needs, each with a client that was made after the settings of production."""
    settings.SECURE_HSTS_SECONDS = 31_536_000
    settings.SECURE_HSTS_INCLUDE_SUBDOMAINS = settings.SECURE_HSTS_PRELOAD = True
    furniture, cookies, tokens = there
    staff = Client()
    staff.cookies.update(cookies)
    return SimpleNamespace(
        **{"nobody": APIClient(raise_request_exception=False), "staff": staff},
        **{name: bearer(token) for name, token in tokens.items()},
        **{"book": furniture.ids["book_id"], "line": furniture.ids["item_id"], "path": furniture.path},
        **{"settings": settings, "monkeypatch": monkeypatch},
    )


def of_a_view_that(shop: Any, error: Exception, path: str, client: Any, tls: bool) -> Any:
    def broken(self: Any, request: Any, **arguments: Any) -> None:
        raise error

    shop.monkeypatch.setattr(resolve(path).func.cls, "get", broken)
    client.raise_request_exception = False
    return client.get(path, secure=tls)


def not_modified(shop: Any, tls: bool) -> Any:
    tag = shop.alice.get("/cart").headers["ETag"]
    return shop.alice.get("/cart", headers={"if-none-match": tag}, secure=tls)


def too_large(shop: Any, tls: bool) -> Any:
    shop.settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 10
    return shop.alice.post("/cart/items", {"book_id": 123456}, secure=tls)


def too_often(shop: Any, tls: bool) -> Any:
    shop.settings.AUTH_THROTTLE_RATE = (1, 60)
    login = {"email": "alice@example.com", "password": "wrong guess"}
    return [shop.nobody.post("/auth/login", login, secure=tls) for _ in range(2)][-1]


def without_a_csrf_token(shop: Any, tls: bool) -> Any:
    return Client(enforce_csrf_checks=True).post("/admin/login/", secure=tls)


def of_type(content_type: str, body: bytes, path: str) -> Callable[[Any, bool], Any]:
    return lambda shop, tls: shop.alice.generic("POST", path, body, content_type=content_type, secure=tls)


def bad_host(path: str) -> Callable[[Any, bool], Any]:
    return lambda shop, tls: shop.nobody.get(path, headers={"host": "evil.example"}, secure=tls)


def by(
    name: str, method: str, path: str, body: dict[str, str] | None = None, **headers: str
) -> Callable[[Any, bool], Any]:
    def ask(shop: Any, tls: bool) -> Any:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        ids = {"book": shop.book, "line": shop.line}
        asked = path.format(**ids)
        data = {} if body is None else {"data": {key: value.format(**ids) for key, value in body.items()}}
        return getattr(getattr(shop, name), method)(asked, headers=sent, secure=tls, **data)

    return ask


def of_a_bug(path: str) -> Callable[[Any, bool], Any]:
    return lambda shop, tls: of_a_view_that(shop, RuntimeError(), path, shop.alice, tls)


def of_a_database_that_is_away(path: str) -> Callable[[Any, bool], Any]:
    return lambda shop, tls: of_a_view_that(shop, OperationalError("connection refused"), path, shop.alice, tls)


ANSWERS: list[tuple[int, str, Callable[[Any, bool], Any]]] = [
    (200, "a cart", by("alice", "get", "/cart")),
    (200, "books", by("nobody", "get", "/books")),
    (200, "HEAD", by("alice", "head", "/cart")),
    (200, "the schema", by("nobody", "get", "/schema")),
    (200, "an admin page", by("staff", "get", "/admin/")),
    (200, "the admin's login", by("nobody", "get", "/admin/login/")),
    (200, "a static file", by("nobody", "get", "/static/admin/css/base.css")),
    (201, "an added book", by("bob", "post", "/cart/items", {"book_id": "{book}"})),
    (202, "a mail to somebody", by("nobody", "post", "/auth/password/forgot", {"email": "x@example.com"})),
    (204, "a removed line", by("alice", "delete", "/cart/items/{line}")),
    (204, "a logout", by("nobody", "post", "/auth/logout", {"refresh_token": "x"})),
    (301, "an admin page without its slash", by("staff", "get", "/admin/catalog/book")),
    (302, "the root", by("nobody", "get", "/")),
    (302, "an admin page for nobody", by("nobody", "get", "/admin/")),
    (304, "a cart that is as it was", not_modified),
    (400, "a body that is no JSON", of_type("application/json", b"{", "/cart/items")),
    (400, "a bad host", bad_host("/cart")),
    (400, "a bad host, of a page", bad_host("/admin/")),
    (400, "a bad host, of nothing", bad_host("/nothing")),
    (401, "nobody", by("nobody", "get", "/cart")),
    (403, "a line of somebody else", by("bob", "delete", "/cart/items/{line}")),
    (403, "a form without a token", without_a_csrf_token),
    (404, "an unknown path", by("nobody", "get", "/nothing")),
    (404, "an unknown book", by("nobody", "get", "/books/0")),
    (404, "an unknown admin page", by("staff", "get", "/admin/nothing/")),
    (405, "an unknown method", by("nobody", "post", "/health")),
    (406, "an Accept without JSON", by("alice", "get", "/cart", accept="application/xml")),
    (409, "a book that is there", by("alice", "post", "/cart/items", {"book_id": "{book}"})),
    (412, "a cart that has changed", by("alice", "delete", "/cart/items", if_match='"stale"')),
    (413, "a body that is too large", too_large),
    (415, "a body of another type", of_type("text/plain", b"x", "/cart/items")),
    (422, "a bad query", by("nobody", "get", "/books?page=0")),
    (429, "one attempt too many", too_often),
    (500, "a bug", of_a_bug("/cart")),
    (503, "a database that is away", of_a_database_that_is_away("/cart")),
]


@pytest.mark.slow
@pytest.mark.parametrize("tls", [True, pytest.param(False, marks=pytest.mark.any_database)], ids=["https", "http"])
@pytest.mark.parametrize(("status", "what", "ask"), ANSWERS, ids=[f"{status} {what}" for status, what, _ in ANSWERS])
def test_every_answer_has_every_security_header(shop, status, what, ask, tls):
    response = ask(shop, tls)
    if response.streaming:
        b"".join(response.streaming_content)

    assert response.status_code == status
    assert {name: response.headers.get(name) for name in ALWAYS} == ALWAYS
    assert {name: response.headers.get(name) for name in OVER_TLS} == (OVER_TLS if tls else dict.fromkeys(OVER_TLS))
    assert len(response.headers["X-Request-ID"]) == 32
    if "location" not in response.headers and status != 304 and not response.streaming and what != "HEAD":
        assert response.headers["Content-Length"] == str(len(response.content))


@pytest.mark.slow
@pytest.mark.parametrize("tls", [True, False], ids=["https", "http"])
def test_the_page_of_the_docs_has_them_and_lets_its_own_pop_ups_go(shop, tls):
    headers = shop.nobody.get("/docs", secure=tls).headers

    assert {name: headers.get(name) for name in ALWAYS} == ALWAYS | {
        "Cross-Origin-Opener-Policy": headers["Cross-Origin-Opener-Policy"]
    }
    assert headers["Cross-Origin-Opener-Policy"] in {"unsafe-none", "same-origin-allow-popups"}
    assert ("Strict-Transport-Security" in headers) == tls


def test_the_answers_cover_every_status_of_the_contract():
    from bookstore.api.schema import ShopSchema

    schema = ShopSchema().get_schema(request=None, public=True)
    described = {
        int(status)
        for operations in schema["paths"].values()
        for operation in operations.values()
        for status in operation["responses"]
    }

    assert described <= {status for status, _, _ in ANSWERS}


# --- nothing that is somebody's own may be kept by a cache; the staff's pages are in tests/admin/test_matrix.py ---

# Routes that need a token, and routes that issue tokens.
PERSONAL = [route for route, row in access().items() if any(answers[0] == 401 for answers in row.values())]
PERSONAL += [route for route in access() if route.startswith("auth/") and route not in PERSONAL]
# The catalogue is public and may be cached: catalog/tests/test_http_caching.py.
PUBLIC = [(route, method) for route in PERSONAL for method in ("GET", "HEAD") if access()[route][method][0] == 200]
PERSONAL_CALLS = [(route, method) for route in PERSONAL for method in METHODS if (route, method) not in PUBLIC]


@pytest.mark.slow
@pytest.mark.parametrize("who", ["alice", pytest.param("nobody", marks=pytest.mark.any_database)])
@pytest.mark.parametrize(("route", "method"), PERSONAL_CALLS)
def test_nothing_personal_may_be_kept_by_a_cache(shop, route, method, who):
    response = getattr(shop, who).generic(method, shop.path(route))

    assert "no-store" in response.headers["Cache-Control"]


ERRORS = [
    (what, ask)
    for status, what, ask in ANSWERS
    # Of what is personal. Django's own page about a form without a token names nobody.
    if status >= 400 and what not in {"a form without a token", "an unknown method", "a bad query", "an unknown book"}
]


@pytest.mark.parametrize(("what", "ask"), ERRORS, ids=[what for what, _ in ERRORS])
def test_no_error_about_something_personal_may_be_kept_by_a_cache(shop, what, ask):
    assert "no-store" in ask(shop, True).headers["Cache-Control"]
