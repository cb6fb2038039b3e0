"""Django's session middleware for staff: ignores malformed cookies, and answers 503 when the database is down."""

import re

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.middleware import SessionMiddleware
from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, HttpResponse

from bookstore.admin.errors import unavailable
from bookstore.api.middleware import CALLER
from bookstore.database import is_unavailable, note_unavailable

KEY = re.compile(r"[0-9a-z]{32}")  # as Django makes them


class AdminSessions(SessionMiddleware):
    def process_request(self, request: HttpRequest) -> None:
        """Ignores a malformed session cookie: its `\\000` would become a NUL, for which PostgreSQL raises."""
        key = request.COOKIES.get(settings.SESSION_COOKIE_NAME)
        request.session = self.SessionStore(key if key and KEY.fullmatch(key) else None)

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        """Saves the session after the view; errors of that are caught here, because no other middleware would."""
        if request.session.accessed and (user_id := request.session.get(SESSION_KEY)):
            request.META[CALLER] = {"user_id": int(user_id)}  # the session's key opens the session: not for the log
        try:
            return super().process_response(request, response)
        except (DatabaseError, InterfaceError) as error:
            if not is_unavailable(error):
                raise
            note_unavailable(error)
            return unavailable()
