"""Fixtures for the people of all tests: Alice, Bob and Olga. The root conftest.py loads this file."""

import pytest
from django.test import Client

from bookstore.accounts.models import User
from bookstore.accounts.tests.factories import SuperuserFactory, UserFactory


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
