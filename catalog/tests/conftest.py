import pytest
from django.contrib.auth.models import Permission

from bookstore.accounts.tests.factories import StaffFactory, SuperuserFactory, UserFactory
from catalog.tests.answers import ANY_TIME


@pytest.fixture
def customer(client_for):
    """A client of Alice, a customer."""
    return client_for(UserFactory(email="alice@example.com"))


@pytest.fixture
def owner(client_for):
    """A client of Olga, a superuser."""
    return client_for(SuperuserFactory(email="olga@example.com"))


@pytest.fixture
def clerk(client_for):
    """`clerk("change_book")`: a client of Bob's, staff with just these permissions."""

    def with_permissions(*codenames):
        bob = StaffFactory(email="bob@example.com")
        bob.user_permissions.set(Permission.objects.filter(codename__in=codenames))
        return client_for(bob)

    return with_permissions


@pytest.fixture
def body_of_emma(emma):
    return {
        "id": emma.pk,
        "title": "Emma",
        "author": "Jane Austen",
        "price": "9.50",
        "currency": "USD",
        "isbn": "9780141439587",
        "genre_id": emma.genre_id,
        "description": "A clever young woman meddles.",
        "cover_image_url": "https://covers.example/emma.jpg",
        "publish_date": "1815-12-23",
        "stock_quantity": 5,
        "in_stock": True,
        "is_active": True,
        "popularity": 0,
        "created_at": ANY_TIME,
        "updated_at": ANY_TIME,
    }


@pytest.fixture
def file(tmp_path):
    """`file("title,price", "Emma,9.50")`: writes the lines to books.csv, and gives its path."""

    def write(*lines, encoding="utf-8", end="\n"):
        path = tmp_path / "books.csv"
        path.write_bytes(end.join([*lines, ""]).encode(encoding))
        return str(path)

    return write
