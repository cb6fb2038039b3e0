"""/admin/catalog/book/import/ and export/: the catalogue as a spreadsheet, looked at before it is loaded."""

import csv
import html
import io
import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.admin.models import ADDITION, CHANGE, LogEntry
from django.core.files.uploadedfile import SimpleUploadedFile

from catalog.admin import book_files
from catalog.importing.loader import Loader
from catalog.importing.rows import COLUMNS, read_row
from catalog.models import Book, Genre
from catalog.tests.factories import BookFactory, GenreFactory
from tests.support.racing import answer_beside

pytestmark = pytest.mark.django_db

IMPORT = "/admin/catalog/book/import/"
CONFIRM = "/admin/catalog/book/process_import/"
EXPORT = "/admin/catalog/book/export/"

TWO_BAD_ROWS = """\
title,author,price,isbn,genre,stock_quantity
Persuasion,Jane Austen,8.20,978-0-14-143968-6,Novel,4
Emma,Jane Austen,11.00,0-14-143958-0,Novel,
Nightmare Abbey,Thomas Love Peacock,7.00,9780141439581,Satire,2
Melmoth,Charles Maturin,free,,Gothic,1
"""


def upload(staff, text, name="books.csv"):
    content = text if isinstance(text, bytes) else text.encode()
    return staff.post(IMPORT, {"import_file": SimpleUploadedFile(name, content), "format": "0", "resource": "0"})


def hidden_fields(response):
    page = response.content.decode()
    form = page.split(f'action="{CONFIRM}"')[1].split("</form>")[0]
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form)
    return {name: html.unescape(value) for name, value in found}


def confirm(staff, preview, **changed):
    return staff.post(CONFIRM, hidden_fields(preview) | changed, follow=True)


def told(response):
    return [str(message) for message in response.context["messages"]]


def faults(response):
    return [
        (row.line, fault.column, fault.value, fault.reason)
        for row in response.context["refused"]
        for fault in row.faults
    ]


def test_preview_shows_what_would_change_and_each_bad_row_with_its_reason(staff, emma):
    response = upload(staff, TWO_BAD_ROWS)

    context = response.context
    assert context["counts"] == {"new": 1, "update": 1, "invalid": 2}
    assert [(row.line, row.instance.title) for row in context["new"]] == [(2, "Persuasion")]
    assert [(row.line, row.object_repr, row.changes) for row in context["changed"]] == [
        (3, "Emma", [("price", "9.50", "11.00")])
    ]
    assert faults(response) == [
        (
            4,
            "isbn",
            "9780141439581",
            "This is no ISBN-10 or ISBN-13: look at its digits again, the last one checks the others.",
        ),
        (5, "price", "free", "A valid number is required."),
    ]
    page = response.content.decode()
    assert "9780141439581" in page
    assert "A valid number is required." in page
    assert 'value="Import 2 books"' in page


def test_preview_changes_nothing(staff, emma):
    upload(staff, TWO_BAD_ROWS)

    assert list(Book.objects.values_list("title", "price")) == [("Emma", Decimal("9.50"))]
    assert list(Genre.objects.values_list("name", flat=True)) == ["Novel"]
    assert not LogEntry.objects.exists()


def test_confirmed_import_takes_the_good_rows_and_is_in_the_history(staff, emma):
    response = confirm(staff, upload(staff, TWO_BAD_ROWS))

    assert told(response) == ["Imported: 1 new, 1 changed, 2 refused."]
    assert list(Book.objects.order_by("id").values_list("title", "price", "isbn", "stock_quantity", "genre__name")) == [
        ("Emma", Decimal("11.00"), "9780141439587", 5, "Novel"),
        ("Persuasion", Decimal("8.20"), "9780141439686", 4, "Novel"),
    ]
    assert Book.objects.search("persuasion").exists()
    persuasion = Book.objects.get(title="Persuasion")
    assert set(LogEntry.objects.values_list("object_id", "action_flag", "change_message", "user__email")) == {
        (str(emma.pk), CHANGE, "Changed by an import from a file.", "olga@example.com"),
        (str(persuasion.pk), ADDITION, "Imported from a file.", "olga@example.com"),
    }


def test_import_of_the_same_file_again_has_nothing_to_do(staff, emma):
    confirm(staff, upload(staff, TWO_BAD_ROWS))

    response = upload(staff, TWO_BAD_ROWS)

    assert response.context["counts"] == {"new": 0, "update": 0, "invalid": 2}
    assert "confirm_form" not in response.context
    assert "There is nothing to import" in response.content.decode()


