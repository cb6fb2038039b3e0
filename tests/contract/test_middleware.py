"""The two lists of middleware: pages run through MIDDLEWARE, all other requests through API_MIDDLEWARE."""

import logging

import pytest
from django.core.exceptions import MiddlewareNotUsed
from django.core.exceptions import ValidationError as DjangoValidationError
from django.http import HttpResponse
from django.template.response import SimpleTemplateResponse
from django.urls import path
from django.views import View
from rest_framework.exceptions import APIException
from rest_framework.permissions import AllowAny
from rest_framework.test import APIClient

from bookstore.accounts.models import User
from bookstore.api.views import ApiView

pytestmark = pytest.mark.django_db

# Each answer has its own.
TOLD_APART = {"x-request-id"}
# What HeadersMiddleware and CorsHeaders stand for, as their projects document it.
ORDINARY = [
    "bookstore.api.middleware.RequestLogMiddleware",
    "bookstore.api.middleware.ErrorEnvelopeMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "bookstore.api.hosts.HostMiddleware",
    "django.middleware.common.CommonMiddleware",
    "bookstore.api.middleware.TrailingSlashMiddleware",
]
SHOP = {"Origin": "https://shop.example"}
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
    ("GET", "/cart", {}),
    ("POST", "/cart/items", {}),
    ("DELETE", "/cart/items/1", {}),
    ("GET", "/health", {"Accept": "text/html"}),
    ("GET", "/health", SHOP),
    ("GET", "/cart", SHOP),
    ("GET", "/health", {"Origin": "https://evil.example"}),
    ("OPTIONS", "/cart/items", SHOP | {"Access-Control-Request-Method": "POST"}),
    ("OPTIONS", "/cart/items", {}),
    ("GET", "/books", {"Host": "evil.example"}),
    ("GET", "/books", {"Host": "a_b"}),
]


@pytest.fixture(autouse=True)
def one_storefront(settings):
    settings.CORS_ALLOWED_ORIGINS = ["https://shop.example"]
    settings.SECURE_HSTS_SECONDS = 3600


def all_of(response):
    headers = {name.lower(): value for name, value in response.headers.items() if name.lower() not in TOLD_APART}
    return response.status_code, headers, response.content


@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
@pytest.mark.parametrize(("method", "path", "headers"), REQUESTS)
def test_api_answers_as_with_djangos_own_middleware(settings, method, path, headers, secure):
    ours = APIClient().generic(method, path, headers=headers, secure=secure)
    settings.API_MIDDLEWARE = ORDINARY

    theirs = APIClient().generic(method, path, headers=headers, secure=secure)

    assert all_of(ours) == all_of(theirs)


@pytest.mark.parametrize(("path", "meets"), [("/health", False), ("/nothing", False), ("/admin/login/", True)])
def test_only_pages_meet_the_middleware_of_sessions(monkeypatch, path, meets):
    met = []
    monkeypatch.setattr(
        "bookstore.admin.sessions.AdminSessions.process_request", lambda self, request: met.append(request.path)
    )
    client = APIClient(raise_request_exception=False)

    client.get(path)

    assert bool(met) == meets


# --- what Django documents of middleware and views ---


class Wishes(ApiView):
    permission_classes = (AllowAny,)
    authentication_classes = ()

    def get(self, request):
        User.objects.create_user("erin@example.com")
        raise APIException("Not today.")


class Plain(View):
    def get(self, request):
        raise DjangoValidationError({"title": "Not this one."})

    def post(self, request):
        raise RuntimeError("a bug")


urlpatterns = [
    path("wishes", Wishes.as_view()),
    path("plain", Plain.as_view()),
    path("template", lambda request: SimpleTemplateResponse("drf_spectacular/redoc.html")),
    path("health", lambda request: HttpResponse(b"{}")),
]


