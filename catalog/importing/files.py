"""Opens a file of books of any kind: text in any encoding, gzip, an Excel workbook, a pipe.

Reads it from beginning to end, without holding all of it in memory.
"""

import gzip
import shutil
import sys
import tempfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any, BinaryIO

from django.conf import settings

from catalog.importing import kinds
from catalog.importing.columns import currency_in
from catalog.importing.csv_rows import CsvRows
from catalog.importing.encodings import NAMES, Unreadable, check_text, encoding_of, marked_encoding
from catalog.importing.excel_rows import ExcelRows, is_workbook
from catalog.importing.spelling import printable
from catalog.importing.table import Line, Table

MAX_UNPACKED = 1_000_000_000  # bytes that a packed file may become
HIDDEN_SHOWN = 10  # lines
IN_MEMORY = 1 << 20  # bytes of a pipe that are kept in memory; more goes to a temporary file
GZIP = b"\x1f\x8b"


class Spreadsheet:
    """An open file. Iterating gives its rows, blank ones left out. Raises Unreadable."""

    def __init__(self, file: BinaryIO, *, encoding: str = "", chosen: Mapping[str, str] | None = None) -> None:
        """`encoding` overrides the detection; `chosen` has the columns that staff chose for headings."""
        self.file = file
        self.size = file.seek(0, 2)
        file.seek(0)
        start = file.read(kinds.LOOKED_AT)
        file.seek(0)
        self.rows: CsvRows | ExcelRows
        if start.startswith(kinds.OLE):
            raise Unreadable(kinds.of_ole(file))
        if start.startswith(kinds.ZIP):
            if not is_workbook(file):
                raise Unreadable(kinds.of_archive(file))
            self.rows = ExcelRows(file)
            self.description = self.rows.description
        else:
            if kind := kinds.of_bytes(start, is_text=bool(encoding or marked_encoding(start))):
                raise Unreadable(kind)
            encoding = encoding or encoding_of(file)
            check_text(file, encoding)
            self.rows = CsvRows(file, encoding)
            self.description = f"{NAMES.get(encoding, encoding)}, {self.rows.description}"
        self.table = Table.of(iter(self.rows), chosen)
        self.hidden_rows = 0  # among those that were read
        self.first_hidden: list[int] = []  # lines of the first of them
        for heading, column in self.table.read:
            named = currency_in(heading)
            if column == "price" and named and named != settings.SHOP_CURRENCY:
                raise Unreadable(f"has prices in {named}, and this shop sells in {settings.SHOP_CURRENCY}")

    @property
    def position(self) -> float:
        """The share of the file that has been read, from 0 to 1."""
        if isinstance(self.rows, ExcelRows):
            return self.rows.position
        return min(self.file.tell(), self.size) / self.size if self.size else 1.0

    def __str__(self) -> str:
        return self.description

    def __iter__(self) -> Iterator[Line]:
        for line in self.table:
            if line.hidden:
                self.hidden_rows += 1
                if self.hidden_rows <= HIDDEN_SHOWN:
                    self.first_hidden.append(line.number)
            yield line

    @property
    def hidden(self) -> str:
        """What the sheet hides, by a filter say, and was read all the same; "" for nothing. After the last row."""
        of_sheet = self.rows.hidden_columns if isinstance(self.rows, ExcelRows) else set()
        columns = [
            f"the column “{printable(heading)}”"
            for place, (heading, column) in enumerate(zip(self.table.headings, self.table.columns, strict=True))
            if column and place in of_sheet
        ]
        rows = []
        if self.hidden_rows:
            lines = ", ".join(map(str, self.first_hidden))
            more = " …" if self.hidden_rows > len(self.first_hidden) else ""
            rows = [f"rows: {self.hidden_rows:,} (line {lines}{more})"]
        return "; ".join(rows + columns)

    def close(self) -> None:
        if isinstance(self.rows, ExcelRows):
            self.rows.close()


@contextmanager
def opened(path: str, *, encoding: str = "", chosen: Mapping[str, str] | None = None) -> Iterator[Spreadsheet]:
    """Opens the spreadsheet at this path; "-" is standard input. Raises Unreadable."""
    with ExitStack() as stack:
        try:
            file: Any = sys.stdin.buffer if path == "-" else stack.enter_context(Path(path).open("rb"))
        except OSError as error:
            raise Unreadable(f"cannot be opened: {error.strerror}") from error
        sheet = Spreadsheet(unpacked(file, stack), encoding=encoding, chosen=chosen)
        stack.callback(sheet.close)
        yield sheet


def unpacked(file: BinaryIO, stack: ExitStack, *, limit: int = MAX_UNPACKED) -> BinaryIO:
    """The file itself if it is seekable and not compressed, else a temporary, uncompressed copy."""
    try:
        if not file.seekable():
            copy = stack.enter_context(tempfile.SpooledTemporaryFile(max_size=IN_MEMORY))  # noqa: SIM115  # the stack closes it
            shutil.copyfileobj(file, copy)
            file = copy  # type: ignore[assignment]  # SpooledTemporaryFile is no BinaryIO to mypy
            file.seek(0)
        packed = file.read(2) == GZIP
        file.seek(0)
    except OSError as error:
        raise Unreadable(f"cannot be opened: {error.strerror or error}") from error
    return without_gzip(file, stack, limit) if packed else file


def without_gzip(file: BinaryIO, stack: ExitStack, limit: int) -> Any:
    copy: IO[bytes] = stack.enter_context(tempfile.SpooledTemporaryFile(max_size=IN_MEMORY))  # noqa: SIM115  # the stack closes it
    size = 0
    try:
        # Without a mode GzipFile takes the file's, and a SpooledTemporaryFile says "w+b".
        with gzip.GzipFile(fileobj=file, mode="rb") as whole:
            while part := whole.read(1 << 20):
                size += len(part)
                if size > limit:
                    raise Unreadable(f"becomes larger than {limit // 1_000_000:,} MB when it is unpacked")
                copy.write(part)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise Unreadable(f"is packed with gzip, and damaged: {error}") from error
    copy.seek(0)
    return copy
