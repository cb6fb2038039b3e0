"""The short way of the API's requests, past the middleware that only pages need.

Sessions, forms, messages and static files belong to the staff's site. What is left of Django's middleware for the API
is a look at the host and a few headers: `DirectMiddleware` does these and calls DRF's view itself. Everything else
goes the whole way. A test sends the same requests both ways; docs/decisions/0011-one-statement.md says what it gives.
"""

from collections.abc import Callable
from io import BytesIO
from typing import cast

from corsheaders.middleware import CorsMiddleware
from django.core.exceptions import DisallowedHost
from django.core.handlers.exception import convert_exception_to_response
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.clickjacking import XFrameOptionsMiddleware
from django.middleware.security import SecurityMiddleware
from django.urls import Resolver404, ResolverMatch, resolve
from django.utils.cache import patch_vary_headers

from bookstore.api.views import ApiView

GetResponse = Callable[[HttpRequest], HttpResponseBase]

# Django's own, which makes an answer of every exception.
guarded = cast(Callable[[GetResponse], GetResponse], convert_exception_to_response)

# ALLOWED_HOSTS may have a wildcard: of the names that it allows, as many are remembered.
REMEMBERED_HOSTS = 100


def security_headers(*, secure: bool) -> dict[str, str]:
    """What Django's own middleware puts on every answer, by the settings, over https (`secure`) or http."""
    scheme = "https" if secure else "http"
    request = WSGIRequest({"REQUEST_METHOD": "GET", "wsgi.url_scheme": scheme, "wsgi.input": BytesIO()})
    security = SecurityMiddleware(lambda request: HttpResponse())
    response = XFrameOptionsMiddleware(lambda request: cast(HttpResponse, security(request)))(request)
    return {name: value for name, value in cast(HttpResponse, response).items() if name != "Content-Type"}


class DirectMiddleware:
    """Answers what an ApiView answers, and hands everything else on."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        self.answer = guarded(call_view)
        self.answer_across_origins = guarded(cast(GetResponse, CorsMiddleware(self.answer)))
        self.security = {secure: security_headers(secure=secure) for secure in (True, False)}
        self.hosts: set[str | None] = set()

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        match = view_of_api(request.path_info)
        if match is None or not self.is_known(request):
            return self.get_response(request)
        request.resolver_match = match
        response = (self.answer_across_origins if "HTTP_ORIGIN" in request.META else self.answer)(request)
        headers = response.headers
        for name, value in self.security[request.is_secure()].items():
            headers.setdefault(name, value)
        patch_vary_headers(response, ["origin"])
        if isinstance(response, HttpResponse):  # no stream, that is
            headers["Content-Length"] = str(len(response.content))
        return response

    def is_known(self, request: HttpRequest) -> bool:
        """Whether ALLOWED_HOSTS allows the host; one that it does not goes the whole way, where Django refuses it."""
        host = request.META.get("HTTP_HOST")
        if host in self.hosts:
            return True
        try:
            request.get_host()
        except DisallowedHost:
            return False
        if len(self.hosts) < REMEMBERED_HOSTS:
            self.hosts.add(host)
        return True


def view_of_api(path: str) -> ResolverMatch | None:
    try:
        match = resolve(path)
    except Resolver404:
        return None
    return match if issubclass(getattr(match.func, "cls", object), ApiView) else None  # as DRF's as_view() names it


def call_view(request: HttpRequest) -> HttpResponseBase:
    match = cast(ResolverMatch, request.resolver_match)
    response: HttpResponseBase = match.func(request, *match.args, **match.kwargs)
    return response.render() if hasattr(response, "render") else response
