"""The staff's sessions: Django's, that tell a database which is away from a bug."""

from django.contrib.sessions.middleware import SessionMiddleware
from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, HttpResponse

from bookstore.api.errors import ServiceUnavailable, json_response
from bookstore.database import is_unavailable, note_unavailable


class AdminSessions(SessionMiddleware):
    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        """Saves the session, when the view is over: no other part would look at what fails then."""
        try:
            return super().process_response(request, response)
        except (DatabaseError, InterfaceError) as error:
            if not is_unavailable(error):
                raise
            note_unavailable(error)
            return json_response(ServiceUnavailable())