class Watching:
    """One of every hook."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        response.headers["X-Seen"] = " ".join(request.seen)
        return response

    def process_view(self, request, view, args, kwargs):
        request.seen = ["view"]

    def process_exception(self, request, exception):
        request.seen.append(type(exception).__name__)
        return HttpResponse("handled", status=418) if isinstance(exception, RuntimeError) else None

    def process_template_response(self, request, response):
        request.seen.append("template")
        return response


class Refusing(Watching):
    def process_view(self, request, view, args, kwargs):
        request.seen = ["refused"]
        return HttpResponse("refused", content_type="application/json", status=403)


def unused(get_response):
    raise MiddlewareNotUsed


@pytest.fixture
def shop(settings):
    settings.ROOT_URLCONF = __name__
    settings.API_MIDDLEWARE = [*settings.API_MIDDLEWARE, f"{__name__}.unused", f"{__name__}.Watching"]
    return APIClient()


@pytest.mark.parametrize(
    ("method", "path", "seen"),
    [("GET", "/health", "view"), ("POST", "/plain", "view RuntimeError"), ("GET", "/template", "view template")],
)
def test_middleware_at_the_end_of_the_list_has_every_hook(shop, method, path, seen):
    response = shop.generic(method, path)

    assert response.headers["X-Seen"] == seen


def test_process_view_can_answer_in_place_of_the_view(shop, settings):
    settings.API_MIDDLEWARE = [*settings.API_MIDDLEWARE, f"{__name__}.Refusing"]

    response = shop.get("/wishes")

    assert (response.status_code, response.content) == (403, b"refused")
    assert not User.objects.exists()


def test_plain_view_that_raises_a_validation_error_is_422(shop):
    response = shop.get("/plain")

    assert response.status_code == 422
    assert response.json() == {
        "detail": "Not this one.",
        "code": "VALIDATION_ERROR",
        "field": "title",
        "errors": [{"field": "title", "code": "invalid", "detail": "Not this one."}],
    }


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("atomic", "kept"), [(True, 0), (False, 1)])
def test_error_of_a_view_rolls_back_under_atomic_requests(shop, monkeypatch, atomic, kept):
    from django.db import connection

    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", atomic)

    response = shop.get("/wishes")

    assert response.status_code == 500
    assert User.objects.count() == kept


# --- hosts ---


def test_host_is_looked_up_once_and_remembered_within_bounds(settings, monkeypatch):
    settings.ALLOWED_HOSTS = [".shop.example"]
    monkeypatch.setattr("bookstore.api.hosts.REMEMBERED", 1)
    client = APIClient()

    statuses = [client.get("/books", headers={"Host": f"{n}.shop.example"}).status_code for n in (1, 2, 1, 2)]

    assert statuses == [200] * 4
    assert client.get("/books", headers={"Host": "shop.example.evil"}).status_code == 400


@pytest.mark.parametrize("path", ["/books", "/admin/login/"])
def test_refused_host_is_logged_once_and_shortened(caplog, path):
    client = APIClient()

    with caplog.at_level(logging.WARNING, "bookstore.hosts"):
        statuses = [client.get(path, headers={"Host": host}).status_code for host in ("a" * 300, "a" * 300, "b\r\nc")]

    assert statuses == [400] * 3
    assert [record.getMessage() for record in caplog.records if record.name == "bookstore.hosts"] == [
        f"Refused Host '{'a' * 99}: ALLOWED_HOSTS does not name it",
        "Refused Host 'b\\r\\nc': ALLOWED_HOSTS does not name it",
    ]


@pytest.mark.parametrize("path", ["/health", "/health/", "/ready", "/ready/"])
def test_probe_by_address_is_answered(path):
    assert APIClient().get(path, headers={"Host": "10.0.0.7:8000"}).status_code == 200


# --- slashes ---


def test_delete_with_an_empty_id_deletes_nothing(client_for, alice, bob):
    """`/cart/items/${id}` of an id that a script does not have."""
    client = client_for(alice)

    answers = [client.delete(path) for path in ("/cart/items/", "/books/", "/cart/", "/nothing/")]

    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(404, "NOT_FOUND")] * 4
    assert answers[0].json() == {"detail": "No id stands behind the last slash.", "code": "NOT_FOUND"}
    assert client.delete("/cart/items").status_code == 204
    assert client.delete("/cart/items/0/").json()["code"] == "CART_ITEM_NOT_FOUND"
