"""The staff's sessions: Django's, that tell a database which is away from a bug, and a key from what is none."""

import re

from django.conf import settings
from django.contrib.sessions.middleware import SessionMiddleware
from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, HttpResponse

from bookstore.admin.errors import unavailable
from bookstore.database import is_unavailable, note_unavailable

KEY = re.compile(r"[0-9a-z]{32}")  # what Django makes


class AdminSessions(SessionMiddleware):
    def process_request(self, request: HttpRequest) -> None:
        """What can be no key is none: PostgreSQL fails when it is asked for a NUL, and `\\000` in a cookie is one."""
        key = request.COOKIES.get(settings.SESSION_COOKIE_NAME)
        request.session = self.SessionStore(key if key and KEY.fullmatch(key) else None)

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        """Saves the session, when the view is over: no other part would look at what fails then."""
        try:
            return super().process_response(request, response)
        except (DatabaseError, InterfaceError) as error:
            if not is_unavailable(error):
                raise
            note_unavailable(error)
            return unavailable()
