"""A sample of the proof `staff_pages`: hostile requests to every page of the staff's site."""

import random

import pytest
from django.apps import apps

from bookstore.accounts.tests.factories import UserFactory
from proofs.stress.staff_pages import fuzz

pytestmark = [pytest.mark.django_db, pytest.mark.slow]


@pytest.mark.parametrize("seed", [1, 2])
def test_hostile_requests_are_answered_in_html_and_without_a_5xx(seed):
    genre = apps.get_model("catalog", "Genre").objects.create(name="Novel")
    emma = {"title": "Emma", "author": "Jane Austen", "price": "9.50", "stock_quantity": 5, "genre_id": genre.pk}
    book = apps.get_model("catalog", "Book").objects.add(**emma)
    apps.get_model("cart", "Cart").objects.for_user(UserFactory()).add(book, 2)

    asked, failed = fuzz(random.Random(seed), gets=150, posts=250)

    assert failed == []
    assert asked.total() > 300