def test_what_somebody_changed_since_the_preview_and_the_file_does_not_name_stays(staff, emma):
    preview = upload(staff, TWO_BAD_ROWS)
    Book.objects.filter(pk=emma.pk).update(stock_quantity=1, description="Annotated.")

    confirm(staff, preview)

    emma.refresh_from_db()
    assert (emma.price, emma.stock_quantity, emma.description) == (Decimal("11.00"), 1, "Annotated.")


@pytest.mark.parametrize(
    ("row", "column", "reason"),
    [
        (",Austen,1", "title", "Every book needs one, and the cell is empty."),
        (f"{'x' * 501},Austen,1", "title", "Ensure this field has no more than 500 characters."),
        (f"Emma,{'x' * 256},1", "author", "Ensure this field has no more than 255 characters."),
        ("Emma,Austen,0", "price", "Ensure this value is greater than or equal to 0.01."),
        ("Emma,Austen,1.234", "price", "Ensure that there are no more than 2 decimal places."),
        ("Emma,Austen,1,extra,cells", "", "The row has 2 cells more than there are headings."),
    ],
)
def test_row_is_refused_for_the_reason_that_the_api_gives(staff, row, column, reason):
    response = upload(staff, f"title,author,price\n{row}\n")

    assert [(fault[1], fault[3]) for fault in faults(response)] == [(column, reason)]


def test_second_row_of_one_book_is_refused(staff):
    response = upload(staff, "title,author,price\nEmma,Jane Austen,1\nEMMA,Jane Austen,2\n")

    assert response.context["counts"] == {"new": 1, "update": 0, "invalid": 1}
    assert "as on line 2" in faults(response)[0][2]


def test_two_editions_with_isbns_are_two_books(staff):
    text = "title,author,price,isbn\nEmma,Jane Austen,1,9780141439587\nEmma,Jane Austen,2,9780141439686\n"

    confirm(staff, upload(staff, text))

    assert Book.objects.count() == 2


@pytest.mark.parametrize(
    "content",
    [
        "Title;Author;Price\nL’Étranger;Albert Camus;12,50\n".encode("utf-8-sig"),
        "title\tauthor\tprice\nL’Étranger\tAlbert Camus\t12.50\n".encode("utf-16"),
        "title;author;price\nL’Étranger;Albert Camus;12,50\n".encode("cp1252"),
    ],
)
def test_file_is_read_as_spreadsheets_write_it(staff, content):
    confirm(staff, upload(staff, content))

    assert list(Book.objects.values_list("title", "price")) == [("L’Étranger", Decimal("12.50"))]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "The submitted file is empty."),
        (b"\n", "The file is empty: its first line is to name the columns."),
        (b"title,author,title\nE,J,1\n", "The file has the column &#x27;title&#x27; twice."),
        (b"\x81\x8d\x8f", "The file is neither UTF-8 nor Windows-1252 text"),
        (b"title,author\nEmma,Jane Austen\n", "The file has no column price."),
        (b"title\nEmma\n", "The file has no column author and no column price."),
        (b"x" * 1_500_001, "The file has 1.5 MB, and 1.5 MB are read here"),
    ],
)
def test_file_that_cannot_be_used_is_told_why(staff, content, reason):
    response = upload(staff, content)

    assert response.status_code == 200
    assert reason in response.content.decode()
    assert CONFIRM not in response.content.decode()


def test_file_of_too_many_rows_is_left_to_the_command(staff, monkeypatch):
    monkeypatch.setattr(book_files, "MAX_ROWS", 1)

    response = upload(staff, "title,author,price\nEmma,Austen,1\nPersuasion,Austen,1\n")

    assert "has more than 1 rows" in response.content.decode()
    assert "manage.py import_books" in response.content.decode()


def test_file_that_a_form_cannot_carry_is_left_to_the_command(staff, monkeypatch):
    monkeypatch.setattr(book_files, "MAX_CARRIED", 10)

    response = upload(staff, TWO_BAD_ROWS)

    assert "too large to be carried through a form" in response.content.decode()
    assert CONFIRM not in response.content.decode()


def test_confirmation_of_a_file_that_was_tampered_with_is_refused(staff, emma):
    preview = upload(staff, TWO_BAD_ROWS)
    carried = hidden_fields(preview)["import_file_name"]

    for forged in (carried[:-2], f"x{carried}", "/etc/passwd", "tmp123"):
        response = confirm(staff, preview, import_file_name=forged)

        assert told(response) == [
            "Nothing was imported: The preview is more than an hour old, or was made by somebody else: upload the file "
            "again."
        ]
    assert Book.objects.count() == 1


def test_confirmation_that_names_another_format_reads_the_file_as_it_is(staff):
    preview = upload(staff, TWO_BAD_ROWS)

    for number in ("7", "x", "-1"):
        assert told(confirm(staff, preview, format=number))[0].startswith("Imported: ")


