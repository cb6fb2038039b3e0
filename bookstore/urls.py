"""The whole URL map. No path ends with a slash; a request with one gets the same response."""

from collections.abc import Callable

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import include, path, register_converter
from django.views.decorators.csrf import csrf_exempt
from django.views.generic import RedirectView

from bookstore.api.fields import IdConverter
from bookstore.server.health import HealthView, ReadyView

register_converter(IdConverter, "id")

handler400 = "bookstore.admin.errors.bad_request"
handler403 = "bookstore.admin.errors.forbidden"
handler404 = "bookstore.admin.errors.missing"
handler500 = "bookstore.admin.errors.broken"


def to_page(name: str) -> Callable[..., HttpResponseBase]:
    """GET and HEAD redirect to this page; other methods get 405, not the 403 of the CSRF check."""
    return csrf_exempt(RedirectView.as_view(pattern_name=name, http_method_names=["get", "head"]))


def schema(request: HttpRequest) -> HttpResponseBase:
    from bookstore.api.schema_views import SchemaView  # here: drf-spectacular's generator, 4 MB of each worker

    return SchemaView.as_view()(request)


def docs(request: HttpRequest) -> HttpResponseBase:
    from bookstore.api.schema_views import DocsView  # here: as above

    return DocsView.as_view()(request)


urlpatterns = [
    # The most frequent first, because the resolver tries them in this order.
    path("", include("cart.urls")),
    path("", include("catalog.urls")),
    path("", include("orders.urls")),
    path("auth/", include("bookstore.accounts.urls")),
    path("health", HealthView.as_view(), name="health"),
    path("ready", ReadyView.as_view(), name="ready"),
    path("admin", to_page("admin:index")),
    path("admin/", include("bookstore.accounts.staff_urls")),
    path("admin/", admin.site.urls),
]
if settings.API_DOCS:
    urlpatterns += [path("schema", schema, name="schema"), path("docs", docs, name="docs")]
if settings.DEBUG:
    urlpatterns += [path("shop", to_page("shop")), path("shop/", include("examples.shop.serve"))]
if settings.DEBUG or settings.API_DOCS:
    urlpatterns += [path("", to_page("shop" if settings.DEBUG else "docs"), name="home")]
