"""Parsing of cells as people and spreadsheets write them: money, copies, ISBNs, dates, yes and no."""

from datetime import date
from decimal import Decimal

import pytest

from catalog.importing.dates import date_of
from catalog.importing.money import CellError, amount_of
from catalog.importing.rows import could_be, read_row

EMMA = {"title": "Emma", "author": "Jane Austen", "price": "12.50"}


@pytest.fixture(autouse=True)
def sells_in_euros(settings):
    settings.SHOP_CURRENCY = "EUR"


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        *[
            ("12.50", "12.50"),
            ("12,50", "12.50"),
            ("12.5", "12.50"),
            ("12,5", "12.50"),
            ("12", "12.00"),
            ("+12", "12.00"),
        ],
        *[("€12.50", "12.50"), ("12,50 €", "12.50"), ("12.50 EUR", "12.50"), ("EUR 12", "12.00"), ("12 Euro", "12.00")],
        *[("1.250,00", "1250.00"), ("1,250.00", "1250.00"), ("1 250,00", "1250.00"), ("1'250.00", "1250.00")],
        *[("1\xa0250,00\u202f€", "1250.00"), ("1’250.50", "1250.50"), ("1.250.000,00", "1250000.00")],
        *[("1,250,000", "1250000.00"), ("12.9500", "12.95"), ("12,9500", "12.95"), (".99", "0.99"), ("0,99", "0.99")],
        *[
            ("12.-", "12.00"),
            ("12,–", "12.00"),
            ("0.500", "0.50"),
            ("1250.500", "1250.50"),
            ("１２．５０".replace("．", "."), "12.50"),
        ],
        *[("\u200e12.50", "12.50"), ("12.", "12.00"), ("١٢", "12.00")],
    ],
)
def test_price_is_read_as_people_write_it(text, amount):
    assert read_row(EMMA | {"price": text}).fields["price"] == Decimal(amount)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        *[
            (text, "This is no price: write it as 12.50.")
            for text in ("free", "12.50-", "-12", "1e2", "NaN", "12..5", "1 2")
        ],
        *[
            (text, "This is no price: write it as 12.50.")
            for text in ("12.50.10", "€", "12²", "½", "about 12", "12/50")
        ],
        ("1.250", "This can mean 1.250 or 1250: write 1250 or 1.25."),
        ("12,500", "This can mean 12.500 or 12500: write 12500 or 12.50."),
        *[
            (text, "The price is not in EUR, which the shop sells in: write the amount in EUR alone.")
            for text in ("$12", "USD 12", "12 £", "12.50 zł", "CHF 12.-")
        ],
    ],
)
def test_price_that_can_mean_something_else_is_refused(text, reason):
    with pytest.raises(CellError) as caught:
        amount_of(text, "EUR")

    assert str(caught.value) == reason


@pytest.mark.parametrize(
    ("price", "text", "copies"),
    [
        *[
            ("12.50", "7", 7),
            ("12.50", "007", 7),
            ("12.50", "12 copies", 12),
            ("12.50", "12 Stk.", 12),
            ("12.50", "12.0", 12),
        ],
        *[("12,50", "1.000", 1000), ("12,50", "1.000 copies", 1000), ("12.50", "1,000", 1000), ("12.50", "1.000", 1)],
        *[("12,50", "1,000", 1), ("12", "1,000,000", 1_000_000), ("12", "1 000", 1000), ("12", "1.000", None)],
        *[("12", "1.5", None), ("12", "-1", None), ("12", "> 5", None), ("12", "5+", None), ("12", "many", None)],
        ("12", "2147483648", None),
    ],
)
def test_copies_are_read_with_the_decimal_mark_of_the_price(price, text, copies):
    row = read_row(EMMA | {"price": price, "stock_quantity": text})

    assert (row.faults, row.fields.get("stock_quantity")) == ([], copies)
    assert [note.column for note in row.notes] == ["stock_quantity"] * (copies is None)


@pytest.mark.parametrize(
    ("text", "isbn"),
    [
        *[("978-0-14-143958-7", "9780141439587"), ("0141439580", "9780141439587"), ("141439580", "9780141439587")],
        *[("080442957X", "9780804429573"), ("80442957X", "9780804429573"), ("978–0–14–143958–7", "9780141439587")],
        *[
            ('="9780141439587"', "9780141439587"),
            ('="0141439580"', "9780141439587"),
            ("'9780141439587", "9780141439587"),
        ],
        *[("ISBN 978-0-14-143958-7", "9780141439587"), ("ISBN-13: 9780141439587", "9780141439587")],
        *[
            ("isbn:0141439580", "9780141439587"),
            ("EAN 9780141439587", "9780141439587"),
            ("9780141439587.0", "9780141439587"),
        ],
        *[("\u200e9780141439587\ufeff", "9780141439587"), ("978 0 14 143958 7", "9780141439587")],
        *[
            ("9780141439587 (pbk.)", "9780141439587"),
            ("9.780141439587E+12", "9780141439587"),
            ("9780141439587.", "9780141439587"),
        ],
        *[
            ("9\u200b780141439587", "9780141439587"),
            ("9780141\xad439587", "9780141439587"),
            ("978\xa00141439587", "9780141439587"),
        ],
        *[('=""', None), ("0", None), ("0000000000", None), ("-", None), ("", None)],
    ],
)
def test_isbn_is_read_as_spreadsheets_write_it(text, isbn):
    row = read_row(EMMA | {"isbn": text})

    assert (row.faults, row.notes, row.fields.get("isbn")) == ([], [], isbn)


