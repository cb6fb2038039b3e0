"""Who is calling, by the header `Authorization: Bearer …`."""

from typing import Any, ClassVar, cast

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from bookstore.accounts import tokens
from bookstore.accounts.exceptions import TokenExpired, TokenInvalid, UserInactive
from bookstore.accounts.models import User
from bookstore.api.errors import ApiError


def caller(request: Request) -> User:
    """Who calls, behind IsAuthenticated."""
    return cast(User, request.user)


class BearerAuthentication(BaseAuthentication):
    """One query a request: does the user exist and is active, does the session go on, is the password the same?"""

    errors: ClassVar[tuple[type[ApiError], ...]] = (TokenInvalid, TokenExpired, UserInactive)

    def authenticate(self, request: Request) -> tuple[User, tokens.Claims] | None:
        """The user and what their token says; None when no bearer token was sent.

        Raises TokenInvalid, TokenExpired or UserInactive.
        """
        scheme, _, raw = request.META.get("HTTP_AUTHORIZATION", "").strip(" \t").partition(" ")
        if scheme.lower() != "bearer":
            return None
        claims = tokens.read_access(raw.strip(" "))
        return User.objects.calling(claims), claims

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class BearerScheme(OpenApiAuthenticationExtension):
    target_class = BearerAuthentication
    name = "bearerAuth"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "The `access_token` that /auth/register, /auth/login and /auth/refresh answer with.",
        }
