"""What the views of the API have in common: DRF's view, closed by default."""

from collections.abc import Callable
from typing import Any, TypeVar

from django.db import DatabaseError, InterfaceError
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import APIException, MethodNotAllowed, NotAcceptable
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from bookstore import fastpath
from bookstore.fastpath.instances import one_of_each, validated

__all__ = ["ApiView", "PublicReads", "confirms_caller", "validated"]

Handler = TypeVar("Handler", bound=Callable[..., Any])


class CallerNotConfirmed(Exception):
    """A bug: a handler that is marked `@confirms_caller` succeeded without asking who calls. Answered 500."""


def confirms_caller(handler: Handler) -> Handler:
    """Marks a handler whose statement asks itself whether the caller is let in, and then calls `Caller.confirm()`.

    Only the statement is saved: a success of which nobody was confirmed is a bug, and is answered 500.
    """
    handler.statement_confirms_caller = True  # type: ignore[attr-defined]  # a mark on a function
    return handler


class ApiView(APIView):
    """DRF's, closed by default: whoever sends a token is let in only if it still counts.

    The order of refusals is the contract's: 405, then who calls (401, 403), then what they accept (406), send (422)
    and ask for (404, 409).
    """

    http_method_names = ("get", "post", "put", "patch", "delete", "head")

    @property
    def statement_confirms_caller(self) -> bool:
        """Whether this request's handler is marked `@confirms_caller`, and FAST_PATH is on."""
        handler = getattr(self, str(self.request.method).lower(), None)
        return fastpath.is_on() and getattr(handler, "statement_confirms_caller", False)

    def get_authenticators(self) -> list[BaseAuthentication]:
        return one_of_each(tuple(self.authentication_classes))

    def get_permissions(self) -> list[BasePermission]:
        return one_of_each(tuple(self.permission_classes))

    def get_parsers(self) -> list[BaseParser]:
        return one_of_each(tuple(self.parser_classes))

    def get_renderers(self) -> list[BaseRenderer]:
        return one_of_each(tuple(self.renderer_classes))

    def get_content_negotiator(self) -> BaseContentNegotiation:
        [negotiator] = one_of_each((self.content_negotiation_class,))
        return negotiator  # type: ignore[no-any-return]  # `one_of_each` is typed as Any

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        method = str(request.method).lower()
        if method not in self.http_method_names or not hasattr(self, method):
            self.http_method_not_allowed(request)
        try:
            super().initial(request, *args, **kwargs)
        except NotAcceptable:
            # DRF would tell anybody, whatever their token.
            self.perform_authentication(request)
            self.check_permissions(request)
            raise
        if request.auth is not None and not self.statement_confirms_caller:
            request.auth.user()

    def handle_exception(self, exc: Exception) -> Response:
        """Whatever went wrong in a handler that is marked `@confirms_caller`: who is not let in is told that first."""
        if not isinstance(exc, MethodNotAllowed) and getattr(exc, "status_code", 0) != 401:
            try:
                caller: Any = self.request.auth
                if caller is not None and not caller.confirmed:
                    caller.user()
            except (APIException, DatabaseError, InterfaceError) as refusal:
                exc = refusal  # without a database there is no caller either
        return super().handle_exception(exc)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """What was answered to a caller is theirs alone: no cache may keep it."""
        response = super().finalize_response(request, response, *args, **kwargs)
        caller: Any = request.auth if response.status_code < 400 else None
        if caller is not None:
            if not caller.confirmed:
                raise CallerNotConfirmed(f"{type(self).__name__} answered {response.status_code} to nobody.")
            response.headers.setdefault("Cache-Control", "no-store")
        return response

    @property
    def default_response_headers(self) -> dict[str, str]:
        """None. `Allow`, which DRF would put on every answer, is on a 405: see exception_handler."""
        return {}


class PublicReads(ApiView):
    """For a view whose reads are for everybody: they look at no token, so that a bad or expired one does not fail them.

    Writes keep the view's authentication and permissions.
    """

    def get_authenticators(self) -> list[BaseAuthentication]:
        return [] if self.reads() else super().get_authenticators()

    def get_permissions(self) -> list[BasePermission]:
        return [] if self.reads() else super().get_permissions()

    def reads(self) -> bool:
        # There is no request while the schema makes its own.
        return getattr(self.request, "method", None) in SAFE_METHODS
