"""Excel workbooks as files of books: the values of cells, and refused files."""

import zipfile
from datetime import date, datetime
from decimal import Decimal
from io import BytesIO

import pytest
from xlsxwriter import Workbook

from catalog.importing import read_workbook
from catalog.importing.encodings import Unreadable
from catalog.importing.files import Spreadsheet
from catalog.importing.rows import FAILED_FORMULA, Fault, checked

HEAD = ("title", "author", "price", "isbn", "publish_date", "stock_quantity", "is_active")


def workbook(*rows, sheets=("Books",), head=HEAD, above=0):
    file = BytesIO()
    book = Workbook(file)
    day = book.add_format({"num_format": "dd.mm.yyyy"})
    for name in sheets:
        sheet = book.add_worksheet(name)
    for number, row in enumerate([head, *rows], start=above):
        for place, value in enumerate(row):
            if isinstance(value, date):
                sheet.write_datetime(number, place, value, day)
            elif value is not None:
                sheet.write(number, place, value)
    book.close()
    return file.getvalue()


def rows_of(content):
    sheet = Spreadsheet(BytesIO(content))
    rows = [(line.number, checked(line)) for line in sheet]
    sheet.close()
    return rows


def test_cells_are_read_as_what_they_are_in_the_sheet():
    [(number, row)] = rows_of(
        workbook(("Emma", "Jane Austen", 12.950000000000001, 9780141439587, datetime(2008, 5, 1), 1000, True))
    )

    assert (number, row.faults, row.notes) == (2, [], [])
    assert row.fields == {
        "title": "Emma",
        "author": "Jane Austen",
        "price": Decimal("12.95"),
        "isbn": "9780141439587",
        "publish_date": date(2008, 5, 1),
        "stock_quantity": 1000,
        "is_active": True,
    }


@pytest.mark.parametrize(
    ("number", "shown_as"), [(9780141439587, "[h]:mm"), (-1e300, "[h]:mm"), (-1e300, "dd.mm.yyyy")]
)
def test_a_number_that_no_time_can_be_costs_its_row_only(number, shown_as):
    file = BytesIO()
    book = Workbook(file)
    sheet = book.add_worksheet()
    for place, row in enumerate(
        [("title", "author", "price"), *(("Emma", "Jane Austen", price) for price in (1, 2, 3))]
    ):
        sheet.write_row(place, 0, row)
    sheet.write_number(2, 2, number, book.add_format({"num_format": shown_as}))
    book.close()

    rows = rows_of(file.getvalue())

    told = "A cell has the format of a time, and a number too large for one: give it another format in the sheet."
    assert [(line, row.fields.get("price"), [fault.reason for fault in row.faults]) for line, row in rows] == [
        (2, Decimal("1.00"), []),
        (3, None, [told]),
        (4, Decimal("3.00"), []),
    ]


@pytest.mark.parametrize(
    ("column", "value", "field"),
    [
        ("title", 1984, "1984"),
        ("isbn", 141439580, "9780141439587"),
        ("isbn", "978-0-14-143958-7", "9780141439587"),
        ("publish_date", 1813, date(1813, 1, 1)),
        ("publish_date", "28.01.1813", date(1813, 1, 28)),
        ("price", 1234.5, Decimal("1234.50")),
        ("stock_quantity", 1.0, 1),
        ("is_active", "x", True),
    ],
)
def test_number_or_text_in_a_cell_means_the_same(column, value, field):
    cells = {"title": "Emma", "author": "Jane Austen", "price": 12.5} | {column: value}

    [(_, row)] = rows_of(workbook(tuple(cells.values()), head=tuple(cells)))

    assert (row.faults, row.fields[column]) == ([], field)


@pytest.mark.parametrize("above", [0, 3])
def test_cell_whose_formula_failed_is_no_empty_cell(above):
    file = BytesIO()
    book = Workbook(file)
    book.add_worksheet("Empty")
    sheet = book.add_worksheet("Books & more")
    sheet.write_row(above, above, ("title", "author", "price", "stock_quantity"))
    sheet.write_row(above + 1, above, ("Emma", "Jane Austen", 12.5))
    sheet.write_formula(above + 1, above + 3, "=1/0", None, "#DIV/0!")
    book.close()

    [(_, row)] = rows_of(file.getvalue())

    assert (row.faults, row.notes) == ([], [Fault("stock_quantity", "#DIV/0!", FAILED_FORMULA)])


def test_price_of_three_places_is_no_thousand_in_a_sheet():
    [(_, row)] = rows_of(workbook(("Emma", "Jane Austen", 1.234)))

    assert [fault.reason for fault in row.faults] == ["Write at most 2 places after the point."]


def test_rows_above_the_headings_and_empty_ones_are_passed_over():
    rows = rows_of(workbook(("Emma", "Jane Austen", 1), (), ("It", "King", 2), above=3))

    assert [(number, row.fields["title"]) for number, row in rows] == [(5, "Emma"), (7, "It")]


def test_first_sheet_that_has_rows_is_read_and_the_others_are_named():
    sheet = Spreadsheet(BytesIO(workbook(("Emma", "Jane Austen", 1), sheets=("Notes", "Books"))))

    assert (str(sheet), [line.cells["title"] for line in sheet]) == (
        "Excel workbook, sheet “Books” (not read: Notes)",
        ["Emma"],
    )
    sheet.close()


def packed(**parts):
    file = BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as book:
        for name, content in {"xl/workbook.xml": "<workbook/>"}.items() | parts.items():
            book.writestr(name, content)
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (workbook(head=()), "is empty: its first row is to name the columns"),
        (packed(), "cannot be read as an Excel workbook"),
        (
            packed(**{"xl/worksheets/sheet1.xml": '<c r="A1"/><c r="XFD1048576"/>'}),
            "has a cell in row 1,048,576, column 16,384: delete the empty rows and columns",
        ),
        (workbook(("Emma", "Jane Austen", 1))[:-200], "is a damaged workbook, or a damaged ZIP archive"),
    ],
    ids=["empty", "no sheets", "far cell", "damaged"],
)
def test_workbook_that_cannot_be_read_is_told_why(content, reason):
    with pytest.raises(Unreadable, match=reason):
        rows_of(content)


def test_workbook_that_unpacks_to_too_much_is_refused(monkeypatch, tmp_path):
    monkeypatch.setattr(read_workbook, "MAX_UNPACKED", 1_000_000)
    (tmp_path / "bomb.xlsx").write_bytes(packed(**{"xl/big": b"\0" * 1_000_001}))

    with pytest.raises(read_workbook.Refused, match="becomes larger than 1 MB when it is unpacked"):
        read_workbook.check(str(tmp_path / "bomb.xlsx"))
