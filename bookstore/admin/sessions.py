"""Django's session middleware for staff: ignores malformed cookies, and answers 503 when the database is down."""

import re

from django.conf import settings
from django.contrib.sessions.middleware import SessionMiddleware
from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, HttpResponse

from bookstore.admin.errors import unavailable
from bookstore.database import is_unavailable, note_unavailable

KEY = re.compile(r"[0-9a-z]{32}")  # as Django makes them


class AdminSessions(SessionMiddleware):
    def process_request(self, request: HttpRequest) -> None:
        """Ignores a malformed session cookie: its `\\000` would become a NUL, for which PostgreSQL raises."""
        key = request.COOKIES.get(settings.SESSION_COOKIE_NAME)
        request.session = self.SessionStore(key if key and KEY.fullmatch(key) else None)

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        """Saves the session after the view, and handles its errors, which no other middleware would."""
        try:
            return super().process_response(request, response)
        except (DatabaseError, InterfaceError) as error:
            if not is_unavailable(error):
                raise
            note_unavailable(error)
            return unavailable()
