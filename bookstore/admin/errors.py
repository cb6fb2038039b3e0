"""The error pages of the admin.

`handler400`, `handler403`, `handler404` and `handler500` of the URL map, the setting CSRF_FAILURE_VIEW, and a
middleware for a database that is down.
Outside /admin/ they return Django's responses, which the API's middleware puts into its envelope.
"""

import logging
from collections.abc import Callable

from django.conf import settings
from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.cache import add_never_cache_headers
from django.views import defaults
from django.views.csrf import csrf_failure

from bookstore.api.errors import RETRY_AFTER
from bookstore.database import is_unavailable, note_unavailable
from bookstore.server.temporary_files import has_no_room

logger = logging.getLogger("bookstore.admin")


def is_page(request: HttpRequest) -> bool:
    """Whether the request is for a page of the admin."""
    return request.path_info.startswith("/admin/")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    return plain(400) if is_page(request) else defaults.bad_request(request, exception)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    return refused(request, 403) or defaults.permission_denied(request, exception)


def stale(request: HttpRequest, reason: str = "") -> HttpResponseBase:
    """CSRF_FAILURE_VIEW: the token is stale, mostly after a sign-in in another tab."""
    return plain(403) if is_page(request) else csrf_failure(request, reason=reason)


def missing(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    return refused(request, 404) or defaults.page_not_found(request, exception)


def broken(request: HttpRequest) -> HttpResponseBase:
    return plain(500) if is_page(request) else defaults.server_error(request)


def unavailable() -> HttpResponse:
    page = plain(503)
    page.headers["Retry-After"] = str(RETRY_AFTER)
    return page


def refused(request: HttpRequest, status: int) -> HttpResponse | None:
    """An error page with links back to the site."""
    if not is_page(request):
        return None
    page = render(request, "admin/refused.html", {"status": status}, status=status)
    add_never_cache_headers(page)  # the page has the user's email
    return page


def plain(status: int) -> HttpResponse:
    """A page that uses neither the database nor the session, which may have failed."""
    page = HttpResponse(render_to_string("admin/failed.html", {"status": status}), status=status)
    add_never_cache_headers(page)
    return page


class UnavailableMiddleware:
    """Turns the error of a database that is down or too busy, or of a full disk, into a 503 page.

    The innermost middleware, so that it also sees what others refuse before the view.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """With DEBUG Django shows its own pages for a 400 and a 404, and asks no handler."""
        response = self.get_response(request)
        if settings.DEBUG and is_page(request) and response.status_code in {400, 404}:
            return plain(400) if response.status_code == 400 else refused(request, 404) or response
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not is_page(request):
            return None
        if isinstance(exception, OSError) and has_no_room(exception):
            text = "TMPDIR has no space for the files of a page (%s): it is 503"
            logger.error(text, exception.strerror, exc_info=exception)
            return unavailable()
        if not isinstance(exception, DatabaseError | InterfaceError) or not is_unavailable(exception):
            return None
        note_unavailable(exception)
        return unavailable()
