"""Splits a CSV file into rows and cells.

A row ends at LF, CR or CRLF; the other line separators of Unicode are text. An unclosed quotation mark ends the reading
with an error that names its line, so that no row disappears inside a cell of another.
"""

import csv
import io
from collections.abc import Iterator
from typing import BinaryIO

from catalog.importing.columns import columns_of
from catalog.importing.encodings import Unreadable
from catalog.importing.rows import READERS, shortened
from catalog.importing.spelling import read_text
from catalog.importing.table import ROWS_ABOVE, RawRow

DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
MAX_LINE = 1_000_000  # characters of a line, and of a cell
MAX_HEADING = 10_000  # characters of the first line
NO_HEADINGS = f"has more than {MAX_HEADING:,} characters in its first line, which is to name the columns"
BROKEN = "The quotation marks of this line do not pair up: one inside a text is written twice."


class CsvRows:
    """Iterates over the rows of an open file. Reads it once, and holds one row at a time in memory."""

    def __init__(self, file: BinaryIO, encoding: str) -> None:
        self.text = io.TextIOWrapper(file, encoding=encoding, newline="")
        self.number = 0  # of the last line passed to the CSV reader
        self.came = 0  # lines read from the file
        self.record: list[str] = []  # the lines of the current row
        self.held = 0  # characters of the current row
        first = self._lines_at_the_top()
        self.delimiter = delimiter_of(first)
        self.quotes_first_cell = bool(first) and first[0].lstrip("\ufeff").startswith('"')
        self._ahead = first

    def _lines_at_the_top(self) -> list[str]:
        """Reads ahead the first lines, which show the delimiter. Leaves out Excel's `sep=` line."""
        lines: list[str] = []
        while len(lines) < ROWS_ABOVE and (line := self._read_line()):
            if not lines and len(line.strip()) > MAX_HEADING:
                raise Unreadable(NO_HEADINGS)
            lines.append(line)
        self.number = 0
        if lines and lines[0].lstrip("\ufeff").lower().startswith("sep="):
            del lines[0]
            self.number = 1
            if lines and len(lines[0].strip()) > MAX_HEADING:
                raise Unreadable(NO_HEADINGS)
        return lines

    def _read_line(self) -> str:
        try:
            line = self.text.readline(MAX_LINE + 1)
        except UnicodeError as error:
            raise Unreadable(f"cannot be read from line {self.came + 1} on: {error}") from error
        self.came += 1
        if len(line) > MAX_LINE:
            raise Unreadable(f"cannot be read from line {self.came} on: it has more than {MAX_LINE:,} characters")
        return line

    def _lines(self) -> Iterator[str]:
        while line := self._ahead.pop(0) if self._ahead else self._read_line():
            self.number += 1
            self.record.append(line)
            self.held += len(line)
            if self.held > MAX_LINE:
                raise self.never_closed()
            yield line

    def __iter__(self) -> Iterator[RawRow]:
        csv.field_size_limit(MAX_LINE)
        reader = csv.reader(self._lines(), delimiter=self.delimiter, strict=True, skipinitialspace=True)
        while True:
            self.record.clear()
            self.held = 0
            began = self.number + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                if len(self.record) > 1:
                    raise self.never_closed() from error
                yield RawRow(began, [], BROKEN)
                continue
            if len(self.record) > 1 and self._swallowed(len(cells)):
                raise self.never_closed()
            yield RawRow(began, cells)

    def _swallowed(self, width: int) -> bool:
        """Whether a cell of several lines contains a complete row of this file.

        Impossible in a file whose rows begin with a quotation mark, as our own exports do: the mark of the inner row
        would have ended the cell.
        """
        if self.quotes_first_cell or width < 2:
            return False
        whole = [self._looks_whole(line, width) for line in self.record]
        return any(whole[1:-1]) or (whole[0] and whole[-1])

    def _looks_whole(self, line: str, width: int) -> bool:
        """Whether a line has as many cells as a row, and one of them is a price. Ignores quotation marks."""
        cells = line.split(self.delimiter)
        return len(cells) >= width and any(is_price(cell.strip().strip('"')) for cell in cells)

    def never_closed(self) -> Unreadable:
        began = self.number - len(self.record) + 1
        return Unreadable(
            f"cannot be read from line {began} on: a quotation mark there is never closed, or one is too many, and the "
            f"rows after it would be lost: “{shortened(self.record[0].strip())}”"
        )

    @property
    def description(self) -> str:
        return f"separated by {DELIMITERS[self.delimiter]}"


def is_price(cell: str) -> bool:
    """Whether a cell holds a price, the one column that is required and easy to recognise."""
    try:
        READERS["price"](read_text(cell), {"mark": None})
    except Exception:  # any error means that it is not a price
        return False
    return True


def delimiter_of(lines: list[str]) -> str:
    """The delimiter by which one of the first lines has the most known headings."""

    def known(delimiter: str) -> int:
        rows = csv.reader(lines, delimiter=delimiter, skipinitialspace=True)
        best = 0
        while True:
            try:
                best = max(best, sum(column is not None for column in columns_of(next(rows))))
            except StopIteration:
                return best
            except csv.Error:
                continue

    return max(DELIMITERS, key=known)
