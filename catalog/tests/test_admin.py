"""/admin/catalog/"""

import pytest
from django.contrib.auth.models import Permission

from bookstore.accounts.tests.factories import StaffFactory
from catalog.models import Book, Genre
from catalog.tests.factories import BookFactory, GenreFactory

pytestmark = pytest.mark.django_db

BOOKS = "/admin/catalog/book/"
GENRES = "/admin/catalog/genre/"


def listed(response):
    assert response.status_code == 200
    return [row.title for row in response.context["cl"].result_list]


def form_of(response):
    """What the page's form would send if nobody touched it."""
    assert response.status_code == 200
    context = response.context
    forms = [context["adminform"].form] if "adminform" in context else [context["cl"].formset.management_form]
    if "adminform" not in context:
        forms += context["cl"].formset.forms
    sent = {}
    for form in forms:
        for bound in form:
            value = bound.value()
            sent[bound.html_name] = "" if value is None else str(value)
            if bound.field.show_hidden_initial:
                sent[bound.html_initial_name] = sent[bound.html_name]
    return sent


def test_books_without_a_genre_are_found_by_the_filter(staff):
    BookFactory(title="Emma", genre=GenreFactory(name="Novel"))
    BookFactory(title="Beowulf", genre=None)
    [genres] = [one for one in staff.get(BOOKS).context["cl"].filter_specs if one.title == "genre"]
    names = [choice["display"] for choice in genres.choices(staff.get(BOOKS).context["cl"])]

    assert names == ["All", "Novel", "No genre"]
    assert listed(staff.get(BOOKS, {"genre__isnull": "True"})) == ["Beowulf"]


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize(("query", "queries"), [("", 5), ("?q=works", 6), ("?in_stock=yes", 5)])
def test_book_list_costs_a_constant_number_of_queries(staff, django_assert_num_queries, count, query, queries):
    for number in range(3):
        GenreFactory(name=f"Shelf {number}")
    for genre in Genre.objects.all()[:count]:
        BookFactory(genre=genre)

    with django_assert_num_queries(queries):  # session, user, genres of the filter, the search's ids, count, books
        response = staff.get(f"{BOOKS}{query}")

    assert len(listed(response)) == count


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["Beowulf", "Emma", "Emma Revisited", "Mansfield Park"]),
        ("?q=EMMA", ["Emma", "Emma Revisited", "Mansfield Park"]),
        ("?q=EMMA&o=4", ["Mansfield Park", "Emma Revisited", "Emma"]),
        ("?q=0-14-143958-0", ["Emma"]),
        ("?q=9780141439587", ["Emma"]),
        ("?q=em %26 !x", ["Emma", "Emma Revisited", "Mansfield Park"]),  # what finds nothing is left out
        ("?in_stock=no", ["Mansfield Park"]),
        ("?in_stock=yes", ["Beowulf", "Emma", "Emma Revisited"]),
    ],
)
def test_book_list_searches_as_the_api_does(staff, query, expected):
    BookFactory(title="Emma", isbn="9780141439587", price=9)
    BookFactory(title="Mansfield Park", author="Émma Editor", price=1, stock_quantity=0)
    BookFactory(title="Emma Revisited", price=5)
    BookFactory(title="Beowulf", price=2)

    response = staff.get(f"{BOOKS}{query}")

    assert listed(response) == expected


def test_book_list_edits_price_and_stock(staff, emma, dracula):
    sent = form_of(staff.get(BOOKS))
    row = next(key.removesuffix("-id") for key, value in sent.items() if key.endswith("-id") and value == str(emma.pk))
    sent |= {f"{row}-price": "11.00", f"{row}-stock_quantity": "2", "_save": "Save"}

    response = staff.post(BOOKS, sent)

    emma.refresh_from_db()
    assert response.status_code == 302
    assert (str(emma.price), emma.stock_quantity, emma.title) == ("11.00", 2, "Emma")


