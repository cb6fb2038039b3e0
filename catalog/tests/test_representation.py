"""The hand-built JSON equals that of the documented serializers, for generated books."""

import json
from decimal import Decimal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase
from rest_framework.renderers import JSONRenderer

from catalog.models import Book
from catalog.representation import BookFacts, book_json, dump
from catalog.serializers import BookSerializer
from catalog.tests.factories import GenreFactory, isbn13

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=30)
BOOKS = st.fixed_dictionaries(
    {
        "title": TEXTS,
        "author": TEXTS,
        "price": st.decimals(min_value=Decimal("0.01"), max_value=Decimal("99999999.99"), places=2),
        "isbn": st.none() | st.integers(0, 999_999_999).map(isbn13),
        "description": st.none() | TEXTS,
        "cover_image_url": st.none() | st.just("https://covers.example/é.jpg"),
        "publish_date": st.none() | st.dates(),
        "stock_quantity": st.integers(0, 2**31 - 1) | st.integers(0, 1),
        "is_active": st.booleans(),
    }
)


class TestRepresentation(TestCase):
    @given(BOOKS, st.booleans())
    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    def test_a_book_by_hand_equals_the_serializer(self, facts, has_genre):
        genre = GenreFactory() if has_genre else None
        book = Book.objects.get(pk=Book.objects.create(**facts, genre=genre).pk)

        by_hand = dump(book_json(BookFacts(*Book.objects.values_list(*BookFacts._fields).get(pk=book.pk))))

        assert json.loads(by_hand) == json.loads(JSONRenderer().render(BookSerializer(book).data))
