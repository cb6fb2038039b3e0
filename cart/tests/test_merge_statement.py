"""A merge in one statement merges as the verb does, or changes nothing and leaves it to the verb."""

from decimal import Decimal

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from bookstore.accounts.tests.factories import UserFactory
from cart.merge_statement import merge
from cart.merging import Entry, MergeStatus
from cart.models import Cart
from cart.representation import cart_json
from cart.tests.factories import CartFactory, CartItemFactory
from catalog.models import Book
from catalog.tests.factories import BookFactory
from tests.support.bearer import caller_of

pytestmark = [pytest.mark.postgres, pytest.mark.fast_path]

BOOKS = 6
DELETED = {"deleted": True}
STATES = st.sampled_from([*[{}] * 9, {"stock_quantity": 0}, {"is_active": False}, DELETED])
PRICES = st.sampled_from([None, Decimal("0.01"), Decimal("9.99"), Decimal("99999999.99")])
QUANTITIES = (1, 2, 3, 4, 998, 999)
LINES = st.dictionaries(st.integers(0, BOOKS - 1), st.tuples(st.sampled_from(QUANTITIES), PRICES), max_size=4)
ENTRIES = st.lists(
    st.tuples(st.integers(0, BOOKS - 1), st.sampled_from([*QUANTITIES * 3, 0, 1000]), PRICES), min_size=1, max_size=5
)


class TestMergeStatement(TestCase):
    @given(st.lists(STATES, min_size=BOOKS, max_size=BOOKS), LINES, ENTRIES, st.integers(1, 6) | st.just(100))
    @settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
    def test_the_statement_merges_as_the_verb_or_leaves_it_all_to_the_verb(self, states, lines, entries, max_lines):
        books = [BookFactory(**({} if state is DELETED else state)) for state in states]
        alice, bob = UserFactory(), UserFactory()
        for cart in (CartFactory(user=alice), CartFactory(user=bob)):
            for book, (quantity, price) in lines.items():
                CartItemFactory(cart=cart, book=books[book], quantity=quantity, price_at_add=price)
        wanted = [Entry(books[book].pk, quantity, price) for book, quantity, price in entries]
        Book.objects.filter(pk__in=[books[i].pk for i, state in enumerate(states) if state is DELETED]).delete()
        before, by_verb = facts_of(alice), Cart.objects.get(user=bob)
        stamp = by_verb.updated_at

        with self.settings(CART_MAX_LINES=max_lines):
            merged = merge(caller_of(alice), wanted)
            results = by_verb.merge(wanted)

        if any(result["status"] == MergeStatus.SKIPPED for result in results):
            assert merged is None
            assert facts_of(alice) == before
        else:
            assert merged is not None
            assert merged == (facts_of(alice), results)
            assert nameless(merged[0]) == nameless(by_verb.as_left)
            assert (merged[0].updated_at > before.updated_at) is (by_verb.as_left.updated_at > stamp)


@pytest.mark.django_db
@pytest.mark.parametrize("book_id", [0, -1, 2**63 - 1, 2**63, -(2**63), -(2**63) - 1, 10**30, -(10**30)])
def test_an_id_that_no_book_has_is_left_to_the_verb(alice, emma, book_id):
    CartFactory(user=alice)

    assert merge(caller_of(alice), [Entry(emma.pk), Entry(book_id)]) is None


@pytest.mark.django_db
def test_the_statement_adds_in_the_order_of_the_entries_whatever_its_plan(alice):
    """Here by a merge join, which reads the books by id."""
    CartFactory(user=alice)
    first, second, third = BookFactory.create_batch(3)
    with connection.cursor() as cursor:
        for setting in ("enable_nestloop", "enable_hashjoin", "jit"):  # a plan without them looks worth compiling
            cursor.execute(f"SET LOCAL {setting} = off")

    cart, _ = merge(caller_of(alice), [Entry(third.pk), Entry(first.pk), Entry(second.pk)])

    assert [line.book_id for line in cart.lines] == [third.pk, first.pk, second.pk]


def facts_of(user):
    return Cart.objects.facts(Cart.objects.get(user=user).pk)


def nameless(facts):
    """The JSON of a cart without what another cart with the same lines has of its own."""
    body = cart_json(facts._replace(updated_at=None))
    return body | {"items": [item | {"id": None, "added_at": None} for item in body["items"]]}