def test_book_list_leaves_what_somebody_else_changed_meanwhile(staff, emma):
    sent = form_of(staff.get(BOOKS))
    Book.objects.filter(pk=emma.pk).update(title="Emma, annotated", stock_quantity=1)

    staff.post(BOOKS, sent | {"form-0-price": "11.00", "_save": "Save"})

    emma.refresh_from_db()
    assert (emma.title, str(emma.price), emma.stock_quantity) == ("Emma, annotated", "11.00", 1)


def test_book_page_leaves_what_somebody_else_changed_meanwhile(staff, emma):
    page = f"{BOOKS}{emma.pk}/change/"
    sent = form_of(staff.get(page))
    Book.objects.filter(pk=emma.pk).update(price="1.00", stock_quantity=1)

    response = staff.post(page, sent | {"title": "Emma, annotated"})

    emma.refresh_from_db()
    assert response.status_code == 302
    assert (emma.title, str(emma.price), emma.stock_quantity) == ("Emma, annotated", "1.00", 1)


def test_book_page_of_a_book_deleted_meanwhile_does_not_bring_it_back(staff, emma, monkeypatch):
    page = f"{BOOKS}{emma.pk}/change/"
    sent = form_of(staff.get(page))
    change = Book.change

    def change_too_late(self, **fields):
        Book.objects.filter(pk=self.pk).delete()
        change(self, **fields)

    monkeypatch.setattr(Book, "change", change_too_late)
    response = staff.post(page, sent | {"title": "Emma again"}, follow=True)

    messages = [str(message) for message in response.context["messages"]]
    assert messages[0] == "This book was deleted or withdrawn meanwhile."


def test_book_is_added_with_its_isbn_cleaned_and_nothing_as_null(staff, novel):
    sent = form_of(staff.get(f"{BOOKS}add/"))
    sent |= {"title": "Emma", "author": "Jane Austen", "price": "9.5", "isbn": "0-14-143958-0"}

    response = staff.post(f"{BOOKS}add/", sent)

    assert response.status_code == 302
    assert list(Book.objects.values_list("title", "isbn", "description", "cover_image_url", "genre")) == [
        ("Emma", "9780141439587", None, None, None)
    ]
    assert Book.objects.search("emma").exists()


def test_page_of_a_new_book_asks_only_for_what_can_be_said_of_it(staff, emma):
    fields = [
        field
        for page in ("add/", f"{emma.pk}/change/")
        for _, options in staff.get(BOOKS + page).context["adminform"].fieldsets
        for field in options["fields"]
        if field in {"cover", "created_at", "cover_image_url"}
    ]

    assert fields == ["cover_image_url", "cover", "cover_image_url", "created_at"]


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("isbn", "0-14-143958-1", "This is no ISBN-10 or ISBN-13: look at its digits again, the last one checks"),
        ("isbn", "0-14-143958-0", "Another book has this ISBN: "),
        ("price", "0", "The least is 0.01."),
        ("stock_quantity", "-1", "The least is 0."),
        ("stock_quantity", "9999999999", "The most is"),
        ("publish_date", "12/11/1999", "Write the day as 2008-05-01."),
        ("cover_image_url", "javascript:alert(1)", "Write an address that begins with http:// or https://."),
    ],
)
def test_book_that_breaks_a_rule_is_refused_with_the_reason(staff, emma, field, value, message):
    sent = form_of(staff.get(f"{BOOKS}add/")) | {"title": "E", "author": "J", "price": "1", field: value}

    response = staff.post(f"{BOOKS}add/", sent)

    assert response.status_code == 200
    assert message in str(response.context["adminform"].form.errors)
    assert Book.objects.count() == 1


def test_book_is_deleted_from_its_page(staff, emma):
    response = staff.post(f"{BOOKS}{emma.pk}/delete/", {"post": "yes"})

    assert response.status_code == 302
    assert not Book.objects.exists()


def test_books_are_closed_to_staff_without_permission(client):
    client.force_login(StaffFactory(email="bob@example.com"))

    response = client.get(BOOKS)

    assert response.status_code == 403


