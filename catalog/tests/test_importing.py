"""Parsing of a row into a book: cells that are taken, refused or left out."""

from datetime import date
from decimal import Decimal

import pytest

from catalog.importing.columns import COLUMNS
from catalog.importing.rows import Fault, read_row

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
            "popularity": "1,234,567",
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
        "popularity": 1_234_567,
    }
    assert list(row.fields) == list(COLUMNS)


def test_empty_cells_and_unknown_columns_say_nothing():
    row = read_row(EMMA | {"isbn": "", "genre": "  ", "stock_quantity": None, "shelf": "B7"})

    assert row.faults == []
    assert row.fields == {"title": "Emma", "author": "Jane Austen", "price": Decimal("12.50")}


def test_every_fault_of_a_row_is_told():
    row = read_row({"title": " ", "author": "A" * 256, "price": "free"})

    assert row.faults == [
        Fault("title", "", "Every book needs one, and the cell is empty."),
        Fault("author", f"{'A' * 119}…", "At most 255 characters fit."),
        Fault("price", "free", "This is no price: write it as 12.50."),
    ]


@pytest.mark.parametrize("column", ["isbn", "genre", "cover_image_url", "publish_date", "stock_quantity", "is_active"])
def test_optional_cell_that_cannot_be_read_is_left_out_and_told(column):
    row = read_row(EMMA | {column: "?!" * 60})

    assert (row.faults, [note.column for note in row.notes]) == ([], [column])
    assert row.fields == {"title": "Emma", "author": "Jane Austen", "price": Decimal("12.50")}


@pytest.mark.parametrize("column", ["isbn", "genre", "cover_image_url", "publish_date", "stock_quantity", "is_active"])
def test_strict_refuses_the_row_for_an_optional_cell(column):
    row = read_row(EMMA | {column: "?!" * 60}, strict=True)

    assert ([fault.column for fault in row.faults], row.notes) == ([column], [])


@pytest.mark.parametrize("word", ["NULL", "null", "n/a", "N/A", "-", "–", r"\N"])
@pytest.mark.parametrize("column", [name for name in COLUMNS if name not in {"title", "author", "price"}])
def test_words_for_not_known_say_nothing(column, word):
    row = read_row(EMMA | {column: word})

    assert (row.faults, row.notes, column in row.fields) == ([], [], False)


@pytest.mark.parametrize("shown", ["#DIV/0!", "#N/A", "#NV", "#WERT!", "#¡REF!", "Err:502", " #ref! "])
def test_failed_formula_is_no_empty_cell(shown):
    row = read_row(EMMA | {"price": shown, "isbn": shown})

    reason = "A formula of the spreadsheet failed in this cell: correct it there, or empty the cell."
    assert [(fault.column, fault.reason) for fault in (*row.faults, *row.notes)] == [
        ("price", reason),
        ("isbn", reason),
    ]
    assert row.unread_isbn == shown.strip()


@pytest.mark.parametrize("word", ["NULL", "n/a", "-", "None", "?"])
def test_a_book_can_be_called_like_a_word_for_not_known(word):
    row = read_row(EMMA | {"title": word, "author": word})

    assert (row.fields["title"], row.fields["author"]) == (word, word)


@pytest.mark.parametrize(
    ("column", "text", "reason"),
    [
        ("title", "E" * 501, "At most 500 characters fit."),
        ("title", "Em\0ma", "It has a character that no text can have (NUL): remove that."),
        ("author", "A" * 256, "At most 255 characters fit."),
        ("price", "0", "The least is 0.01."),
        ("price", "12.5055", "Write at most 2 places after the point."),
        ("price", "0.333333333333333", "Write at most 2 places after the point."),
        ("price", "123456789.00", "This number has too many digits."),
        ("price", "9" * 26, "This number has too many digits."),
        ("price", "9" * 27, "This is no price: write it as 12.50."),
        ("price", "9780141439587" * 3, "This is no price: write it as 12.50."),
        ("price", "NULL", "Every book needs one, and the cell is empty."),
    ],
)
def test_needed_cell_that_cannot_be_used_refuses_the_row(column, text, reason):
    row = read_row(EMMA | {column: text})

    assert [fault.reason for fault in row.faults] == [reason]


def test_a_book_is_told_by_its_isbn_or_else_by_author_and_title():
    with_isbn = read_row(EMMA | {"isbn": "0141439580"})
    other_spelling = read_row(EMMA | {"isbn": "978-0141439587", "title": "EMMA, a novel"})
    without = read_row(EMMA)
    shouted = read_row(EMMA | {"title": "ÉMMA"})

    assert with_isbn.identity == other_spelling.identity == ("9780141439587",)
    assert without.identity == shouted.identity == ("emma", "jane austen")
    assert read_row(EMMA | {"title": "C"}).identity != read_row(EMMA | {"title": "C++"}).identity


@pytest.mark.parametrize(
    "titles",
    [("ハス", "バス", "パス"), ("Мой дом", "Мои дом"), ("ไม้", "ไม่"), ("क्या", "कया")],
    ids=["Japanese", "Russian", "Thai", "Hindi"],
)
def test_books_whose_names_differ_by_a_letter_are_different(titles):
    identities = {read_row(EMMA | {"title": title}).identity for title in titles}

    assert len(identities) == len(titles)
