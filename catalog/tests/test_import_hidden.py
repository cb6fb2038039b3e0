"""Rows and columns that an Excel sheet hides, by a filter say: they are read, and told."""

import csv
import zipfile
from io import BytesIO, StringIO

import pytest
from django.core.management import call_command
from xlsxwriter import Workbook

from catalog.importing.files import Spreadsheet
from catalog.importing.read_workbook import MOST_COLUMNS, Marks
from catalog.models import Book
from catalog.tests.import_pages import upload

pytestmark = pytest.mark.django_db


def filtered(rows=4, hidden=(), columns=(), empty=()):
    """A workbook with books in the lines from 2; these lines and columns are hidden, and these lines are empty."""
    file = BytesIO()
    book = Workbook(file)
    sheet = book.add_worksheet("Books")
    sheet.write_row(0, 0, ("title", "author", "price", "shelf"))
    for line in range(2, rows + 2):
        if line not in empty:
            sheet.write_row(line - 1, 0, (f"Volume {line}", "Jane Austen", 5, "B7"))
    for line in hidden:
        sheet.set_row(line - 1, None, None, {"hidden": True})
    for column in columns:
        sheet.set_column(column, None, None, {"hidden": True})
    book.close()
    return file.getvalue()


def hidden_of(content):
    sheet = Spreadsheet(BytesIO(content))
    rows = list(sheet)
    sheet.close()
    return len(rows), sheet.hidden


@pytest.mark.parametrize(
    ("marks", "told"),
    [
        ({}, ""),
        ({"hidden": (3, 5)}, "rows: 2 (line 3, 5)"),
        ({"columns": ("C:C",)}, "the column “price”"),
        ({"columns": ("A:B", "D:D")}, "the column “title”; the column “author”"),
        ({"hidden": (2,), "columns": ("B:C",)}, "rows: 1 (line 2); the column “author”; the column “price”"),
    ],
)
def test_hidden_rows_and_columns_are_read_and_told(marks, told):
    assert hidden_of(filtered(**marks)) == (4, told)


def test_hidden_row_without_a_book_is_not_told():
    assert hidden_of(filtered(hidden=(3, 9), empty=(3,))) == (3, "")


@pytest.mark.any_database
def test_of_many_hidden_rows_the_first_are_named():
    rows, told = hidden_of(filtered(rows=2_000, hidden=range(100, 1_400)))

    assert (rows, told) == (2_000, "rows: 1,300 (line 100, 101, 102, 103, 104, 105, 106, 107, 108, 109 …)")


@pytest.mark.slow
@pytest.mark.any_database
def test_hidden_rows_are_found_in_a_sheet_of_several_pieces():
    content = filtered(rows=30_000, hidden=range(2, 30_002))

    with zipfile.ZipFile(BytesIO(content)) as parts:
        assert parts.getinfo("xl/worksheets/sheet1.xml").file_size > 3_000_000
    assert hidden_of(content)[1].startswith("rows: 30,000 (")


def test_marks_as_other_programs_write_them_are_found():
    """LibreOffice writes true, and some programs a prefix."""
    changed = BytesIO()
    with zipfile.ZipFile(BytesIO(filtered(hidden=(3,)))) as parts, zipfile.ZipFile(changed, "w") as copy:
        for part in parts.infolist():
            content = parts.read(part)
            if part.filename == "xl/worksheets/sheet1.xml":
                content = content.replace(b'hidden="1"', b"hidden='true'")
                assert b"hidden='true'" in content
            copy.writestr(part, content)

    assert hidden_of(changed.getvalue()) == (4, "rows: 1 (line 3)")


def test_ranges_of_hidden_columns_that_overlap_cost_no_more_than_a_sheet():
    marks = Marks()

    for _ in range(1_000):
        marks.hide(b"col", b'min="1" max="9999999" hidden="1"')

    assert (len(marks.hidden_columns), marks.more_columns) == (MOST_COLUMNS, 0)


def test_preview_tells_what_the_sheet_hides(staff):
    page = upload(staff, filtered(hidden=(3,), columns=("C:C",)), name="books.xlsx").content.decode()

    assert "read all the same: rows: 1 (line 3); the column “price”." in page


def test_command_tells_what_the_sheet_hides_and_reports_each_row(tmp_path):
    path, report, output = tmp_path / "books.xlsx", tmp_path / "report.csv", StringIO()
    path.write_bytes(filtered(hidden=(3, 4)))

    call_command("import_books", str(path), "--report", str(report), stdout=output)

    assert "Hidden in the sheet, and read all the same: rows: 2 (line 3, 4).\n" in output.getvalue()
    reason = "The row is hidden in the sheet, by a filter say, and is read all the same."
    with report.open(encoding="utf-8-sig", newline="") as written:
        assert list(csv.reader(written))[1:] == [["3", "hidden", "row", "", reason], ["4", "hidden", "row", "", reason]]
    assert Book.objects.count() == 4
