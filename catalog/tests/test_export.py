"""/admin/catalog/book/export/: the books of the list as a file, which changes nothing when it is imported again."""

import csv
import io
import re
import shutil
import subprocess
from datetime import date

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase
from rest_framework.serializers import ValidationError

from catalog import exporting
from catalog.exporting import HEADINGS, csv_lines, each_book, workbook_pieces
from catalog.importing.columns import COLUMNS
from catalog.importing.files import Spreadsheet
from catalog.importing.loader import Loader
from catalog.importing.rows import API_FIELDS, checked
from catalog.importing.spelling import bare, read_text, written
from catalog.models import Book
from catalog.tests.factories import BookFactory, GenreFactory

pytestmark = pytest.mark.django_db

IMPORT = "/admin/catalog/book/import/"
EXPORT = "/admin/catalog/book/export/"


def content_of(response):
    assert response.status_code == 200
    return b"".join(response.streaming_content)


def exported(response):
    return list(csv.DictReader(io.StringIO(content_of(response).decode("utf-8-sig"), newline="")))


def upload(staff, content, name):
    response = staff.post(IMPORT, {"import_file": SimpleUploadedFile(name, content)}, follow=True)
    return {kind: number for kind, number in response.context["counts"].items() if number}


def as_csv(books):
    return "".join(csv_lines(HEADINGS, each_book(books), quote_first=True)).encode()


def as_workbook(books):
    return b"".join(workbook_pieces(each_book(books)))


def outcomes(content):
    """What the rows of a file would do."""
    sheet = Spreadsheet(io.BytesIO(content))
    with Loader(update=True) as loader:
        rows = [(line.number, checked(line)) for line in sheet]
        bad = [fault for _, row in rows for fault in row.faults + row.notes]
        done = bad or [(plan.outcome, plan.changes) for plan in loader.plan(rows)]
    sheet.close()
    return done


def test_export_has_every_column_that_an_import_reads(staff, emma):
    response = staff.get(EXPORT)

    rows = exported(response)
    assert response["Content-Type"] == "text/csv; charset=utf-8"
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
            "popularity": "0",
        }
    ]


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_export_follows_search_and_filters(staff, emma, dracula, kind):
    def titles(**asked):
        sheet = Spreadsheet(io.BytesIO(content_of(staff.get(EXPORT, {"format": kind, **asked}))))
        found = [line.cells["title"] for line in sheet]
        sheet.close()
        return found

    Book.objects.filter(pk=dracula.pk).update(stock_quantity=0)

    assert titles(in_stock="no") == ["Dracula"]
    assert titles(q="austen") == ["Emma"]


def test_export_of_what_no_list_asks_for_leads_to_the_list(staff):
    response = staff.get(EXPORT, {"x": "1"})

    assert (response.status_code, response["Location"]) == (302, "/admin/catalog/book/?e=1")


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_import_of_an_export_changes_nothing(staff, emma, dracula, kind):
    BookFactory(title='"Quoted", and\nbroken', genre=GenreFactory(name="Café"), is_active=False, description="é; ,")
    BookFactory(title="Twice", publish_date=date(1900, 1, 5))
    BookFactory(title="Twice", publish_date=date(1900, 3, 1), stock_quantity=7)

    assert upload(staff, content_of(staff.get(EXPORT, {"format": kind})), f"books.{kind}") == {"same": 5}


def test_export_reads_in_batches_whatever_their_number(staff, monkeypatch, django_assert_num_queries):
    monkeypatch.setattr(exporting, "BATCH", 2)
    for number in range(5):
        BookFactory(genre=GenreFactory(name=f"Shelf {number}"))

    with django_assert_num_queries(4):  # session, user; the genres of the filter, and the list's own keys
        response = staff.get(EXPORT)
    with django_assert_num_queries(3):
        rows = exported(response)

    assert [row["genre"] for row in rows] == [f"Shelf {number}" for number in range(5)]


