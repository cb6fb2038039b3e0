"""Who is calling, by the header `Authorization: Bearer …`."""

from typing import Any, ClassVar, cast

from django.utils.functional import SimpleLazyObject
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from bookstore.accounts import tokens
from bookstore.accounts.exceptions import SessionOver, TokenExpired, TokenInvalid, UserInactive
from bookstore.accounts.models import User
from bookstore.api.errors import ApiError


def caller(request: Request) -> User:
    """Who calls, behind IsAuthenticated."""
    return cast(User, request.user)


def claims_of(request: Request) -> tokens.Claims:
    """What the caller's token says, behind a permission that sees one: signed, not expired, and no more than that."""
    return cast(tokens.Claims, request.auth)


class BearerAuthentication(BaseAuthentication):
    """One query a request: does the user exist and is active, does the session go on, is the password the same?

    It is asked when something first looks at `request.user`. A view that answers from one statement asks within that
    statement instead, with `request.auth`, and looks at `request.user` for the reason when the statement finds nothing.
    """

    errors: ClassVar[tuple[type[ApiError], ...]] = (TokenInvalid, TokenExpired, SessionOver, UserInactive)

    def authenticate(self, request: Request) -> tuple[User, tokens.Claims] | None:
        """The user and what their token says; None when no bearer token was sent.

        Raises TokenInvalid or TokenExpired; the first look at the user raises SessionOver or UserInactive.
        """
        scheme, _, raw = request.META.get("HTTP_AUTHORIZATION", "").strip(" \t").partition(" ")
        if scheme.lower() != "bearer":
            return None
        claims = tokens.read_access(raw.strip(" "))
        # A stand-in that asks the database at its first use: IsAuthenticated, say.
        user: Any = SimpleLazyObject(lambda: User.objects.calling(claims))
        return user, claims

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
