"""The hand-built JSON equals that of the documented serializers, for generated carts."""

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from bookstore.accounts.tests.factories import UserFactory
from cart import statements
from cart.facts import NO_CART
from cart.models import Cart, CartItem
from cart.representation import cart_json, dump, line_json, version_of
from cart.serializers import CartItemSerializer, CartSerializer, MergedCartSerializer
from catalog.models import Book
from catalog.tests.factories import BookFactory
from tests.support.bearer import caller_of

PRICES = st.decimals(min_value=Decimal("0.01"), max_value=Decimal("99999999.99"), places=2)
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=30)
LINES = st.lists(
    st.fixed_dictionaries(
        {
            "title": TEXTS,
            "author": TEXTS,
            "price": PRICES,
            "cover_image_url": st.none() | st.just("https://covers.example/é.jpg"),
            "stock_quantity": st.integers(0, 2**31 - 1) | st.integers(0, 3),
            "is_active": st.booleans(),
            "quantity": st.integers(1, 999) | st.integers(1, 3),
            "price_at_add": st.none() | PRICES,
            "same_price": st.booleans(),
        }
    ),
    max_size=6,
)


@pytest.mark.fast_path
class TestRepresentation(TestCase):
    @pytest.mark.slow
    @given(LINES)
    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
    def test_the_cart_by_hand_equals_the_serializer_and_the_one_statement(self, lines):
        alice = UserFactory()
        cart = Cart.objects.for_user(alice)
        for line in lines:
            facts = {key: line.pop(key) for key in ("quantity", "price_at_add", "same_price")}
            book = Book.objects.create(**line)
            price = book.price if facts["same_price"] else facts["price_at_add"]
            CartItem.objects.create(cart=cart, book=book, quantity=facts["quantity"], price_at_add=price)
        stored = Cart.objects.with_lines().of(alice)

        documented = json.loads(json.dumps(CartSerializer(stored).data, default=str))

        assert json.loads(dump(cart_json(stored.facts))) == documented
        assert dump(cart_json(statements.read(caller_of(alice)))) == dump(cart_json(stored.facts))
        assert Cart.objects.facts(cart.pk) == stored.facts
        assert stored.version == version_of(dump(cart_json(stored.facts)))
        for line in stored.lines:
            assert json.loads(dump(line_json(line.facts))) == json.loads(
                json.dumps(CartItemSerializer(line).data, default=str)
            )


@pytest.mark.django_db
@pytest.mark.parametrize("microsecond", [0, 1, 120000, 999999])
def test_times_are_written_the_same_by_both(microsecond):
    cart = Cart.objects.for_user(UserFactory())
    moment = datetime(2026, 11, 23, 9, 30, 0, microsecond, tzinfo=UTC)
    Cart.objects.update(updated_at=moment)
    cart.refresh_from_db()

    assert json.loads(dump(cart_json(cart.facts)))["updated_at"] == CartSerializer(cart).data["updated_at"]


@pytest.mark.fast_path
@pytest.mark.django_db
def test_somebody_without_a_cart_reads_the_same_in_both():
    alice = UserFactory()

    assert statements.read(caller_of(alice)) == Cart(user=alice).facts == NO_CART


@pytest.mark.django_db
def test_a_merged_cart_is_answered_as_its_serializer_documents(client_for):
    alice, book = UserFactory(), BookFactory(title="Emma")
    entries = [{"book_id": book.pk, "quantity": 2}, {"book_id": 0}]

    answer = client_for(alice).post("/cart/merge", {"items": entries}).json()

    cart = Cart.objects.with_lines().of(alice)
    documented = MergedCartSerializer(cart, context={"results": answer["results"]}).data
    assert answer == json.loads(json.dumps(documented, default=str))
