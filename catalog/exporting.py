"""Books as a file: CSV or an Excel workbook, in batches. Memory stays flat, and the server gives the request's slot to
others between two batches (bookstore/server/admission.py): no query is open then.

Importing an export again changes nothing.
"""

import csv
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from io import StringIO
from itertools import islice
from tempfile import TemporaryDirectory, TemporaryFile
from typing import Any

from django.http import StreamingHttpResponse

from catalog.importing.columns import COLUMNS
from catalog.importing.spelling import as_text, written

HEADINGS = tuple(COLUMNS)
VALUES = tuple("genre__name" if name == "genre" else name for name in COLUMNS)
BATCH = 1_000  # books of one query
PIECE = 1 << 20  # bytes of a workbook in one write
MAX_WORKBOOK = 100_000  # books: writing them takes a minute, in which nothing can be sent
MAX_IN_CELL = 32_767  # characters of a cell in Excel
NO_CHARACTERS = frozenset("\ufffe\uffff")  # not allowed in XML
FIRST_DATE = date(1900, 3, 1)  # Excel counts a 29 February 1900; days before are written as text
EXAMPLE = (
    "Emma",
    "Jane Austen",
    Decimal("12.50"),
    "9780141439587",
    "Novel",
    "Misreads everyone.",
    None,
    date(1815, 12, 23),
    12,
    True,
    0,
)
CSV_TYPE = "text/csv; charset=utf-8"
XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def each_book(books: Any) -> Iterator[tuple[Any, ...]]:
    """The values of these books, in the order of HEADINGS, by id. 1 query for each BATCH."""
    last = 0
    books = books.order_by("id")
    while True:
        rows = list(books.filter(pk__gt=last).values_list("pk", *VALUES)[:BATCH])
        for row in rows:
            yield row[1:]
        if len(rows) < BATCH:
            return
        last = rows[-1][0]


def csv_lines(headings: Sequence[str], rows: Iterable[Sequence[Any]], *, quote_first: bool = False) -> Iterator[str]:
    """Begins with a byte order mark, without which spreadsheets do not recognise UTF-8.

    `quote_first` always quotes the first cell of a line. By that the import sees that no row is inside another row's
    cell (csv_rows.py).
    """
    held = StringIO(newline="")
    writer = csv.writer(held)
    held.write("\ufeff")
    rows = iter(rows)
    batch: list[Sequence[Any]] = [headings]
    while batch:
        for row in batch:
            cells = [written(as_text(value)) for value in row]
            if quote_first:
                held.write('"' + cells.pop(0).replace('"', '""') + '",')
            writer.writerow(cells)
        yield held.getvalue()
        held.seek(0)
        held.truncate()
        batch = list(islice(rows, BATCH))


class CsvResponse(StreamingHttpResponse):
    """A CSV file, sent in batches while the books are read."""

    def __init__(
        self, name: str, headings: Sequence[str], rows: Iterable[Sequence[Any]], *, quote_first: bool = False
    ) -> None:
        super().__init__(csv_lines(headings, rows, quote_first=quote_first), content_type=CSV_TYPE)
        self["Content-Disposition"] = f'attachment; filename="{name}"'


class WorkbookResponse(StreamingHttpResponse):
    """An Excel workbook: ISBNs as text, dates as dates, prices and copies as numbers."""

    def __init__(
        self, name: str, rows: Iterable[Sequence[Any]], *, headings: Sequence[str] = HEADINGS, sheet: str = "Books"
    ) -> None:
        super().__init__(workbook_pieces(rows, headings, sheet), content_type=XLSX_TYPE)
        self["Content-Disposition"] = f'attachment; filename="{name}"'


def workbook_pieces(
    rows: Iterable[Sequence[Any]], headings: Sequence[str] = HEADINGS, title: str = "Books"
) -> Iterator[bytes]:
    """A workbook can only be sent when complete. Until then an empty piece after each BATCH gives the slot back."""
    from xlsxwriter import Workbook  # here: 2.4 MB that a worker of the API alone does not need

    with TemporaryDirectory() as folder, TemporaryFile() as file:
        book = Workbook(file, {"constant_memory": True, "tmpdir": folder})
        sheet, bold = book.add_worksheet(title), book.add_format({"bold": True})
        formats = {
            date: book.add_format({"num_format": "yyyy-mm-dd"}),
            Decimal: book.add_format({"num_format": "0.00"}),
        }
        sheet.freeze_panes(1, 0)
        sheet.set_column(0, 1, 32)
        sheet.set_column(2, len(headings) - 1, 16)
        for place, heading in enumerate(headings):
            sheet.write_string(0, place, heading, bold)
        for number, row in enumerate(rows, start=1):
            for place, value in enumerate(row):
                write_cell(sheet, number, place, value, formats)
            if number % BATCH == 0:
                yield b""
        book.close()
        file.seek(0)
        while piece := file.read(PIECE):
            yield piece


def write_cell(sheet: Any, row: int, column: int, value: Any, formats: dict[type, Any]) -> None:
    """Leaves out what Excel cannot store: an empty cell changes nothing when it is imported."""
    if isinstance(value, Decimal):
        sheet.write_number(row, column, value, formats[Decimal])
    elif isinstance(value, date) and value >= FIRST_DATE:
        sheet.write_datetime(row, column, value, formats[date])
    elif isinstance(value, int) and not isinstance(value, bool):
        sheet.write_number(row, column, value)
    elif value is not None:
        text = written(as_text(value))
        if len(text) <= MAX_IN_CELL and NO_CHARACTERS.isdisjoint(text):
            sheet.write_string(row, column, text)


def template(kind: str) -> StreamingHttpResponse:
    """A file with the headings and one book."""
    if kind == "xlsx":
        return WorkbookResponse("books-template.xlsx", [EXAMPLE])
    return CsvResponse("books-template.csv", HEADINGS, [EXAMPLE])
