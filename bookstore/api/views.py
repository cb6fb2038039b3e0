"""The base classes of the API's views: DRF's APIView, closed by default."""

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
    """A bug: a handler marked `@confirms_caller` succeeded without confirming its caller. The response is a 500."""


def confirms_caller(handler: Handler) -> Handler:
    """Marks a handler whose own SQL statement checks the caller, and which then calls `Caller.confirm()`.

    It saves the separate query, not the check: a success without a confirmed caller raises CallerNotConfirmed.
    """
    handler.statement_confirms_caller = True  # type: ignore[attr-defined]  # a mark on a function
    return handler


class ApiView(APIView):
    """DRF's APIView, closed by default: a token is accepted only while its session is good.

    The order of refusals is the contract's: 405, then the caller (401, 403), the Accept header (406), the input (422)
    and the object (404, 409).
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
            # DRF negotiates before it authenticates; the contract has 401 and 403 before 406.
            self.perform_authentication(request)
            self.check_permissions(request)
            raise
        if request.auth is not None and not self.statement_confirms_caller:
            request.auth.user()

    def handle_exception(self, exc: Exception) -> Response:
        """Checks the caller before any other error of a handler marked `@confirms_caller`, so that 401 comes first."""
        if not isinstance(exc, MethodNotAllowed) and getattr(exc, "status_code", 0) != 401:
            try:
                caller: Any = self.request.auth
                if caller is not None and not caller.confirmed:
                    caller.user()
            except (APIException, DatabaseError, InterfaceError) as refusal:
                exc = refusal  # also if the database is down, so that no caller can be checked
        return super().handle_exception(exc)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Sets `no-store` on a success of a caller. Raises CallerNotConfirmed."""
        response = super().finalize_response(request, response, *args, **kwargs)
        caller: Any = request.auth if response.status_code < 400 else None
        if caller is not None:
            if not caller.confirmed:
                raise CallerNotConfirmed(f"{type(self).__name__} answered {response.status_code} to nobody.")
            response.headers.setdefault("Cache-Control", "no-store")
        return response

    @property
    def default_response_headers(self) -> dict[str, str]:
        """No headers. DRF would set `Allow` on every answer; exception_handler sets it on a 405."""
        return {}


class PublicReads(ApiView):
    """Public reads: GET and HEAD ignore the token, so that a bad or expired one does not fail them.

    Writes keep the view's authentication and permissions.
    """

    def get_authenticators(self) -> list[BaseAuthentication]:
        return [] if self.reads() else super().get_authenticators()

    def get_permissions(self) -> list[BasePermission]:
        return [] if self.reads() else super().get_permissions()

    def reads(self) -> bool:
        # `self.request` is None while the schema is generated.
        return getattr(self.request, "method", None) in SAFE_METHODS
