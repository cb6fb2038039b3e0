"""Access tokens, and clients of the API that carry them."""

from rest_framework.test import APIClient

from bookstore.accounts import tokens
from bookstore.accounts.caller import Caller
from bookstore.accounts.claims import Claims
from bookstore.accounts.models import LoginSession, User


def token_of(user: User) -> str:
    """A new access token, of a session that it begins."""
    return tokens.issue(LoginSession.objects.begin(user))["access_token"]


def bearer(token: str, **options: bool) -> APIClient:
    """A client that carries this token; nobody's where it is empty."""
    client = APIClient(**options)
    if token:
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    return client


def signed_in(user: User) -> APIClient:
    return bearer(token_of(user))


def caller_of(user: User) -> Caller:
    """The caller of a request with a token of hers, not confirmed yet; of a session that it begins."""
    session = LoginSession.objects.begin(user)
    return Caller(
        Claims(user_id=user.pk, session_id=session.pk, identity=session.identity, jti="0" * 32, expires_at=2**40)
    )
