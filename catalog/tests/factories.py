"""Factories of genres and books. A test sets the values that it asserts on."""

from decimal import Decimal

import factory

from catalog.models import Book, Genre


class GenreFactory(factory.django.DjangoModelFactory[Genre]):
    class Meta:
        model = Genre

    name = factory.Sequence(lambda number: f"Shelf {number}")


class BookFactory(factory.django.DjangoModelFactory[Book]):
    class Meta:
        model = Book

    title = factory.Sequence(lambda number: f"Collected Works, Volume {number + 1}")
    author = "Jane Austen"
    price = Decimal("9.99")
    stock_quantity = 5


def isbn13(number: int) -> str:
    """A valid ISBN-13 for each number up to 999,999,999."""
    digits = f"978{number:09d}"
    total = sum(int(digit) * (3 if index % 2 else 1) for index, digit in enumerate(digits))
    return f"{digits}{-total % 10}"
