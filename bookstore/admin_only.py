"""Middleware that only the staff's site needs.

Sessions, the signed-in user and messages belong to pages with cookies. The API has none: its requests pass these by at
the price of a look at the path. The protection of forms stays Django's own, for all: it costs next to nothing, and
`check --deploy` asks for it by name.
"""

from typing import Any

from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest
from django.http.response import HttpResponseBase


class AdminOnly:
    """Goes before a middleware's class: outside the admin, the request goes straight on."""

    get_response: Any

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path_info.startswith("/admin"):
            response: HttpResponseBase = super().__call__(request)  # type: ignore[misc]  # the middleware's
            return response
        passed_by: HttpResponseBase = self.get_response(request)
        return passed_by


class AdminSessions(AdminOnly, SessionMiddleware):
    pass


class AdminUser(AdminOnly, AuthenticationMiddleware):
    pass


class AdminMessages(AdminOnly, MessageMiddleware):
    pass
