"""/admin/catalog/book/: what staff do to many books at once."""

import pytest

from bookstore.audit.models import AuditChange
from catalog.admin import books as book_admin
from catalog.models import Book
from catalog.tests.factories import BookFactory

pytestmark = pytest.mark.django_db

BOOKS = "/admin/catalog/book/"


def do(staff, action, *books, **data):
    return staff.post(BOOKS, {"action": action, "_selected_action": [book.pk for book in books], **data}, follow=True)


def told(response):
    return [str(message) for message in response.context["messages"]]


def history():
    """[(title, fields, who)] of every change, by title."""
    return sorted(AuditChange.objects.values_list("name", "fields", "event__actor"))


def test_withdraw_takes_the_selected_books_from_sale(staff, emma, dracula):
    persuasion = BookFactory(title="Persuasion", is_active=False)

    response = do(staff, "withdraw", emma, persuasion)

    assert told(response) == ["Withdrew 1 book from sale."]
    assert set(Book.objects.on_sale()) == {dracula}
    assert history() == [("Emma", {"is_active": ["yes", "no"]}, "olga@example.com")]


def test_put_back_puts_the_selected_books_on_sale_again(staff, emma, dracula):
    Book.objects.update(is_active=False)

    response = do(staff, "put_back", emma, dracula)

    assert told(response) == ["Put 2 books back on sale."]
    assert Book.objects.on_sale().count() == 2
    assert [entry[0] for entry in history()] == ["Dracula", "Emma"]


def test_what_is_so_already_is_told_and_not_in_the_history(staff, emma):
    response = do(staff, "put_back", emma)

    assert told(response) == ["Nothing had to be changed."]
    assert history() == []


def test_set_stock_asks_for_the_number_first(staff, emma, dracula):
    Book.objects.filter(pk=dracula.pk).update(stock_quantity=0)
    response = do(staff, "set_stock", emma, dracula)

    page = response.content.decode()
    assert response.status_code == 200
    assert 'name="stock"' in page
    assert "Emma" in page
    assert "(now 5)" in page
    assert list(Book.objects.order_by("id").values_list("stock_quantity", flat=True)) == [5, 0]


def test_set_stock_sets_the_number(staff, emma, dracula):
    persuasion = BookFactory(title="Persuasion", stock_quantity=3)

    response = do(staff, "set_stock", emma, dracula, stock="12")

    assert told(response) == ["Set the stock of 2 books to 12."]
    assert list(Book.objects.order_by("id").values_list("stock_quantity", flat=True)) == [12, 12, 3]
    assert [entry[:2] for entry in history()] == [
        ("Dracula", {"stock_quantity": ["2", "12"]}),
        ("Emma", {"stock_quantity": ["5", "12"]}),
    ]
    assert persuasion.stock_quantity == 3


@pytest.mark.parametrize(
    ("stock", "reason"),
    [
        ("-1", "greater than or equal to 0"),
        ("many", "Enter a whole number."),
        ("9999999999", "less than or equal to 2147483647"),
        ("", "This field is required."),
    ],
)
def test_set_stock_to_what_no_stock_is_asks_again(staff, emma, stock, reason):
    response = do(staff, "set_stock", emma, stock=stock)

    assert reason in response.content.decode()
    emma.refresh_from_db()
    assert emma.stock_quantity == 5


@pytest.mark.parametrize("books", [1, 3])
def test_action_costs_a_constant_number_of_queries(staff, books, django_assert_num_queries):
    chosen = BookFactory.create_batch(books)
    data = {"action": "withdraw", "_selected_action": [book.pk for book in chosen]}

    # Session, user; the genres of the filter; the list's keys; the savepoint and its end; the keys, the books under
    # a lock, the UPDATE; the event and its changes in a savepoint.
    with django_assert_num_queries(14):
        staff.post(BOOKS, data)


def test_action_on_more_books_than_one_transaction_should_change_is_refused(staff, emma, dracula, monkeypatch):
    monkeypatch.setattr(book_admin, "MAX_AT_ONCE", 1)

    response = do(staff, "withdraw", emma, dracula)

    assert told(response) == ["These are more than 1 books: choose fewer by a filter. Nothing was changed."]
    assert Book.objects.on_sale().count() == 2


def test_action_reaches_all_books_that_a_filter_leaves(staff, emma, dracula):
    Book.objects.filter(pk=dracula.pk).update(stock_quantity=0)
    response = staff.post(
        f"{BOOKS}?in_stock=no",
        {"action": "withdraw", "select_across": "1", "_selected_action": [dracula.pk]},
        follow=True,
    )

    assert told(response) == ["Withdrew 1 book from sale."]
    assert list(Book.objects.on_sale()) == [emma]


@pytest.mark.parametrize(("chosen", "expected"), [("yes", ["Emma"]), ("no", ["Dracula"]), ("x", ["Dracula", "Emma"])])
def test_list_is_filtered_by_on_sale(staff, emma, dracula, chosen, expected):
    Book.objects.filter(pk=dracula.pk).update(is_active=False)

    found = staff.get(BOOKS, {"on_sale": chosen}).context["cl"].result_list

    assert [book.title for book in found] == expected


def test_page_shows_the_cover_and_the_currency(staff, emma, settings):
    settings.SHOP_CURRENCY = "EUR"

    page = staff.get(f"{BOOKS}{emma.pk}/change/").content.decode()

    assert 'src="https://covers.example/emma.jpg"' in page
    assert 'referrerpolicy="no-referrer"' in page
    assert "Price (EUR):" in page


def test_page_of_a_book_without_a_cover_says_so(staff, dracula):
    assert 'aria-label="no cover"' in staff.get(f"{BOOKS}{dracula.pk}/change/").content.decode()
