"""Staff look into carts."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from bookstore.accounts.tests.factories import UserFactory
from cart.tests.factories import CartFactory, CartItemFactory

pytestmark = pytest.mark.django_db

LIST = "/admin/cart/cart/"


@pytest.fixture
def staff(client):
    client.force_login(UserFactory(email="staff@example.com", is_staff=True, is_superuser=True))
    return client


def test_the_list_shows_email_lines_copies_and_total(staff, alice, emma, dracula):
    cart = CartFactory(user=alice)
    CartItemFactory(cart=cart, book=emma, quantity=2)
    CartItemFactory(cart=cart, book=dracula, quantity=3)

    page = staff.get(LIST).content.decode()

    assert "alice@example.com" in page
    for column, value in (("line_count", "2"), ("copies", "5"), ("total", "55.75")):
        assert f'<td class="field-{column}">{value}</td>' in page


@pytest.mark.parametrize("text", ["alice@", "emma", "9780141439587"])
def test_search_finds_a_cart_by_email_title_and_isbn(staff, alice, bob, emma, dracula, text):
    emma.isbn = "9780141439587"
    emma.save()
    cart = CartFactory(user=alice)
    CartItemFactory(cart=cart, book=emma, quantity=2)
    CartItemFactory(cart=cart, book=dracula)
    CartItemFactory(cart=CartFactory(user=bob), book=dracula)

    page = staff.get(LIST, {"q": text}).content.decode()

    assert page.count('<th class="field-email">') == 1
    assert "alice@example.com" in page
    assert "bob@example.com" not in page
    assert '<td class="field-copies">3</td>' in page


def test_the_carts_page_shows_its_lines_with_price_total_and_stock(staff, alice, emma):
    cart = CartFactory(user=alice)
    CartItemFactory(cart=cart, book=emma, quantity=2)

    page = staff.get(f"{LIST}{cart.pk}/change/").content.decode()

    for text in ("Emma", "9.50", "19.00", "alice@example.com"):
        assert text in page
    assert '<td class="field-stock">' in page


def test_the_list_costs_the_same_queries_with_1_and_3_carts(staff, emma):
    counts = []
    for carts in (1, 2):
        for _ in range(carts):
            CartItemFactory(cart=CartFactory(), book=emma)
        with CaptureQueriesContext(connection) as queries:
            staff.get(LIST)
        counts.append(len(queries))

    assert counts[0] == counts[1]


def test_staff_without_the_permission_see_no_carts(client):
    client.force_login(UserFactory(is_staff=True))

    response = client.get(LIST)

    assert response.status_code == 403
