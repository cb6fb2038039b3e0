"""Fixtures for the people of all tests: Alice, Bob and Olga. The root conftest.py loads this file."""

import pytest
from django.test import Client
from rest_framework.test import APIClient

from bookstore.accounts import tokens
from bookstore.accounts.models import LoginSession, User
from bookstore.accounts.tests.factories import SuperuserFactory, UserFactory


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


@pytest.fixture
def alice(db: None) -> User:
    """A customer."""
    return UserFactory(email="alice@example.com")


@pytest.fixture
def bob(db: None) -> User:
    """Another customer."""
    return UserFactory(email="bob@example.com")


@pytest.fixture
def staff(db: None, client: Client) -> Client:
    """A browser with Olga, a superuser, signed in to the staff's site."""
    client.force_login(SuperuserFactory(email="olga@example.com"))
    return client
