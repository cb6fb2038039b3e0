"""Access tokens, and clients of the API that carry them."""

from rest_framework.test import APIClient

from bookstore.accounts import tokens
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
