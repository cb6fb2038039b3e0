"""/admin/catalog/book/: actions on many books."""

import pytest
from django.contrib.auth.models import Permission

from bookstore.accounts.tests.factories import StaffFactory, SuperuserFactory
from bookstore.admin import bulk, lists
from bookstore.admin.models import BulkAction
from bookstore.audit.models import AuditChange, AuditEvent
from catalog.admin import BookAdmin
from catalog.models import Book, Genre
from catalog.tests.factories import BookFactory, GenreFactory

pytestmark = pytest.mark.django_db

BOOKS = "/admin/catalog/book/"


def do(staff, action, *books, **data):
    return staff.post(BOOKS, {"action": action, "_selected_action": [book.pk for book in books], **data}, follow=True)


def step(staff, page, name, **data):
    """Sends the form of an action's page."""
    return staff.post(page.request["PATH_INFO"], {"step": name, **data}, follow=True)


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


@pytest.mark.parametrize("page", ["/admin/catalog/book/?q=emma", "/admin/accounts/user/"])
def test_action_without_a_ticked_row_says_so(staff, emma, page):
    response = staff.post(page, {"action": "delete_selected", "index": "0"}, follow=True)

    assert response.redirect_chain == [(page, 302)]
    assert told(response) == ["Nothing was done: tick the rows first, then choose what to do with them."]
    assert list(Book.objects.all()) == [emma]


def test_action_with_a_number_asks_for_it_and_previews_changes(staff, emma, dracula):
    asked = do(staff, "set_stock", emma, dracula)
    shown = step(staff, asked, "ask", stock="12")

    assert asked.status_code == 200
    assert 'name="stock"' in asked.content.decode()
    assert shown.context["preview"] == [("Emma", "5 → 12"), ("Dracula", "2 → 12")]
    assert "Nothing has been changed yet." in shown.content.decode()
    assert history() == []


def test_set_stock_sets_the_number(staff, emma, dracula):
    BookFactory(title="Persuasion", stock_quantity=3)
    shown = step(staff, do(staff, "set_stock", emma, dracula), "ask", stock="12")

    response = step(staff, shown, "run")

    assert told(response) == ["Set the stock of 2 books to 12."]
    assert list(Book.objects.order_by("id").values_list("stock_quantity", flat=True)) == [12, 12, 3]
    assert [entry[:2] for entry in history()] == [
        ("Dracula", {"stock_quantity": ["2", "12"]}),
        ("Emma", {"stock_quantity": ["5", "12"]}),
    ]


@pytest.mark.parametrize(
    ("stock", "reason"),
    [
        ("-1", "The least is 0."),
        ("many", "Write a whole number, such as 12."),
        ("9999999999", "The most is 2147483647."),
        ("", "Fill this in."),
    ],
)
def test_set_stock_to_what_no_stock_is_asks_again(staff, emma, stock, reason):
    response = step(staff, do(staff, "set_stock", emma), "ask", stock=stock)

    assert reason in response.content.decode()
    assert BulkAction.objects.get().parameters is None


def test_book_that_changed_after_the_preview_is_left_alone_and_told(staff, emma, dracula):
    shown = step(staff, do(staff, "set_stock", emma, dracula), "ask", stock="12")
    Book.objects.filter(pk=emma.pk).update(stock_quantity=1)

    response = step(staff, shown, "run")

    assert told(response) == [
        "Set the stock of 1 book to 12.",
        "Left 1 book alone. “Emma”: It was 5, and is 1 now: it was changed meanwhile.",
    ]
    assert list(Book.objects.order_by("id").values_list("stock_quantity", flat=True)) == [1, 12]


def test_book_that_was_deleted_after_the_preview_is_told(staff, emma, dracula):
    shown = step(staff, do(staff, "set_stock", emma, dracula), "ask", stock="12")
    emma.delete()

    response = step(staff, shown, "run")

    assert told(response)[1] == "Left 1 book alone. It was deleted meanwhile."


def test_add_to_stock_adds_to_what_is_there_when_it_is_done(staff, emma, dracula):
    shown = step(staff, do(staff, "add_to_stock", emma, dracula), "ask", copies="-2")
    Book.objects.filter(pk=emma.pk).update(stock_quantity=4)
    Book.objects.filter(pk=dracula.pk).update(stock_quantity=1)

    response = step(staff, shown, "run")

    assert shown.context["preview"] == [("Emma", "5 → 3"), ("Dracula", "2 → 0")]
    assert told(response) == [
        "Changed the stock of 1 book by -2.",
        "Left 1 book alone. “Dracula”: It has 1: the stock would be -1.",
    ]
    assert list(Book.objects.order_by("id").values_list("stock_quantity", flat=True)) == [2, 1]


