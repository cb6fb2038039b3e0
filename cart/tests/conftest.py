import pytest
from django.db import connection

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


@pytest.fixture
def rival():
    """Somebody else, on a connection of their own: runs the statements, each with the id if it asks for one.

    Gives the rows of the last, if it has any.
    """
    other = connection.copy()

    def run(*told):
        statements = [each for each in told if isinstance(each, str)]
        ids = [each for each in told if not isinstance(each, str)]
        with other.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement, ids if "%s" in statement else ())
            return cursor.fetchall() if cursor.description else []

    yield run
    other.close()
