"""Fixtures of two books, Emma and Dracula, for the tests of the catalogue and of the apps above it."""

from datetime import date
from time import monotonic

import pytest

from catalog.models import Book, Genre
from catalog.search import frequency
from catalog.tests.factories import BookFactory, GenreFactory


@pytest.fixture(autouse=True)
def statistics_were_just_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """A search reads the statistics of words again after some seconds: a test that counts its statements must not.

    Tests of the statistics empty `frequency.read` themselves.
    """
    monkeypatch.setattr(frequency, "read", {"default": (monotonic(), frequency.NONE)})


@pytest.fixture
def novel(db: None) -> Genre:
    return GenreFactory(name="Novel")


@pytest.fixture
def emma(novel: Genre) -> Book:
    return BookFactory(
        title="Emma",
        author="Jane Austen",
        price="9.50",
        isbn="9780141439587",
        genre=novel,
        description="A clever young woman meddles.",
        cover_image_url="https://covers.example/emma.jpg",
        publish_date=date(1815, 12, 23),
        stock_quantity=5,
    )


@pytest.fixture
def dracula(db: None) -> Book:
    """Without genre, ISBN and cover."""
    return BookFactory(title="Dracula", author="Bram Stoker", price="12.25", stock_quantity=2)
