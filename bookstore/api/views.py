"""What the views of the API have in common: DRF's view, that makes once what it would make for every request."""

from functools import cache
from typing import Any

from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import NotAcceptable
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.permissions import BasePermission
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.serializers import Serializer
from rest_framework.views import APIView


@cache
def made(classes: tuple[type[Any], ...]) -> list[Any]:
    """One object of each. Ours, and those of DRF that we use, keep nothing from one request to the next."""
    return [each() for each in classes]


def validated(serializer: type[Serializer[Any]], data: Any) -> dict[str, Any]:
    """The fields of a body that this serializer finds good, without making one for each request.

    Raises DRF's ValidationError.
    """
    [reader] = made((serializer,))
    fields: dict[str, Any] = reader.run_validation(data)
    return fields


class ApiView(APIView):
    def get_authenticators(self) -> list[BaseAuthentication]:
        return made(tuple(self.authentication_classes))

    def get_permissions(self) -> list[BasePermission]:
        return made(tuple(self.permission_classes))

    def get_parsers(self) -> list[BaseParser]:
        return made(tuple(self.parser_classes))

    def get_renderers(self) -> list[BaseRenderer]:
        return made(tuple(self.renderer_classes))

    def get_content_negotiator(self) -> BaseContentNegotiation:
        [negotiator] = made((self.content_negotiation_class,))
        return negotiator  # type: ignore[no-any-return]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Who calls is asked before what they accept. DRF would tell anybody, whatever their token, 406."""
        try:
            super().initial(request, *args, **kwargs)
        except NotAcceptable:
            self.perform_authentication(request)
            self.check_permissions(request)
            raise

    @property
    def default_response_headers(self) -> dict[str, str]:
        """None. `Allow`, which DRF would put on every answer, is on a 405: see exception_handler."""
        return {}
