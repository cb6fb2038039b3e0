"""Chooses the list of middleware of a request: MIDDLEWARE for pages, else API_MIDDLEWARE.

`ApiRequests` is first in MIDDLEWARE, and answers requests for the API itself. Both lists work as Django documents:
`process_view`, `process_exception`, `process_template_response`, ATOMIC_REQUESTS, an entry added anywhere.
docs/decisions/0018-two-lists-of-middleware.md has the reason, and what it costs.
"""

from typing import Any

from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.core.handlers.base import BaseHandler
from django.core.handlers.exception import convert_exception_to_response
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.module_loading import import_string

from bookstore.api.middleware import GetResponse


class ApiHandler(BaseHandler):
    """Django's handler, with the list API_MIDDLEWARE.

    Django's own `load_middleware` always reads the setting MIDDLEWARE; this is its loop, without async.
    """

    def load_middleware(self, is_async: bool = False) -> None:
        self._view_middleware: list[Any] = []
        self._template_response_middleware: list[Any] = []
        self._exception_middleware: list[Any] = []
        chain: Any = convert_exception_to_response(self._get_response)  # type: ignore[attr-defined]  # the stubs lack it
        for path in reversed(settings.API_MIDDLEWARE):
            try:
                middleware = import_string(path)(chain)
            except MiddlewareNotUsed:
                continue
            if hasattr(middleware, "process_view"):
                self._view_middleware.insert(0, middleware.process_view)
            if hasattr(middleware, "process_template_response"):
                self._template_response_middleware.append(middleware.process_template_response)
            if hasattr(middleware, "process_exception"):
                self._exception_middleware.append(middleware.process_exception)
            chain = convert_exception_to_response(middleware)
        self._middleware_chain = chain

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Returns the response. The handler of MIDDLEWARE, which wraps this one, closes the request and logs errors."""
        response: HttpResponseBase = self._middleware_chain(request)
        return response


class ApiRequests:
    """Passes on requests for pages (`settings.PAGES`); answers all others by API_MIDDLEWARE."""

    def __init__(self, get_response: GetResponse) -> None:
        self.pages = get_response
        self.api = ApiHandler()
        self.api.load_middleware()
        self.page_paths = tuple(settings.PAGES)

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return (self.pages if request.path_info.startswith(self.page_paths) else self.api)(request)
