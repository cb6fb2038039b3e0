"""The caller of one request: `request.auth`, when the request has a bearer token."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from rest_framework.request import Request

from bookstore.accounts.models import User

if TYPE_CHECKING:
    from bookstore.accounts.claims import Claims


class Caller:
    """The user whom a token names. At first only its signature and its expiry are checked.

    `confirmed`: in this request the database has confirmed that the session is good (not ended, the user active, the
    password unchanged). `user()` checks it with a query; a statement that joins the caller's session calls `confirm()`.
    An ApiView never sends a success to an unconfirmed caller (`bookstore.api.views`).
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
        """Call it after a statement that has checked the session (`LoginSession.objects.good()`)."""
        self.confirmed = True


def caller_of(request: Request) -> Caller:
    """For views with the permission SignedIn."""
    return cast(Caller, request.auth)


def user_of(request: Request) -> User:
    """For views with the permission SignedIn. One query, if the user is not loaded yet."""
    return caller_of(request).user()