@pytest.mark.parametrize(
    ("percent", "rounding", "price"),
    [
        ("10", "0.01", "10.45"),
        ("-10", "0.01", "8.55"),
        ("1.5", "0.01", "9.64"),
        ("10", "0.05", "10.45"),
        ("7", "0.05", "10.15"),
        ("10", "0.10", "10.50"),
        ("10", "0.99", "10.99"),
        ("0", "1.00", "10.00"),
    ],
)
def test_prices_change_by_percent_and_are_rounded_as_said(staff, emma, percent, rounding, price):
    shown = step(staff, do(staff, "change_prices", emma), "ask", percent=percent, rounding=rounding)

    step(staff, shown, "run")

    emma.refresh_from_db()
    assert shown.context["preview"] == [("Emma", f"9.50 → {price}")]
    assert str(emma.price) == price


def test_price_that_no_price_can_be_leaves_the_book_alone(staff, emma):
    Book.objects.update(price="0.01")
    shown = step(staff, do(staff, "change_prices", emma), "ask", percent="-99", rounding="0.01")

    response = step(staff, shown, "run")

    assert told(response) == ["Left 1 book alone. “Emma”: The price would be 0.00 USD."]


def test_genre_of_many_books_is_set(staff, emma, dracula):
    horror = GenreFactory(name="Horror")
    Book.objects.filter(pk=dracula.pk).update(genre=None)
    shown = step(staff, do(staff, "set_genre", emma, dracula), "ask", genre=horror.pk)

    response = step(staff, shown, "run")

    assert shown.context["preview"] == [("Emma", "Novel → Horror"), ("Dracula", "no genre → Horror")]
    assert told(response) == ["Changed the genre of 2 books."]
    assert set(Book.objects.values_list("genre", flat=True)) == {horror.pk}
    assert [entry[1] for entry in history()] == [{"genre": ["", "Horror"]}, {"genre": ["Novel", "Horror"]}]


def test_genre_that_was_deleted_after_the_preview_stops_the_action(staff, emma):
    horror = GenreFactory(name="Horror")
    shown = step(staff, do(staff, "set_genre", emma), "ask", genre=horror.pk)
    horror.delete()

    response = step(staff, shown, "run")

    assert told(response) == ["Stopped after 0 rows: This genre was deleted meanwhile."]
    assert Book.objects.get().genre.name == "Novel"


def test_books_of_a_genre_are_moved_to_another(staff, emma):
    horror = GenreFactory(name="Horror")
    action = {"action": "move_books", "_selected_action": [emma.genre_id]}
    asked = staff.post("/admin/catalog/genre/", action, follow=True)

    step(staff, step(staff, asked, "ask", genre=horror.pk), "run")

    emma.refresh_from_db()
    assert asked.context["names"] == ["Emma"]
    assert emma.genre == horror


def test_genre_without_books_has_none_to_move(staff):
    action = {"action": "move_books", "_selected_action": [GenreFactory(name="Horror").pk]}

    response = staff.post("/admin/catalog/genre/", action, follow=True)

    assert told(response) == ["Nothing was changed: there is no book among what you chose."]
    assert response.request["PATH_INFO"] == "/admin/catalog/genre/"
    assert not BulkAction.objects.exists()


def test_genre_with_books_is_left_alone_by_a_deletion_of_many(staff, emma):
    GenreFactory(name="Horror")
    action = {"action": "delete_selected", "_selected_action": list(Genre.objects.values_list("pk", flat=True))}
    shown = staff.post("/admin/catalog/genre/", action, follow=True)

    response = step(staff, shown, "run")

    assert told(response) == [
        "Deleted 1 genre.",
        "Left 1 genre alone. “Novel”: 1 book is in it: move it to another genre first.",
    ]
    assert [genre.name for genre in Genre.objects.all()] == ["Novel"]


def test_deletion_of_many_books_says_what_goes_with_them(staff, emma, dracula):
    shown = do(staff, "delete_selected", emma, dracula)

    response = step(staff, shown, "run")

    assert shown.context["preview"] == [("Emma, which is in no cart", ""), ("Dracula, which is in no cart", "")]
    assert told(response) == ["Deleted 2 books."]
    assert not Book.objects.exists()
    assert history()[1][1]["title"] == ["Emma", ""]


