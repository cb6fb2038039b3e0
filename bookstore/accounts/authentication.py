"""Authentication by the header `Authorization: Bearer …`."""

from typing import Any, ClassVar

from django.utils.functional import SimpleLazyObject
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from bookstore.accounts import tokens
from bookstore.accounts.caller import Caller
from bookstore.accounts.exceptions import SessionOver, TokenExpired, TokenInvalid, UserInactive
from bookstore.accounts.models import User
from bookstore.api.errors import ApiError
from bookstore.api.middleware import CALLER


class BearerAuthentication(BaseAuthentication):
    """Sets `request.auth` to the Caller named by the token; `request.user` is loaded at first access."""

    errors: ClassVar[tuple[type[ApiError], ...]] = (TokenInvalid, TokenExpired, SessionOver, UserInactive)

    def authenticate(self, request: Request) -> tuple[User, Caller] | None:
        """None when no bearer token was sent. No query. Raises TokenInvalid or TokenExpired."""
        scheme, _, raw = request.META.get("HTTP_AUTHORIZATION", "").strip(" \t").partition(" ")
        if scheme.lower() != "bearer":
            return None
        claims = tokens.read_access(raw.strip(" "))
        caller = Caller(claims)
        request.META[CALLER] = {"user_id": claims.user_id, "session_id": claims.session_id}
        user: Any = SimpleLazyObject(caller.user)
        return user, caller

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"
