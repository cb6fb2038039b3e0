"""Checks the Host header against ALLOWED_HOSTS, with a cache."""

import logging

from django.core.exceptions import DisallowedHost
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from bookstore.api.errors import BadRequest, json_response
from bookstore.api.middleware import GetResponse

logger = logging.getLogger("bookstore.hosts")

# Hosts of a wildcard that are cached, and refused hosts that are logged: clients can send any number.
REMEMBERED = 100
LONGEST_LOGGED = 100  # characters of a refused host
# A load balancer calls these by address, so their Host is not checked; the answers name no host.
PROBES = frozenset({"/health", "/health/", "/ready", "/ready/"})


class HostUnknown(BadRequest):
    message = "The header Host names no host of this shop: ALLOWED_HOSTS lists them."


class HostMiddleware:
    """400 for a host that ALLOWED_HOSTS does not name, and a warning in the log at the first request for it."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        self.allowed: set[str | None] = set()
        self.refused: set[str | None] = set()

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        host = request.META.get("HTTP_HOST")
        if host not in self.allowed and request.path_info not in PROBES:
            try:
                self.check(request, host)
            except DisallowedHost:
                if request.path.startswith("/admin/"):
                    raise  # Django's page
                return json_response(HostUnknown())
        return self.get_response(request)

    def check(self, request: HttpRequest, host: str | None) -> None:
        """Raises DisallowedHost. Caches the others."""
        try:
            request.get_host()
        except DisallowedHost:
            if host not in self.refused and len(self.refused) < REMEMBERED:
                self.refused.add(host)
                logger.warning("Refused Host %.*r: ALLOWED_HOSTS does not name it", LONGEST_LOGGED, host)
            raise
        if len(self.allowed) < REMEMBERED:
            self.allowed.add(host)
