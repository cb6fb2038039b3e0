"""What a row of a spreadsheet says about a book: the cells that are taken, refused, or left out."""

from datetime import date
from decimal import Decimal

import pytest

from catalog.importing.rows import COLUMNS, Fault, column_name, missing_columns, read_row

EMMA = {"title": "Emma", "author": "Jane Austen", "price": "12.50"}


def test_a_full_row_is_read_into_the_fields_of_a_book():
    row = read_row(
        EMMA
        | {
            "isbn": "0-14-143958-0",
            "genre": "Novel",
            "description": "Misreads everyone.",
            "cover_image_url": "https://covers.example/emma.jpg",
            "publish_date": "1815-12-23",
            "stock_quantity": "29",
            "is_active": "no",
        }
    )

    assert (row.faults, row.notes) == ([], [])
    assert row.fields == {
        "title": "Emma",
        "author": "Jane Austen",
        "price": Decimal("12.50"),
        "isbn": "9780141439587",
        "genre": "Novel",
        "description": "Misreads everyone.",
        "cover_image_url": "https://covers.example/emma.jpg",
        "publish_date": date(1815, 12, 23),
        "stock_quantity": 29,
        "is_active": False,
    }
    assert list(row.fields) == list(COLUMNS)


def test_empty_cells_and_unknown_columns_say_nothing():
    row = read_row(EMMA | {"isbn": "", "genre": "  ", "stock_quantity": None, "shelf": "B7"})

    assert row.faults == []
    assert row.fields == {"title": "Emma", "author": "Jane Austen", "price": Decimal("12.50")}


def test_every_fault_of_a_row_is_told():
    row = read_row({"title": " ", "author": "Jane Austen", "price": "free", "stock_quantity": "-1"})

    assert row.faults == [
        Fault("title", "", "Every book needs one, and the cell is empty."),
        Fault("price", "free", "A valid number is required."),
        Fault("stock_quantity", "-1", "A valid integer is required."),
    ]


@pytest.mark.parametrize(
    ("column", "text", "value"),
    [
        ("title", "  Emma ", "Emma"),
        ("price", "7", Decimal("7.00")),
        ("isbn", "978-0-14-143958-7", "9780141439587"),
        ("isbn", "141439580", "9780141439587"),
        ("isbn", "080442957X", "9780804429573"),
        ("isbn", "80442957X", "9780804429573"),
        ("publish_date", "1815", date(1815, 1, 1)),
        ("publish_date", "8", date(8, 1, 1)),
        ("publish_date", "23.12.1815", date(1815, 12, 23)),
        ("publish_date", "3.2.1815", date(1815, 2, 3)),
        ("stock_quantity", "007", 7),
        ("is_active", "TRUE", True),
        ("is_active", "0", False),
    ],
)
def test_a_spreadsheets_spelling_is_understood(column, text, value):
    row = read_row(EMMA | {column: text})

    assert row.faults == []
    assert row.fields[column] == value


@pytest.mark.parametrize(
    ("column", "text", "reason"),
    [
        ("title", "E" * 501, "Ensure this field has no more than 500 characters."),
        ("title", "Em\0ma", "Null characters are not allowed."),
        ("author", "A" * 256, "Ensure this field has no more than 255 characters."),
        ("price", "0", "Ensure this value is greater than or equal to 0.01."),
        ("price", "12,50", "A valid number is required."),
        ("price", "12.505", "Ensure that there are no more than 2 decimal places."),
        ("price", "$12.50", "A valid number is required."),
        ("price", "NaN", "A valid number is required."),
        ("price", "1e2", "A valid number is required."),
        ("price", "123456789.00", "Ensure that there are no more than 10 digits in total."),
        (
            "isbn",
            "0141439589",
            "This is no ISBN-10 or ISBN-13: look at its digits again, the last one checks the others.",
        ),
        (
            "isbn",
            "9.78014E+12",
            "The spreadsheet has turned the ISBN into a rounded number: make the column text, and fill it again.",
        ),
        ("genre", "G" * 101, "Ensure this field has no more than 100 characters."),
        ("cover_image_url", "javascript:alert(1)", "Enter a valid URL."),
        ("publish_date", "1815-02-30", "Date has wrong format. Use one of these formats instead: YYYY-MM-DD."),
        ("publish_date", "12/23/1815", "Date has wrong format. Use one of these formats instead: YYYY-MM-DD."),
        ("stock_quantity", "2147483648", "Ensure this value is less than or equal to 2147483647."),
        ("stock_quantity", "1.5", "A valid integer is required."),
        ("is_active", "perhaps", "Write yes or no."),
    ],
)
def test_a_cell_that_cannot_be_used_is_refused_with_its_reason(column, text, reason):
    row = read_row(EMMA | {column: text})

    assert row.faults == [Fault(column, text if len(text) <= 120 else f"{text[:119]}…", reason)]


@pytest.mark.parametrize("text", ["-750", "-0750-01-01", "750 BC", "44 b.c.", "0", "0000"])
def test_a_date_before_the_year_1_is_left_out_and_told(text):
    row = read_row(EMMA | {"publish_date": text})

    assert row.faults == []
    assert "publish_date" not in row.fields
    assert row.notes == [
        Fault("publish_date", text, "A date before the year 1 cannot be kept: the book is taken without one.")
    ]


def test_a_price_has_a_decimal_comma_where_the_file_has_them():
    assert read_row(EMMA | {"price": "12,5"}, decimal_comma=True).fields["price"] == Decimal("12.50")
    assert read_row(EMMA | {"price": "12.50"}, decimal_comma=True).fields["price"] == Decimal("12.50")
    assert read_row(EMMA | {"price": "1.234,50"}, decimal_comma=True).faults == [
        Fault("price", "1.234,50", "A valid number is required.")
    ]


def test_a_book_is_told_by_its_isbn_or_else_by_author_and_title():
    with_isbn = read_row(EMMA | {"isbn": "0141439580"})
    other_spelling = read_row(EMMA | {"isbn": "978-0141439587", "title": "EMMA, a novel"})
    without = read_row(EMMA)
    shouted = read_row(EMMA | {"title": "ÉMMA"})

    assert with_isbn.identity == other_spelling.identity == ("9780141439587",)
    assert without.identity == shouted.identity == ("emma", "jane austen")
    assert read_row(EMMA | {"title": "C"}).identity != read_row(EMMA | {"title": "C++"}).identity


def test_headings_are_columns_in_any_usual_spelling():
    assert [column_name(heading) for heading in ["Publish Date", " ISBN ", "stock-quantity"]] == [
        "publish_date",
        "isbn",
        "stock_quantity",
    ]
    assert missing_columns(["isbn", "author"]) == ["title", "price"]
