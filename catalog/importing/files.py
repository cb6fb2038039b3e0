"""How a spreadsheet's file is read: its encoding, its delimiter, its headings, and where each row stands in it.

A file is read from its beginning to its end and never held as a whole.
"""

import codecs
import csv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from catalog.importing.rows import COLUMNS, column_name

DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
BYTE_ORDER_MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
ENCODING_NAMES = {"utf-8": "UTF-8", "utf-8-sig": "UTF-8", "utf-16": "UTF-16", "cp1252": "Windows-1252"}
MAX_HEADING = 10_000  # bytes of the first line
MAX_CELL = 1_000_000  # characters; more is a quotation mark that nobody closed


class Unreadable(Exception):
    """The file as a whole cannot be used; the text says why."""


@dataclass(frozen=True, slots=True)
class Line:
    """One row: the number of the line where it begins, its cells by column, and whether it has more than headings."""

    number: int
    cells: dict[str, str]
    surplus: int


class Spreadsheet:
    """An open file. Iterating gives its rows, blank ones left out. Raises Unreadable."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self.file = file
        self.size = size
        self.encoding = encoding_of(file)
        self.text = codecs.getreader(self.encoding)(file)
        heading, self.line_number = self._heading()
        self.delimiter = delimiter_of(heading)
        self.columns = [column_name(cell) for cell in next(csv.reader([heading], delimiter=self.delimiter))]
        while self.columns and not self.columns[-1]:
            self.columns.pop()
        if len(set(self.columns)) < len(self.columns):
            twice = next(name for name in self.columns if self.columns.count(name) > 1)
            raise Unreadable(f"has the column {twice!r} twice" if twice else "has a column without a heading")

    def _heading(self) -> tuple[str, int]:
        number, heading = 1, self._whole_line()
        if heading.lower().startswith("sep="):  # Excel's own hint, before the headings
            number, heading = 2, self._whole_line()
        if not heading.strip():
            raise Unreadable("is empty: its first line is to name the columns")
        return heading.rstrip("\r\n"), number

    def _whole_line(self) -> str:
        """The next line. Raises Unreadable when its end is not there: what follows would be taken for a row."""
        line = self.text.readline(MAX_HEADING)
        if line.splitlines() == [line] and self.text.read(100, 1):
            raise Unreadable(
                f"has more than {MAX_HEADING:,} bytes before the end of its first line, which is to name the columns"
            )
        return line

    @property
    def decimal_comma(self) -> bool:
        """A comma can stand in a price where it does not stand between the columns."""
        return self.delimiter != ","

    @property
    def unknown_columns(self) -> list[str]:
        return [name for name in self.columns if name not in COLUMNS]

    @property
    def position(self) -> int:
        """Bytes read so far, of `size`."""
        return min(self.file.tell(), self.size)

    def __str__(self) -> str:
        return f"{ENCODING_NAMES[self.encoding]}, separated by {DELIMITERS[self.delimiter]}"

    def __iter__(self) -> Iterator[Line]:
        csv.field_size_limit(MAX_CELL)
        rows = csv.reader(self.text, delimiter=self.delimiter)
        began = self.line_number + 1
        width = len(self.columns)
        try:
            for cells in rows:
                if any(cell.strip() for cell in cells):
                    surplus = sum(1 for cell in cells[width:] if cell.strip())
                    yield Line(began, dict(zip(self.columns, cells, strict=False)), surplus)
                began = self.line_number + rows.line_num + 1
        except (csv.Error, UnicodeError) as error:
            raise Unreadable(f"cannot be read on from line {began}: {error}") from error


@contextmanager
def opened(path: str) -> Iterator[Spreadsheet]:
    """The spreadsheet at this path. Raises Unreadable."""
    try:
        with Path(path).open("rb") as file:
            yield Spreadsheet(file, Path(path).stat().st_size)
    except OSError as error:
        raise Unreadable(f"cannot be opened: {error.strerror}") from error


def encoding_of(file: BinaryIO) -> str:
    """By the byte order mark; else UTF-8 when all of the file is, and what Windows wrote before it when it is not."""
    start = file.read(4)
    file.seek(0)
    for mark, encoding in BYTE_ORDER_MARKS.items():
        if start.startswith(mark):
            return encoding
    for encoding in ("utf-8", "cp1252"):
        decoder: Any = codecs.getincrementaldecoder(encoding)()
        file.seek(0)
        try:
            while part := file.read(1 << 20):
                decoder.decode(part)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            continue
        file.seek(0)
        return encoding
    raise Unreadable("is neither UTF-8 nor Windows-1252 text: is it a CSV file? Save it as CSV UTF-8")


def delimiter_of(heading: str) -> str:
    """The one that makes the most known columns of the headings."""

    def known(delimiter: str) -> int:
        cells = next(csv.reader([heading], delimiter=delimiter))
        return sum(column_name(cell) in COLUMNS for cell in cells)

    return max(DELIMITERS, key=known)