def test_confirmation_after_more_than_an_hour_is_refused(staff, monkeypatch):
    preview = upload(staff, TWO_BAD_ROWS)
    monkeypatch.setattr(book_files, "CARRIED_FOR", timedelta(seconds=-1))

    response = confirm(staff, preview)

    assert "more than an hour old" in told(response)[0]
    assert not Book.objects.exists()


def test_import_that_meets_another_of_the_same_isbn_imports_nothing(staff, monkeypatch):
    preview = upload(staff, TWO_BAD_ROWS)
    known = book_files.BookResource.before_import

    def before_another(self, dataset, **kwargs):
        known(self, dataset, **kwargs)
        BookFactory(title="Persuasion, new edition", isbn="9780141439686")

    monkeypatch.setattr(book_files.BookResource, "before_import", before_another)
    response = confirm(staff, preview)

    assert told(response)[0].startswith("Nothing was imported: Another book has this ISBN already.")
    assert not Book.objects.filter(title="Emma").exists()
    assert not LogEntry.objects.exists()


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_import_waits_for_another_one_so_that_no_book_is_added_twice(staff):
    preview = upload(staff, "title,author,price\nEmma,Jane Austen,9.50\n")
    row = read_row({"title": "Emma", "author": "Jane Austen", "price": "9.50"})

    def load():
        with Loader() as loader:
            loader.load([(2, row)])

    response = answer_beside(load, lambda: confirm(staff, preview))

    assert told(response) == ["Imported: 1 as before."]
    assert Book.objects.count() == 1


@pytest.mark.parametrize("rows", [1, 3])
def test_preview_costs_a_constant_number_of_queries(staff, rows, django_assert_num_queries):
    lines = [f"Volume {number},Jane Austen,1.00,Novel" for number in range(rows)]

    # Session, user; savepoints and their ends; the genres, the one that is missing, the books.
    with django_assert_num_queries(15):
        upload(staff, "title,author,price,genre\n" + "\n".join(lines) + "\n")


def exported(response):
    assert response.status_code == 200
    text = response.content.decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def test_export_has_every_column_that_an_import_reads(staff, emma):
    response = staff.get(EXPORT)

    rows = exported(response)
    assert response["Content-Type"] == "text/csv"
    assert re.search(r'filename="books-\d{4}-\d\d-\d\d.csv"', response["Content-Disposition"])
    assert list(rows[0]) == list(COLUMNS)
    assert rows == [
        {
            "title": "Emma",
            "author": "Jane Austen",
            "price": "9.50",
            "isbn": "9780141439587",
            "genre": "Novel",
            "description": "A clever young woman meddles.",
            "cover_image_url": "https://covers.example/emma.jpg",
            "publish_date": "1815-12-23",
            "stock_quantity": "5",
            "is_active": "yes",
        }
    ]


def test_export_follows_search_and_filters(staff, emma, dracula):
    Book.objects.filter(pk=dracula.pk).update(stock_quantity=0)
    assert [row["title"] for row in exported(staff.get(EXPORT, {"in_stock": "no"}))] == ["Dracula"]
    assert [row["title"] for row in exported(staff.get(EXPORT, {"q": "austen"}))] == ["Emma"]


def test_import_of_an_export_changes_nothing(staff, emma, dracula):
    BookFactory(title='"Quoted", and\nbroken', genre=GenreFactory(name="Café"), is_active=False, description="é; ,")

    response = upload(staff, staff.get(EXPORT).content)

    assert response.context["counts"] == {"new": 0, "update": 0, "invalid": 0}
    assert response.context["same"] == 3


@pytest.mark.parametrize("books", [1, 3])
def test_export_costs_a_constant_number_of_queries(staff, books, django_assert_num_queries):
    for number in range(books):
        BookFactory(genre=GenreFactory(name=f"Shelf {number}"))

    with django_assert_num_queries(4):  # session, user; the genres of the filter; the books with their genres
        assert len(exported(staff.get(EXPORT))) == books


@pytest.mark.postgres
def test_import_locks_the_books_that_it_may_change_and_the_preview_does_not(staff, emma, django_assert_max_num_queries):
    def locked(queries):
        return [query["sql"] for query in queries if "FOR NO KEY UPDATE" in query["sql"] and '"books"' in query["sql"]]

    with django_assert_max_num_queries(30) as looked:
        preview = upload(staff, TWO_BAD_ROWS)
    with django_assert_max_num_queries(60) as done:
        confirm(staff, preview)

    assert locked(looked) == []
    assert len(locked(done)) == 1
