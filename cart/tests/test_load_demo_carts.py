"""`manage.py load_demo_carts`."""

import io

import pytest
from django.core.management import CommandError, call_command

from bookstore.accounts.models import User
from cart.admin.carts import worst_problem
from cart.issues import IssueCode
from cart.models import Cart, CartItem
from cart.tests.factories import CartFactory
from catalog.models import Book
from catalog.tests.factories import BookFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def debug(settings):
    settings.DEBUG = True


def load(command="load_demo_carts"):
    out = io.StringIO()
    call_command(command, stdout=out)
    return out.getvalue()


def test_carts_of_every_kind_are_filled():
    load("load_demo")

    told = load()

    problems = [worst_problem(cart) for cart in Cart.objects.with_lines()]
    assert told == "26 demo carts filled now.\n"
    assert set(problems) == {None, *IssueCode}
    assert any(not cart.lines for cart in Cart.objects.with_lines())


def test_nobody_can_sign_in_as_a_demo_customer():
    load("load_demo")
    load()

    customers = User.objects.filter(email__contains=".demo@")
    assert len(customers) == 26
    assert not any(user.has_usable_password() for user in customers)


def test_loading_again_changes_nothing():
    load("load_demo")
    load()
    Book.objects.update(stock_quantity=3)
    before = list(CartItem.objects.order_by("id").values_list("id", "quantity"))

    told = load()

    assert told == "The demo carts are there: nothing to add.\n"
    assert list(CartItem.objects.order_by("id").values_list("id", "quantity")) == before
    assert not Book.objects.exclude(stock_quantity=3).exists()


def test_carts_need_books():
    BookFactory()

    with pytest.raises(CommandError, match=r"run `manage\.py load_demo` first"):
        load()


def test_carts_load_with_debug_only(settings, alice):
    settings.DEBUG = False
    CartFactory(user=alice)

    with pytest.raises(CommandError, match="only with DEBUG=1"):
        load()
    assert Cart.objects.count() == 1
