"""What one row of a spreadsheet says about a book. `manage.py import_books` and the admin's import both ask here.

A cell meets the API's rules for the same field, by the same serializer; only the spelling is a spreadsheet's:
`12,50`, `1965`, `yes`. Nothing here reads a database.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

from rest_framework import serializers

from catalog.folding import same_name
from catalog.serializers import BookCreateSerializer, GenreCreateSerializer

# What each column is, in the order of a file that is written by hand.
COLUMNS: dict[str, str] = {
    "title": "1 to 500 characters",
    "author": "1 to 255 characters",
    "price": "above 0, at most two places: 12.50, or 12,50 where the columns are not separated by commas",
    "isbn": "ISBN-10 or ISBN-13, hyphens allowed; one book has one",
    "genre": "its name; one that is not there yet is made",
    "description": "any text",
    "cover_image_url": "an http or https address",
    "publish_date": "2008-05-01, 01.05.2008, or a year alone; before the year 1 it is left out",
    "stock_quantity": "copies, a whole number from 0; 0 for a new book",
    "is_active": "on sale: yes or no; yes for a new book",
}
REQUIRED = ("title", "author", "price")
MAX_SHOWN = 120  # characters of a refused value that are repeated

YEAR = re.compile(r"[0-9]{1,4}", re.ASCII)
BEFORE_CHRIST = re.compile(r"-[0-9]{1,6}(-[0-9]{2}-[0-9]{2})?|[0-9]{1,6} ?(BC|BCE|B\.C\.)", re.ASCII | re.IGNORECASE)
DOTTED_DATE = re.compile(r"([0-9]{1,2})\.([0-9]{1,2})\.([0-9]{4})", re.ASCII)
DECIMAL_COMMA = re.compile(r"([0-9]+),([0-9]+)", re.ASCII)
ROUNDED = re.compile(r"[0-9][.,][0-9]+E\+[0-9]+", re.ASCII | re.IGNORECASE)
WITHOUT_ZEROS = re.compile(r"[0-9]{6,8}[0-9X]", re.ASCII)
FLAGS = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}


class Fault(NamedTuple):
    """One cell that cannot be used, and why, worded for a person."""

    column: str
    value: str
    reason: str


@dataclass(slots=True)
class Row:
    """What a row says. With faults it is refused; what was merely left out of it is told in the notes.

    `fields` has the cells that are not empty, under the names of the model's fields, and the genre as the name that was
    written. An empty cell says nothing: a new book gets the default, a book that is there keeps what it has.
    """

    fields: dict[str, Any] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    notes: list[Fault] = field(default_factory=list)

    @property
    def identity(self) -> tuple[str, ...]:
        """What tells it from other books: its ISBN; without one title and author, whatever their case and accents."""
        isbn = self.fields.get("isbn")
        return (isbn,) if isbn else same_book(self.fields["title"], self.fields["author"])


def same_book(title: str, author: str) -> tuple[str, str]:
    """What two books without ISBN have in common that are the same one."""
    return same_name(title), same_name(author)


def column_name(heading: str) -> str:
    """A heading as a column's name: "Publish date " is `publish_date`."""
    return "_".join(heading.strip().lower().replace("-", " ").split())


def missing_columns(columns: Iterable[str]) -> list[str]:
    """The required columns that are not among these."""
    present = set(columns)
    return [name for name in REQUIRED if name not in present]


def read_row(cells: Mapping[str, str | None], *, decimal_comma: bool = False) -> Row:
    """What a row says, by the names of its columns; columns that are not in COLUMNS are passed over.

    With `decimal_comma` a price may be `12,50`. No query.
    """
    row = Row()
    for name in COLUMNS:
        text = (cells.get(name) or "").strip()
        if not text:
            if name in REQUIRED:
                row.faults.append(Fault(name, "", "Every book needs one, and the cell is empty."))
            continue
        try:
            value = READERS[name](text, decimal_comma)
        except serializers.ValidationError as error:
            detail: Any = error.detail
            row.faults.append(Fault(name, shortened(text), str(detail[0])))
        except LeftOut as reason:
            row.notes.append(Fault(name, shortened(text), str(reason)))
        else:
            row.fields[name] = value
    return row


def shortened(text: str) -> str:
    return text if len(text) <= MAX_SHOWN else f"{text[: MAX_SHOWN - 1]}…"


class LeftOut(Exception):
    """A value that cannot be kept, of a book that can."""


API_FIELDS: dict[str, Callable[[Any], Any]] = {
    name: api_field.run_validation for name, api_field in BookCreateSerializer().fields.items()
} | {"genre": GenreCreateSerializer().fields["name"].run_validation}


def plain(name: str) -> Callable[[str, bool], Any]:
    """Reads a cell as the API reads a string in this field."""
    return lambda text, decimal_comma: API_FIELDS[name](text)


def price(text: str, decimal_comma: bool) -> Any:
    if decimal_comma and (match := DECIMAL_COMMA.fullmatch(text)):
        text = f"{match[1]}.{match[2]}"
    return API_FIELDS["price"](text)


def isbn(text: str, decimal_comma: bool) -> Any:
    if ROUNDED.fullmatch(text):
        raise serializers.ValidationError(
            "The spreadsheet has turned the ISBN into a rounded number: make the column text, and fill it again."
        )
    # A spreadsheet drops the zeros in front of a number, and the ISBN-10 of most English books begins with one.
    return API_FIELDS["isbn"](text.zfill(10) if WITHOUT_ZEROS.fullmatch(text) else text)


def publish_date(text: str, decimal_comma: bool) -> Any:
    if BEFORE_CHRIST.fullmatch(text) or (YEAR.fullmatch(text) and int(text) == 0):
        raise LeftOut("A date before the year 1 cannot be kept: the book is taken without one.")
    if YEAR.fullmatch(text):
        return date(int(text), 1, 1)
    if match := DOTTED_DATE.fullmatch(text):
        text = f"{match[3]}-{match[2]:0>2}-{match[1]:0>2}"
    return API_FIELDS["publish_date"](text)


def is_active(text: str, decimal_comma: bool) -> bool:
    if text.lower() not in FLAGS:
        raise serializers.ValidationError("Write yes or no.")
    return FLAGS[text.lower()]


READERS: dict[str, Callable[[str, bool], Any]] = {
    **{name: plain(name) for name in COLUMNS},
    "price": price,
    "isbn": isbn,
    "publish_date": publish_date,
    "is_active": is_active,
}