@pytest.mark.parametrize("text", ["9780141439581", "123", "9.78014E+12", "9,78014E+12", "978014143958", "see below"])
def test_isbn_that_cannot_be_read_is_remembered_as_written(text):
    row = read_row(EMMA | {"isbn": text})

    assert (row.faults, "isbn" in row.fields, row.unread_isbn) == ([], False, text)


@pytest.mark.parametrize(
    ("unread", "possible"),
    [("9.78014E+12", True), ("9,78014E+12", True), ("1.4144E+8", True), ("9.78015E+12", False), ("123", False)],
)
def test_rounded_isbn_can_be_the_one_that_it_was(unread, possible):
    assert could_be("9780141439587", unread) is possible


@pytest.mark.parametrize(
    ("text", "day"),
    [
        *[
            ("1815-12-23", date(1815, 12, 23)),
            ("1813", date(1813, 1, 1)),
            ("8", date(8, 1, 1)),
            ("28.01.1813", date(1813, 1, 28)),
        ],
        *[("3.2.1815", date(1815, 2, 3)), ("2008/05/01", date(2008, 5, 1)), ("20080501", date(2008, 5, 1))],
        *[
            ("2008-5-1", date(2008, 5, 1)),
            ("2008-05-01T00:00:00Z", date(2008, 5, 1)),
            ("2008-05-01 00:00:00", date(2008, 5, 1)),
        ],
        *[
            ("May 1999", date(1999, 5, 1)),
            ("1999-05", date(1999, 5, 1)),
            ("05/1999", date(1999, 5, 1)),
            ("c1999", date(1999, 1, 1)),
        ],
        *[
            ("[1999]", date(1999, 1, 1)),
            ("1999?", date(1999, 1, 1)),
            ("ca. 1999", date(1999, 1, 1)),
            ("©1999", date(1999, 1, 1)),
        ],
        *[("1 May 2008", date(2008, 5, 1)), ("May 1st, 2008", date(2008, 5, 1)), ("1. Mai 2008", date(2008, 5, 1))],
        *[("1er mai 2008", date(2008, 5, 1)), ("März 1999", date(1999, 3, 1)), ("1 de mayo de 2008", date(2008, 5, 1))],
        *[("1 мая 2008 г.", date(2008, 5, 1)), ("2008年5月1日", date(2008, 5, 1)), ("12/23/1815", date(1815, 12, 23))],
        *[("23/12/1815", date(1815, 12, 23)), ("5/5/2008", date(2008, 5, 5)), ("2008-00-00", date(2008, 1, 1))],
        *[
            ("0000-00-00", None),
            ("00.00.0000", None),
            ("01-May-2008", date(2008, 5, 1)),
            ("12/23/1815 12:00 AM", date(1815, 12, 23)),
        ],
    ],
)
def test_date_is_read_as_people_write_it(text, day):
    row = read_row(EMMA | {"publish_date": text})

    assert (row.notes, row.fields.get("publish_date")) == ([], day)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (
            "12/11/1999",
            "This can mean 1999-11-12 or 1999-12-11: write it as one of these, or say which comes first, the day or "
            "the month.",
        ),
        *[
            (text, "The year has two digits only: write all four.")
            for text in ("01.05.08", "5/1/08", "May '08", "1 May 08")
        ],
        *[
            (text, "There is no such day: write it as 2008-05-01.")
            for text in ("1815-02-30", "31.04.2008", "2008-13-01")
        ],
        *[
            (text, "This is no date: write it as 2008-05-01, 01.05.2008, or the year alone.")
            for text in ("soon", "39569")
        ],
        *[
            (text, "A date before the year 1 cannot be kept: the book is taken without one.")
            for text in ("-750", "-0750-01-01", "750 BC", "44 b.c.", "0", "0000", "350 v. Chr.")
        ],
    ],
)
def test_date_that_cannot_be_read_is_left_out_with_the_reason(text, reason):
    row = read_row(EMMA | {"publish_date": text})

    assert (row.faults, [note.reason for note in row.notes]) == ([], [reason])


def test_ambiguous_date_is_read_as_somebody_said():
    assert date_of("12/11/1999", "day-first") == date(1999, 11, 12)
    assert date_of("12/11/1999", "month-first") == date(1999, 12, 11)
    assert date_of("13/11/1999", "month-first") == date(1999, 11, 13)


@pytest.mark.parametrize("text", ["yes", "TRUE", "1", "x", "on", "ja", "WAHR", "oui", "vrai", "sí", "да", "✓"])
def test_words_for_yes(text):
    assert read_row(EMMA | {"is_active": text}).fields["is_active"] is True


@pytest.mark.parametrize("text", ["no", "FALSE", "0", "off", "nein", "FALSCH", "non", "faux", "não", "нет"])
def test_words_for_no(text):
    assert read_row(EMMA | {"is_active": text}).fields["is_active"] is False
