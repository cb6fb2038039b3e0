"""Who calls, for the time of one request: `request.auth` of a request that carried a bearer token."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from rest_framework.request import Request

from bookstore.accounts.models import User

if TYPE_CHECKING:
    from bookstore.accounts.claims import Claims


class Caller:
    """Whom a token names. At first only its signature and its expiry are known to be right.

    `confirmed` is whether the database was asked, in this request, that the session goes on, the user is active and
    the password is the same. `user()` asks it; so does a statement that begins at the caller's session, and says so
    with `confirm()`. An ApiView answers nobody who is not confirmed (`bookstore.api.views`).
    """

    __slots__ = ("_user", "claims", "confirmed")

    def __init__(self, claims: Claims) -> None:
        self.claims = claims
        self.confirmed = False
        self._user: User | None = None

    def user(self) -> User:
        """One query at the first call. Raises UserInactive or SessionOver, as `User.objects.calling`."""
        if self._user is None:
            self._user = User.objects.calling(self.claims)
            self.confirmed = True
        return self._user

    def confirm(self) -> None:
        """For a statement that has found the caller's session good: `LoginSession.objects.good()`."""
        self.confirmed = True


def caller_of(request: Request) -> Caller:
    """Behind SignedIn."""
    return cast(Caller, request.auth)


def user_of(request: Request) -> User:
    """Behind SignedIn. One query, if nothing has asked for the user yet."""
    return caller_of(request).user()
