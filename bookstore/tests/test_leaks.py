"""What must not get out: a secret into the log, a personal answer into a cache, a page into a frame."""

import io
import logging
from typing import Any

import pytest
from django.apps import apps
from django.db import IntegrityError, transaction
from rest_framework.test import APIClient

from bookstore.accounts.models import User
from bookstore.accounts.tests.factories import SuperuserFactory, UserFactory
from bookstore.api.middleware import RequestIdFilter

EMAIL, PASSWORD, TOKEN = "canary@example.com", "canary-password-7", "canary.token.value"
EVERYWHERE = {"email": EMAIL, "password": PASSWORD, "refresh_token": TOKEN}
FIELDS = (
    *("email", "password", "refresh_token", "items", "book_id", "quantity", "name"),
    *(
        "title",
        "author",
        "price",
        "isbn",
        "genre_id",
        "description",
        "cover_image_url",
        "publish_date",
        "stock_quantity",
    ),
)
CANARIES = ("canary@", "canary%40", "canary-password", "canary.token")


@pytest.fixture
def written():
    """Everything that any logger writes, at the most talkative level."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.addFilter(RequestIdFilter())
    handler.setFormatter(logging.Formatter("%(levelname)s %(name)s %(message)s"))
    loggers = [logging.getLogger(name) for name in ("", "bookstore", "django", "django.request", "bookstore.request")]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.DEBUG)
    # SQL with its values is for DEBUG=1 and a logger of its own that nobody turns on in production.
    logging.getLogger("django.db.backends").setLevel(logging.INFO)
    logging.getLogger().addHandler(handler)
    yield stream
    logging.getLogger().removeHandler(handler)
    for logger, level in zip(loggers, before, strict=True):
        logger.setLevel(level)


def send_canaries(client: APIClient) -> None:
    for path in (
        "/auth/register",
        "/auth/login",
        "/auth/refresh",
        "/auth/logout",
        "/cart/items",
        "/cart/merge",
        "/books",
    ):
        headers = {"authorization": f"Bearer {TOKEN}", "cookie": f"sessionid={TOKEN}", "x-request-id": EMAIL}
        client.post(f"{path}?q={EMAIL}&password={PASSWORD}", EVERYWHERE, headers=headers)
        client.post(path, [EVERYWHERE], headers=headers)
        client.generic("POST", path, b'{"email": "canary@example.com", "password": "canary-password-7"')
        client.get(f"{path}?token={TOKEN}", headers=headers)


@pytest.mark.django_db
def test_no_canary_reaches_the_log(written):
    send_canaries(APIClient(raise_request_exception=False))

    lines = written.getvalue()
    assert "/auth/register 201" in lines
    assert [canary for canary in CANARIES if canary in lines] == []


@pytest.mark.django_db
@pytest.mark.parametrize("canary", [EMAIL, PASSWORD, TOKEN])
def test_no_canary_reaches_the_log_from_any_field_of_somebody_who_may_do_everything(written, client_for, canary):
    client = client_for(SuperuserFactory())
    client.raise_request_exception = False

    for path in ("auth/register", "auth/login", "auth/refresh", "auth/logout", "cart/merge", "cart/items", "genres"):
        client.post(f"/{path}", dict.fromkeys(FIELDS, canary))
    for path in ("books", "books/1", "books/1/stock", "cart/items/1"):
        for method in ("post", "put", "patch"):
            getattr(client, method)(f"/{path}", dict.fromkeys(FIELDS, canary))
            getattr(client, method)(f"/{path}", {"items": [dict.fromkeys(FIELDS, canary)]})

    lines = written.getvalue()
    assert "/books 422" in lines
    assert [canary for canary in CANARIES if canary in lines] == []


@pytest.mark.django_db
def test_no_canary_reaches_the_log_by_the_traceback_of_a_bug(written, monkeypatch):
    UserFactory(email=EMAIL)

    def broken(self: Any, **fields: Any) -> None:
        """As code that does not expect the violation: PostgreSQL's DETAIL would quote the row."""
        with transaction.atomic():
            UserFactory(email=EMAIL)

    monkeypatch.setattr(type(User.objects), "register", broken)

    response = APIClient(raise_request_exception=False).post("/auth/register", EVERYWHERE)

    lines = written.getvalue()
    assert response.status_code == 500
    assert "IntegrityError" in lines
    assert [canary for canary in CANARIES if canary in lines] == []


@pytest.mark.django_db
def test_a_violated_check_does_not_quote_the_row():
    with pytest.raises(IntegrityError) as caught, transaction.atomic():
        apps.get_model("catalog", "Book").objects.create(title="canary-title", author="A", price="-1")

    assert "canary-title" not in str(caught.value)
    assert "canary-title" not in str(caught.value.__cause__)


PATHS = ["/cart", "/books", "/books/0", "/health", "/nothing", "/docs", "/schema", "/admin/login/", "/admin/x/"]


@pytest.mark.django_db
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "DELETE"])
def test_every_answer_has_the_security_headers(client, path, method):
    response = client.generic(method, path)

    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Referrer-Policy"] == "same-origin"
    assert response.headers["X-Frame-Options"] == "DENY"
    assert response.headers["Cross-Origin-Opener-Policy"]  # the docs' page lets its own pop-ups go


@pytest.mark.django_db  # the end of a request looks after connections
def test_a_static_file_has_the_security_headers(client):
    response = client.get("/static/admin/css/base.css")
    content = b"".join(response.streaming_content)
    response.close()

    assert (response.status_code, bool(content)) == (200, True)
    assert response.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.django_db
@pytest.mark.parametrize("signed_in", [True, False])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        *[(method, "/cart") for method in ("GET", "HEAD", "POST")],
        *[("POST", "/cart/merge"), ("POST", "/cart/items"), ("DELETE", "/cart/items")],
        *[(method, "/cart/items/1") for method in ("GET", "PUT", "PATCH", "DELETE")],
        *[("POST", f"/auth/{name}") for name in ("register", "login", "refresh", "logout")],
        *[("GET", f"/auth/{name}") for name in ("register", "login", "refresh", "logout")],
    ],
)
def test_nothing_personal_may_be_kept_by_a_cache(client_for, method, path, signed_in):
    client = client_for(UserFactory()) if signed_in else APIClient()

    assert "no-store" in client.generic(method, path).headers["Cache-Control"]


def test_a_bug_in_something_personal_may_not_be_kept_either(monkeypatch, client_for, db):
    from django.urls import resolve

    view = resolve("/cart").func.cls

    def broken(self: Any, request: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr(view, "get", broken)
    client = client_for(UserFactory())
    client.raise_request_exception = False

    response = client.get("/cart")

    assert response.status_code == 500
    assert "no-store" in response.headers["Cache-Control"]
