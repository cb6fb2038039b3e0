import pytest

from bookstore.accounts.models import User
from bookstore.accounts.tests.factories import UserFactory


@pytest.fixture
def alice(db) -> User:
    return UserFactory(email="alice@example.com")