@pytest.mark.parametrize("books", [1, 3])
def test_action_costs_a_constant_number_of_queries(staff, books, django_assert_num_queries):
    chosen = BookFactory.create_batch(books)
    data = {"action": "withdraw", "_selected_action": [book.pk for book in chosen]}

    # Session, user; genres of the filter; the list's keys; a savepoint and its end; the chosen rows, the books under
    # a lock, the savepoint of the UPDATE and its end, the UPDATE; the event and its changes.
    with django_assert_num_queries(12):
        staff.post(BOOKS, data)


def test_action_on_more_books_than_can_be_kept_is_refused(staff, emma, dracula, monkeypatch):
    monkeypatch.setattr(bulk, "MAX_SELECTED", 1)

    response = do(staff, "withdraw", emma, dracula)

    assert told(response) == ["These are more than 1 books: choose fewer by a filter. Nothing was changed."]
    assert Book.objects.on_sale().count() == 2


def everything():
    """The form of "select all"."""
    return {"action": "withdraw", "select_across": "1", "_selected_action": [Book.objects.earliest("pk").pk]}


def test_select_all_acts_on_exactly_the_filtered_rows_it_names(staff, monkeypatch):
    monkeypatch.setattr(lists, "MAX_LISTED", 3)
    monkeypatch.setattr(BookAdmin, "list_per_page", 2)
    BookFactory.create_batch(7, stock_quantity=0)
    BookFactory(stock_quantity=1)

    listed = staff.get(f"{BOOKS}?in_stock=no").content.decode()
    shown = staff.post(f"{BOOKS}?in_stock=no", everything(), follow=True)
    BookFactory(stock_quantity=0)
    response = step(staff, shown, "run")

    assert "Select all 7 books" in listed
    assert shown.context["counted"] == "7 books"
    assert told(response) == ["Withdrew 7 books from sale."]
    assert Book.objects.on_sale().count() == 2


def test_action_on_many_goes_on_batch_by_batch_and_is_one_event(staff, monkeypatch):
    monkeypatch.setattr(bulk, "BATCH", 3)
    monkeypatch.setattr(bulk, "LONGEST", 0)
    BookFactory.create_batch(7)
    pages = [staff.post(BOOKS, everything(), follow=True)]

    while pages[-1].context.get("action"):
        assert len(pages) < 9
        pages.append(step(staff, pages[-1], "run"))

    assert [page.context["action"].done for page in pages[:-1]] == [0, 3, 6]
    assert told(pages[-1]) == ["Withdrew 7 books from sale."]
    assert not Book.objects.on_sale().exists()
    event = AuditEvent.objects.get()
    assert (event.summary, event.number_of_changes) == ("Withdrew 7 books from sale.", 7)
    assert not BulkAction.objects.exists()


def test_action_that_is_stopped_tells_what_it_did(staff, monkeypatch):
    monkeypatch.setattr(bulk, "BATCH", 3)
    monkeypatch.setattr(bulk, "LONGEST", 0)
    BookFactory.create_batch(7)
    page = step(staff, staff.post(BOOKS, everything(), follow=True), "run")

    response = step(staff, page, "stop")

    assert told(response) == ["Withdrew 3 books from sale."]
    assert Book.objects.on_sale().count() == 4


def test_page_of_an_action_has_no_field_for_each_row(staff):
    BookFactory.create_batch(150)

    page = staff.post(BOOKS, everything() | {"action": "delete_selected"}, follow=True).content.decode()

    assert "150 books" in page
    assert page.count("<input") < 20


def test_action_of_a_colleague_cannot_be_gone_on_with(staff, client, emma):
    shown = do(staff, "delete_selected", emma)
    address = shown.request["PATH_INFO"]
    client.force_login(SuperuserFactory(email="bob@example.com"))

    response = client.post(address, {"step": "run"}, follow=True)

    assert told(response) == ["This action is over, or somebody else's."]
    assert Book.objects.exists()


def test_action_needs_its_permission_at_every_step(client, emma):
    bob = StaffFactory()
    bob.user_permissions.set(Permission.objects.filter(codename__in=["view_book", "change_book", "delete_book"]))
    client.force_login(bob)
    shown = do(client, "delete_selected", emma)
    bob.user_permissions.set(Permission.objects.filter(codename__in=["view_book", "change_book"]))

    response = step(client, shown, "run")

    assert response.status_code == 403
    assert Book.objects.exists()


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
