"""A page of any ordered queryset, as a view of a new app would ask for it."""

import pytest

from bookstore.accounts.models import User
from bookstore.accounts.tests.factories import UserFactory
from bookstore.api.pagination import page_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def customers():
    return [UserFactory(email=f"{name}@example.com") for name in ("alice", "bob", "carol")]


@pytest.mark.parametrize(("page", "names"), [(1, slice(0, 2)), (2, slice(2, 3)), (3, slice(3, 3))])
def test_page_has_its_rows_in_order_and_the_total(customers, page, names):
    found = page_of(User.objects.order_by("email"), page=page, size=2)

    assert found == {"items": customers[names], "total": 3, "total_is_estimate": False, "page": page, "size": 2}


def test_page_is_two_queries_and_one_past_the_end_is_one(customers, django_assert_num_queries):
    with django_assert_num_queries(2):
        page_of(User.objects.order_by("email"), page=1, size=2)
    with django_assert_num_queries(1):
        page_of(User.objects.order_by("email"), page=9, size=2)
