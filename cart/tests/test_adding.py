"""The rule of cart/adding.py is the same in `add`, `merge` and the statements ADD and MERGE."""

import itertools

import pytest

from bookstore.api.errors import ApiError
from cart import merge_statement, statements
from cart.adding import refusal
from cart.merging import Entry
from cart.tests.factories import CartFactory, CartItemFactory
from catalog.tests.factories import BookFactory
from tests.support.bearer import caller_of

pytestmark = pytest.mark.django_db

STATES = list(itertools.product(("deleted", "withdrawn", "on sale"), (0, 1), (False, True), (False, True)))


@pytest.fixture(params=STATES, ids=lambda state: "-".join(map(str, state)))
def shop(request, alice, settings):
    """Alice's cart, the id of a book in this state, whether the cart holds it, the refusal by the rule."""
    on_sale, stock, in_cart, full = request.param
    settings.CART_MAX_LINES = 2 if full else 3
    cart = CartFactory(user=alice)
    CartItemFactory.create_batch(1 if in_cart else 2, cart=cart)
    book = BookFactory(title="Emma", stock_quantity=stock, is_active=on_sale == "on sale")
    line = CartItemFactory(cart=cart, book=book) if in_cart else None
    book_id = book.pk
    if on_sale == "deleted":
        book.delete()
        book = line = None
    reason = refusal(book, in_line=line and line.pk, lines=cart.items.count(), max_lines=settings.CART_MAX_LINES)
    return cart, book_id, line is not None, reason and reason.code


def test_add_refuses_by_the_rule(shop):
    cart, book_id, _, code = shop
    refused = None

    try:
        cart.add(book_id)
    except ApiError as error:
        refused = error.code

    assert refused == code


def test_merge_skips_by_the_rule_what_is_not_in_the_cart(shop):
    cart, book_id, in_cart, code = shop

    [result] = cart.merge([(book_id, 1)])

    assert result.get("code") == (None if in_cart else code)


@pytest.mark.postgres
@pytest.mark.fast_path
def test_the_statement_adds_by_the_rule(shop, alice):
    _, book_id, _, code = shop

    added = statements.add(caller_of(alice), book_id, 1)

    assert (added is not None) == (code is None)


@pytest.mark.postgres
@pytest.mark.fast_path
def test_the_statement_merges_by_the_rule_what_is_not_in_the_cart(shop, alice):
    _, book_id, in_cart, code = shop

    merged = merge_statement.merge(caller_of(alice), [Entry(book_id)])

    assert (merged is not None) == (in_cart or code is None)
