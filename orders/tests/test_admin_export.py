"""Orders and their items as CSV and as a workbook, for the accountant."""

import csv
import html
import re
from io import BytesIO, StringIO

import pytest
from django.test import Client
from python_calamine import CalamineWorkbook

from bookstore.accounts.tests.factories import StaffFactory
from catalog.models import Book
from orders.checkout import CheckoutRequest, checkout
from orders.models import Order

pytestmark = pytest.mark.django_db

EXPORT = "/admin/orders/order/export/"


@pytest.fixture
def order(alice, cart) -> Order:
    Book.objects.filter(title="Dracula").update(title="=HYPERLINK(0)")
    order = checkout(alice, CheckoutRequest())
    order.mark_paid("+1")
    return order


def csv_of(response):
    text = b"".join(response.streaming_content).decode()
    assert text.startswith("\ufeff")
    return list(csv.reader(StringIO(text.removeprefix("\ufeff"))))


def sheet_of(response):
    book = CalamineWorkbook.from_filelike(BytesIO(b"".join(response.streaming_content)))
    [title] = book.sheet_names
    return title, book.get_sheet_by_name(title).to_python()


def moment(value):
    return f"{value:%Y-%m-%d %H:%M:%S}"


def test_orders_as_csv_have_a_row_each_without_formulas(staff, order):
    rows = csv_of(staff.get(EXPORT, {"of": "orders", "format": "csv"}))

    placed, paid = moment(order.created_at), moment(order.paid_at)
    assert rows == [
        [
            *("number", "placed", "status", "customer", "copies", "total", "currency", "paid", "payment_reference"),
            *("shipped", "cancelled", "cancel_reason"),
        ],
        [order.number, placed, "paid", "alice@example.com", "3", "31.25", "USD", paid, "'+1", "", "", ""],
    ]


def test_items_as_csv_have_a_row_each_without_formulas(staff, order):
    rows = csv_of(staff.get(EXPORT, {"of": "items", "format": "csv"}))

    placed = moment(order.created_at)
    assert rows == [
        ["number", "placed", "status", "title", "author", "isbn", "quantity", "unit_price", "line_total", "currency"],
        [order.number, placed, "paid", "Emma", "Jane Austen", "9780141439587", "2", "9.50", "19.00", "USD"],
        [order.number, placed, "paid", "'=HYPERLINK(0)", "Bram Stoker", "", "1", "12.25", "12.25", "USD"],
    ]


def test_items_as_a_workbook_have_numbers_and_texts(staff, order):
    title, rows = sheet_of(staff.get(EXPORT, {"of": "items", "format": "xlsx"}))

    assert title == "Items"
    assert [row[3:9] for row in rows[1:]] == [
        ["Emma", "Jane Austen", "9780141439587", 2, 9.5, 19],
        ["'=HYPERLINK(0)", "Bram Stoker", "", 1, 12.25, 12.25],
    ]


def test_the_list_links_to_each_export_of_what_it_shows(staff, order):
    page = staff.get("/admin/orders/order/", {"status__exact": "paid"}).content.decode()

    links = [html.unescape(link) for link in re.findall(rf'href="({EXPORT}[^"]*)"', page)]
    assert links == [
        f"{EXPORT}?status__exact=paid&of={of}&format={kind}" for of in ("orders", "items") for kind in ("csv", "xlsx")
    ]
    assert [staff.get(link).status_code for link in links] == [200] * 4


def test_an_export_has_what_the_list_was_filtered_by(staff, order):
    paid = csv_of(staff.get(EXPORT, {"of": "orders", "status__exact": "paid"}))
    shipped = csv_of(staff.get(EXPORT, {"of": "orders", "status__exact": "shipped"}))

    assert [len(paid), len(shipped)] == [2, 1]


@pytest.mark.parametrize("query", [{"of": "x"}, {"format": "x"}, {"e": "1"}, {"o": "x"}, {"nobodys": "1"}])
def test_an_export_of_nonsense_is_an_answer(staff, order, query):
    assert staff.get(EXPORT, query).status_code in {200, 302}


def test_a_workbook_of_more_rows_than_it_may_have_is_refused(staff, order, monkeypatch):
    monkeypatch.setattr("orders.admin.exports.MAX_WORKBOOK", 1)

    whole = staff.get(EXPORT, {"of": "orders", "format": "xlsx", "q": "alice@"})
    refused = staff.get(EXPORT, {"of": "items", "format": "xlsx", "q": "alice@"}, follow=True)

    assert len(sheet_of(whole)[1]) == 2
    assert "These are more than 1 items: export them as CSV" in refused.content.decode()


def test_orders_in_batches_come_whole_and_once(staff, alice, cart, emma, monkeypatch):
    monkeypatch.setattr("orders.admin.exports.BATCH", 2)
    numbers = [checkout(alice, CheckoutRequest()).number]
    for _ in range(2):
        cart.add(emma)
        numbers.append(checkout(alice, CheckoutRequest()).number)

    rows = csv_of(staff.get(EXPORT))

    assert [row[0] for row in rows[1:]] == numbers


def test_an_export_needs_the_permission_to_see_orders(order):
    client = Client()
    client.force_login(StaffFactory())

    assert client.get(EXPORT).status_code == 403