FORMULAS = [
    "=HYPERLINK(1)",
    "@SUM(1+1)",
    "-2+3",
    "+1",
    "=cmd|' /C calc'!A0",
    "\t=1",
    "＝1",
    "'=1",
    "''=1",
    "'tis",
    '="x"',
    "#N/A",
    "'#DIV/0!",
]


@pytest.mark.parametrize("text", FORMULAS)
def test_what_a_spreadsheet_would_run_leaves_as_text_and_comes_back(text):
    cell = written(text)

    assert cell[0] not in "=+-@\t\r＝＋－＠"
    assert read_text(cell) == text


@pytest.mark.parametrize("text", FORMULAS)
@pytest.mark.parametrize("make", [as_csv, as_workbook])
def test_book_called_like_a_formula_survives_the_round_trip(make, text):
    BookFactory(title=text.strip())

    assert outcomes(make(Book.objects.all())) == [("same", {})]


@pytest.mark.parametrize("text", ["x" * 40_000, "a\ufffe"])
def test_text_no_cell_can_hold_is_not_exported_and_stays(text):
    BookFactory(description=text)

    assert outcomes(as_workbook(Book.objects.all())) == [("same", {})]


ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\ufffe\uffff"), max_size=40)
MARKED = st.text(st.sampled_from("\"',;\t|\r\n\x0b\x1c\x85\u2028=+-@'’ aé5.\ufeff\u200b_x000A"), max_size=30)


def taken(name, text):
    """A text as the API keeps it in this field; None when it refuses it."""
    try:
        return API_FIELDS[name](text)
    except ValidationError:
        return None


@pytest.mark.slow
class TestEveryText(TestCase):
    @given(texts=st.lists(st.tuples(ANY_TEXT | MARKED, ANY_TEXT | MARKED), min_size=1, max_size=4))
    @settings(max_examples=30, deadline=None)
    def test_export_of_any_text_changes_nothing_when_imported(self, texts):
        Book.objects.all().delete()
        for title, description in texts:
            title, description = taken("title", bare(title)), taken("description", description)
            if title and description:
                Book.objects.create(title=title, author="Jane Austen", price="9.99", description=description)
        count = Book.objects.count()
        if not count:
            return

        assert outcomes(as_csv(Book.objects.all())) == [("same", {})] * count
        assert outcomes(as_workbook(Book.objects.all())) == [("same", {})] * count


OFFICE = shutil.which("soffice") or shutil.which("libreoffice")


@pytest.mark.skipif(OFFICE is None, reason="LibreOffice is not installed")
@pytest.mark.slow
def test_workbook_that_libreoffice_saved_changes_nothing(tmp_path, emma, dracula):
    for text in FORMULAS:
        BookFactory(title=text.strip(), publish_date=date(1999, 2, 3))
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "books.xlsx").write_bytes(as_workbook(Book.objects.all()))

    subprocess.run(
        [
            OFFICE,
            f"-env:UserInstallation=file://{tmp_path}/profile",
            "--headless",
            "--convert-to",
            "xlsx",
            "--outdir",
            str(tmp_path),
            str(tmp_path / "in" / "books.xlsx"),
        ],
        check=True,
        capture_output=True,
        timeout=120,
    )

    assert outcomes((tmp_path / "books.xlsx").read_bytes()) == [("same", {})] * Book.objects.count()


def test_workbook_of_too_many_books_is_left_to_csv(staff, emma, dracula, monkeypatch):
    monkeypatch.setattr("catalog.admin.book_exports.MAX_WORKBOOK", 1)

    response = staff.get(EXPORT, {"format": "xlsx"}, follow=True)

    assert [str(message) for message in response.context["messages"]] == [
        "These are more than 1 books: export them as CSV, or choose fewer by a filter."
    ]


def test_workbook_gives_the_slot_back_after_each_batch(monkeypatch):
    monkeypatch.setattr(exporting, "BATCH", 2)

    pieces = list(workbook_pieces([(title, "Ann", 5) for title in "ABCDE"]))

    assert ([bool(piece) for piece in pieces][:3], len(pieces)) == ([False, False, True], 3)
