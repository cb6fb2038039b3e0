"""Parses one row of a file into a book's fields, for `manage.py import_books` and the admin's import.

A cell is validated by the API's serializer for the same field; only its spelling may differ: `12,50 €`, `1965`, `ja`.
No query.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple

from django.conf import settings
from rest_framework import serializers
from stdnum import isbn as stdnum_isbn

from bookstore.admin.wording import URL_WORDS, WORDS
from catalog.folding import same_name
from catalog.importing.columns import COLUMNS, REQUIRED
from catalog.importing.dates import DayOrder, date_of
from catalog.importing.money import REMEMBERED, CellError, amount_of, copies_of
from catalog.importing.spelling import bare, is_failed_formula, read_text
from catalog.importing.table import Line
from catalog.models import MAX_POPULARITY
from catalog.serializers import BookCreateSerializer, GenreCreateSerializer

MAX_SHOWN = 120  # characters of a refused value in its message
FAILED_FORMULA = "A formula of the spreadsheet failed in this cell: correct it there, or empty the cell."

YES_WORDS = (
    "yes y true t 1 x on ja j wahr oui o vrai sí si s sim verdadero vero verdadeiro tak prawda да д истина ✓ ✔ 是"
)
NO_WORDS = "no n false f 0 off nein falsch non faux nao não falso nie fałsz нет н ложь ✗ ✘ 否"
YES, NO = frozenset(YES_WORDS.split()), frozenset(NO_WORDS.split())

# Spellings of an unknown value. In text columns, those of NOT_KNOWN_EITHER may be real text.
NOT_KNOWN = frozenset({"null", r"\n", "n/a", "n.a.", "-", "--", "–", "—", "k.a.", "nan"})
NOT_KNOWN_EITHER = frozenset({"none", "unknown", "?", "nil", "na"})
TEXT_COLUMNS = frozenset({"title", "author", "genre", "description", "cover_image_url"})

ISBN_WORD = re.compile(r"(e-?)?(isbn|ean)(-?1[03])?[\s:#.]*", re.IGNORECASE)
PARENTHESES = re.compile(r"\([^()]*\)")
SCIENTIFIC = re.compile(r"([0-9])[.,]([0-9]+)E\+?([0-9]{1,2})", re.ASCII | re.IGNORECASE)
WITHOUT_ZEROS = re.compile(r"[0-9]{6,8}[0-9X]", re.ASCII)
AFTER_POINT = re.compile(r"([0-9]{9,13})[.,]0+", re.ASCII)


class Fault(NamedTuple):
    """One cell that is refused. The message tells staff why."""

    column: str
    value: str
    reason: str


@dataclass(slots=True)
class Row:
    """A parsed row. With faults it is refused; `notes` has the invalid optional cells that were left out.

    `fields` has the cells that are not empty, by the model's field names, with the genre as its written name. For an
    empty cell a new book gets the default, and an existing book keeps its value.
    `unread_isbn` is the text of an invalid ISBN.
    """

    fields: dict[str, Any] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    notes: list[Fault] = field(default_factory=list)
    unread_isbn: str = ""

    @property
    def name(self) -> tuple[str, str]:
        return same_book(self.fields["title"], self.fields["author"])

    @property
    def identity(self) -> tuple[str, ...]:
        """The key of the book: its ISBN, or else its folded title and author."""
        isbn = self.fields.get("isbn")
        return (isbn,) if isbn else self.name


def same_book(title: str, author: str) -> tuple[str, str]:
    """The key of a book without an ISBN."""
    return same_name(title), same_name(author)


def read_row(cells: Mapping[str, str | None], *, dates: DayOrder = "ask", strict: bool = False) -> Row:
    """Parses a row's cells by column name; ignores columns that are not in COLUMNS. No query.

    An optional cell that cannot be read is left out and noted; `strict` refuses the row for it. `dates` says what
    12/11/1999 means.
    """
    row = Row()
    beside: dict[str, Any] = {"dates": dates, "mark": None}
    for name in COLUMNS:
        cell = cells.get(name) or ""
        text = read_text(cell)
        if not text or is_not_known(name, text):
            if name in REQUIRED:
                row.faults.append(Fault(name, text, "Every book needs one, and the cell is empty."))
            continue
        try:
            if is_failed_formula(cell):
                raise CellError(FAILED_FORMULA)
            value = READERS[name](text, beside)
        except serializers.ValidationError as error:
            fault = Fault(name, shortened(text), reason_of(name, error))
        except CellError as error:
            fault = Fault(name, shortened(text), str(error))
        else:
            if value is not None:
                row.fields[name] = value
            continue
        if name == "isbn":
            row.unread_isbn = text
        (row.faults if strict or name in REQUIRED else row.notes).append(fault)
    return row


def checked(line: Line, *, dates: DayOrder = "ask", strict: bool = False) -> Row:
    """Parses a row of the file; refuses it when its cells cannot be separated, or when there are too many."""
    if line.problem:
        return Row(faults=[Fault("row", "", line.problem)])
    if line.surplus:
        reason = "The row has more cells than there are columns: a text with a comma in it needs quotation marks."
        return Row(faults=[Fault("row", f"{line.surplus} more", reason)])
    return read_row(line.cells, dates=dates, strict=strict)


def is_not_known(name: str, text: str) -> bool:
    """Whether a cell means "unknown". Never for title and author: a book may be called NULL."""
    if name in {"title", "author"}:
        return False
    word = text.casefold()
    return word in NOT_KNOWN or (name not in TEXT_COLUMNS and word in NOT_KNOWN_EITHER)


def shortened(text: str) -> str:
    return text if len(text) <= MAX_SHOWN else f"{text[: MAX_SHOWN - 1]}…"


FIELDS: dict[str, Any] = dict(BookCreateSerializer().fields) | {"genre": GenreCreateSerializer().fields["name"]}
API_FIELDS: dict[str, Callable[[Any], Any]] = {name: field.run_validation for name, field in FIELDS.items()}
for _name in ("price", "genre", "publish_date", "stock_quantity"):  # columns in which a file repeats its values
    API_FIELDS[_name] = lru_cache(REMEMBERED)(API_FIELDS[_name])


def reason_of(name: str, error: serializers.ValidationError) -> str:
    """The first fault that the API's field finds, in the words of the staff's forms where they have any."""
    detail: Any = error.detail
    code = detail[0].code
    if code == "invalid" and name == "cover_image_url":
        return URL_WORDS
    limits = {"limit_value": getattr(FIELDS[name], code, None), "max": getattr(FIELDS[name], "decimal_places", None)}
    return WORDS[code] % limits if code in WORDS else str(detail[0])


def plain(name: str) -> Callable[[str, dict[str, Any]], Any]:
    """Parses a cell as the API parses a string in this field."""
    return lambda text, beside: API_FIELDS[name](text)


def price(text: str, beside: dict[str, Any]) -> Decimal:
    """Sets the decimal mark for the other numbers of the row."""
    number = amount_of(text, settings.SHOP_CURRENCY)
    beside["mark"] = number.mark
    places = FIELDS["price"].decimal_places
    if number.value != round(number.value, places):  # the field would count all its digits first
        raise CellError(WORDS["max_decimal_places"] % {"max": places})
    amount: Decimal = API_FIELDS["price"](number.value)
    return amount


def isbn(text: str, beside: dict[str, Any]) -> Any:
    visible = "".join(" " if c.isspace() else c for c in text if unicodedata.category(c) != "Cf")
    bare_isbn = PARENTHESES.sub("", visible.lstrip("'")).strip()
    bare_isbn = ISBN_WORD.sub("", bare_isbn, count=1) if ISBN_WORD.match(bare_isbn) else bare_isbn
    bare_isbn = bare(bare_isbn).rstrip(".;,")
    if found := AFTER_POINT.fullmatch(bare_isbn):
        bare_isbn = found[1]
    elif found := SCIENTIFIC.fullmatch(bare_isbn):
        if len(found[2]) < int(found[3]):
            raise CellError(
                "The spreadsheet has turned the ISBN into a rounded number: make the column text, and fill it again."
            )
        bare_isbn = (found[1] + found[2])[: int(found[3]) + 1]
    if not bare_isbn.strip("0-"):
        return None
    # Spreadsheets drop leading zeros, and the ISBN-10 of most English books begins with one.
    return API_FIELDS["isbn"](bare_isbn.zfill(10) if WITHOUT_ZEROS.fullmatch(bare_isbn) else bare_isbn)


def could_be(isbn: str, unread: str) -> bool:
    """Whether a spreadsheet may have rounded this ISBN-13 to `unread`, such as 9.78014E+12."""
    found = SCIENTIFIC.fullmatch(unread.strip())
    if not found:
        return False
    digits, power = found[1] + found[2], int(found[3])
    forms = [isbn] + [stdnum_isbn.to_isbn10(isbn)] * isbn.startswith("978")
    for form in forms:
        number = form.lstrip("0")
        if number.isdigit() and len(number) == power + 1 and len(digits) <= len(number):
            step = 10 ** (len(number) - len(digits))
            if (int(number) + step // 2) // step == int(digits):
                return True
    return False


def publish_date(text: str, beside: dict[str, Any]) -> Any:
    found = date_of(text, beside["dates"])
    return found if found is None else API_FIELDS["publish_date"](found.isoformat())


def stock_quantity(text: str, beside: dict[str, Any]) -> Any:
    return API_FIELDS["stock_quantity"](copies_of(text, beside["mark"]))


def is_active(text: str, beside: dict[str, Any]) -> bool:
    word = text.casefold().strip(" .!")
    if word not in YES and word not in NO:
        raise CellError("Write yes or no.")
    return word in YES


def popularity(text: str, beside: dict[str, Any]) -> Any:
    number = copies_of(text, beside["mark"])
    if number > MAX_POPULARITY:
        raise CellError(f"This is more than {MAX_POPULARITY}.")
    return number


READERS: dict[str, Callable[[str, dict[str, Any]], Any]] = {
    **{name: plain(name) for name in COLUMNS},
    "price": price,
    "isbn": isbn,
    "publish_date": publish_date,
    "stock_quantity": stock_quantity,
    "is_active": is_active,
    "popularity": popularity,
}
