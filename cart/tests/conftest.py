import pytest

from bookstore.accounts.models import User
from bookstore.accounts.tests.factories import UserFactory
from catalog.models import Book
from catalog.tests.factories import BookFactory


@pytest.fixture
def alice(db) -> User:
    return UserFactory(email="alice@example.com")


@pytest.fixture
def bob(db) -> User:
    return UserFactory(email="bob@example.com")


@pytest.fixture
def emma(db) -> Book:
    return BookFactory(
        title="Emma",
        author="Jane Austen",
        price="9.50",
        stock_quantity=5,
        cover_image_url="https://covers.example/emma.jpg",
    )


@pytest.fixture
def dracula(db) -> Book:
    return BookFactory(title="Dracula", author="Bram Stoker", price="12.25", stock_quantity=2, cover_image_url=None)
