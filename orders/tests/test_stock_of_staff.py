"""A stock that staff saw before an order took copies is never written over those copies, by whatever writer."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

import orders.checkout
from bookstore.accounts.tests.factories import SuperuserFactory
from cart.models import Cart
from catalog.models import Book
from catalog.tests.import_pages import confirm, upload
from orders.checkout import CheckoutRequest, checkout
from tests.support.racing import meet

pytestmark = pytest.mark.django_db

BOOKS = "/admin/catalog/book/"
Save = Callable[[], Any]


def buy(user, book):
    """One copy."""
    Cart.objects.for_user(user).add(book)
    return checkout(user, CheckoutRequest())


def on_the_page(staff: Client, book: Book, api: Any) -> Save:
    form = staff.get(f"{BOOKS}{book.pk}/change/").context["adminform"].form
    sent = {bound.html_name: bound.value() for bound in form if bound.value() is not None}
    sent |= {bound.html_initial_name: bound.value() for bound in form if bound.value() is not None}
    return lambda: staff.post(f"{BOOKS}{book.pk}/change/", sent | {"stock_quantity": "105"})


def in_the_list(staff: Client, book: Book, api: Any) -> Save:
    shown = {"price": book.price, "stock_quantity": book.stock_quantity, "is_active": "True"}
    sent = {"form-TOTAL_FORMS": 1, "form-INITIAL_FORMS": 1, "_save": "Save", "form-0-id": book.pk}
    sent |= {f"form-0-{name}": value for name, value in shown.items()}
    sent |= {f"initial-form-0-{name}": value for name, value in shown.items()}
    return lambda: staff.post(BOOKS, sent | {"form-0-stock_quantity": "105"})


def by_the_action(staff: Client, book: Book, api: Any) -> Save:
    ticked = {"action": "set_stock", "_selected_action": [book.pk]}
    page = staff.post(BOOKS, ticked, follow=True)
    path = page.redirect_chain[-1][0]
    staff.post(path, {"step": "ask", "stock": "105"}, follow=True)
    return lambda: staff.post(path, {"step": "run"})


def by_a_file(staff: Client, book: Book, api: Any) -> Save:
    text = f"title,author,price,isbn,stock\nEmma,Jane Austen,9.50,{book.isbn},105\n"
    preview = upload(staff, text)
    return lambda: confirm(staff, preview)


def by_the_api(staff: Client, book: Book, api: Any) -> Save:
    etag = api.get(f"/books/{book.pk}").headers["ETag"]
    return lambda: api.put(f"/books/{book.pk}", {"stock_quantity": 105}, headers={"if-match": etag})


@pytest.mark.parametrize("writer", [on_the_page, in_the_list, by_the_action, by_a_file, by_the_api])
def test_a_stock_seen_before_an_order_is_refused(staff, client_for, alice, emma, writer):
    save = writer(staff, emma, client_for(SuperuserFactory()))
    buy(alice, emma)

    save()

    assert Book.objects.get().stock_quantity == 4


@pytest.mark.parametrize("writer", [on_the_page, in_the_list, by_the_action, by_a_file, by_the_api])
def test_a_stock_that_no_order_changed_is_written(staff, client_for, emma, writer):
    save = writer(staff, emma, client_for(SuperuserFactory()))

    save()

    assert Book.objects.get().stock_quantity == 105


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("writer", [on_the_page, in_the_list, by_a_file, by_the_api])
def test_a_stock_saved_while_an_order_is_made_waits_and_is_refused(staff, client_for, alice, emma, writer):
    save = writer(staff, emma, client_for(SuperuserFactory()))

    meet(lambda: buy(alice, emma), save, at=(orders.checkout, "write"))

    assert Book.objects.get().stock_quantity == 4