def test_books_are_read_only_to_staff_who_may_look(client, emma):
    bob = StaffFactory(email="bob@example.com")
    bob.user_permissions.set(Permission.objects.filter(codename="view_book"))
    client.force_login(bob)

    response = client.get(f"{BOOKS}{emma.pk}/change/")

    assert response.status_code == 200
    assert 'name="title"' not in response.content.decode()


@pytest.mark.parametrize("count", [1, 3])
def test_genre_list_counts_books_in_a_constant_number_of_queries(staff, django_assert_num_queries, count):
    for number in range(count):
        BookFactory.create_batch(2, genre=GenreFactory(name=f"Shelf {number}"))

    with django_assert_num_queries(4):  # session, user, count, genres
        response = staff.get(GENRES)

    counts = [(genre.name, genre.book_count) for genre in response.context["cl"].result_list]
    assert counts == [(f"Shelf {number}", 2) for number in range(count)]


def test_genre_of_a_known_name_is_refused_beside_the_field(staff, novel):
    response = staff.post(f"{GENRES}add/", {"name": "NOVEL"})

    assert response.status_code == 200
    assert response.context["adminform"].form.errors == {"name": ["There is a genre of this name already."]}


def test_genre_is_renamed(staff, novel):
    response = staff.post(f"{GENRES}{novel.pk}/change/", {"name": "Novels"})

    assert response.status_code == 302
    assert list(Genre.objects.values_list("name", "name_folded")) == [("Novels", "novels")]


def test_genre_with_books_is_not_deleted(staff, emma, novel):
    response = staff.post(f"{GENRES}{novel.pk}/delete/", {"post": "yes"})

    assert response.status_code == 200
    assert response.context["protected"] == ["Novel: 1 book is in it: move it to another genre first."]
    assert list(Genre.objects.all()) == [novel]


def test_genre_without_books_is_deleted(staff, novel):
    response = staff.post(f"{GENRES}{novel.pk}/delete/", {"post": "yes"})

    assert response.status_code == 302
    assert not Genre.objects.exists()


def test_book_with_the_isbn_of_another_is_refused_with_a_link_to_it(staff, emma):
    sent = form_of(staff.get(f"{BOOKS}add/"))
    sent |= {"title": "Emma II", "author": "Jane Austen", "price": "9.5", "isbn": "0-14-143958-0"}

    page = staff.post(f"{BOOKS}add/", sent).content.decode()

    link = f'<a href="/admin/catalog/book/{emma.pk}/change/">Emma, Jane Austen</a> (5 in stock)'
    assert f"Another book has this ISBN: {link}." in page
    assert Book.objects.count() == 1


def test_second_book_of_a_title_and_author_is_added_when_staff_say_so(staff, emma):
    sent = form_of(staff.get(f"{BOOKS}add/")) | {"title": "EMMA", "author": "jane austen", "price": "9.5"}

    asked = staff.post(f"{BOOKS}add/", sent).content.decode()
    added = staff.post(f"{BOOKS}add/", sent | {"other_edition": "on"})

    assert "There is a book of this title and author already" in asked
    assert added.status_code == 302
    assert Book.objects.count() == 2


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("in_stock=low", ["Few"]),
        ("has_isbn=no", ["Few", "Many"]),
        ("has_isbn=yes", ["Known"]),
        ("has_cover=no", ["Few", "Many"]),
        ("has_cover=yes", ["Known"]),
        ("has_cover=yes&in_stock=no", ["Known"]),
    ],
)
def test_book_list_is_filtered_by_what_is_low_or_not_known(staff, settings, query, expected):
    settings.LOW_STOCK = 3
    BookFactory(title="Few", stock_quantity=3, isbn=None, cover_image_url=None)
    BookFactory(title="Many", stock_quantity=4, isbn=None, cover_image_url=None)
    BookFactory(title="Known", stock_quantity=0, isbn="9780141439587", cover_image_url="https://covers.example/k.jpg")

    assert listed(staff.get(f"{BOOKS}?{query}")) == expected
