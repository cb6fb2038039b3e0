"""A request of the API is answered the same by the short way and by all of Django's middleware."""

import pytest
from rest_framework.test import APIClient

pytestmark = pytest.mark.django_db

DIRECT = "bookstore.api.direct.DirectMiddleware"
# Each answer has its own; Expires names the second.
TOLD_APART = {"X-Request-ID", "Expires"}

REQUESTS = [
    ("GET", "/health", {}),
    ("HEAD", "/health", {}),
    ("GET", "/health/", {}),
    ("POST", "/health", {}),
    ("GET", "/ready", {}),
    ("GET", "/schema", {}),
    ("GET", "/docs", {}),
    ("GET", "/books?q=emma", {}),
    ("GET", "/books/?page=0", {}),
    ("GET", "/books/999", {}),
    ("GET", "/books/x", {}),
    ("GET", "/nothing", {}),
    ("GET", "/", {}),
    ("GET", "/admin", {}),
    ("GET", "/admin/login/", {}),
    ("GET", "/static/bookstore/admin.css", {}),
    ("GET", "/cart", {}),
    ("POST", "/cart/items", {}),
    ("DELETE", "/cart/items/1", {}),
    ("GET", "/health", {"Accept": "text/html"}),
    ("GET", "/health", {"Origin": "https://shop.example"}),
    ("GET", "/cart", {"Origin": "https://shop.example"}),
    ("GET", "/health", {"Origin": "https://evil.example"}),
    (
        "OPTIONS",
        "/cart/items",
        {"Origin": "https://shop.example", "Access-Control-Request-Method": "POST"},
    ),
    ("OPTIONS", "/cart/items", {}),
    ("GET", "/health", {"Host": "evil.example"}),
    ("GET", "/health", {"Host": "a_b"}),
]


@pytest.fixture(autouse=True)
def one_storefront(settings):
    settings.CORS_ALLOWED_ORIGINS = ["https://shop.example"]
    settings.SECURE_HSTS_SECONDS = 3600


def all_of(response):
    body = b"".join(response) if response.streaming else response.content
    if response.cookies:
        body = b""  # a form has a token of its own in every answer
    headers = {name.lower(): value for name, value in response.headers.items() if name not in TOLD_APART}
    return response.status_code, headers, body


@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
@pytest.mark.parametrize(("method", "path", "headers"), REQUESTS)
def test_a_request_is_answered_the_same_both_ways(settings, method, path, headers, secure):
    direct = APIClient().generic(method, path, headers=headers, secure=secure)
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if name != DIRECT]

    whole = APIClient().generic(method, path, headers=headers, secure=secure)

    assert all_of(direct) == all_of(whole)


def test_what_the_api_answers_meets_none_of_the_middleware_of_pages(settings, monkeypatch):
    def met(self, request):
        raise AssertionError(f"{request.path} went the whole way")

    monkeypatch.setattr("django.contrib.sessions.middleware.SessionMiddleware.process_request", met)

    response = APIClient().get("/health")

    assert response.status_code == 200


def test_a_host_is_looked_up_once_and_remembered_within_bounds(settings, monkeypatch):
    settings.ALLOWED_HOSTS = [".shop.example"]
    monkeypatch.setattr("bookstore.api.direct.REMEMBERED_HOSTS", 1)
    client = APIClient()

    statuses = [client.get("/health", headers={"Host": f"{n}.shop.example"}).status_code for n in (1, 2, 1, 2)]

    assert statuses == [200] * 4
    assert client.get("/health", headers={"Host": "shop.example.evil"}).status_code == 400
