"""A separate program: prints the rows of a workbook as lines of JSON, each cell as text.

The first line has the sheet's name, number of rows and hidden columns; each further one a row's number and cells,
whether it is hidden, and why it cannot be read, if so; the last is null.
excel_rows.py runs it, with limits of memory, time, and unpacked size.
"""

import html
import json
import re
import sys
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any
from xml.etree import ElementTree

MAX_MEMORY = 2_000_000_000  # bytes of address space
MAX_SECONDS = 120  # of CPU time
MAX_UNPACKED = 400_000_000  # bytes
MAX_CELLS = 20_000_000  # rows × columns of a sheet: calamine allocates each, also empty ones
MAX_FORMULA = 10_000  # bytes: no cell with a formula is longer
MOST_COLUMNS = 16_384  # of a sheet
# A cell whose formula failed, which calamine returns as an empty text (its issue 105).
FAILED = re.compile(
    rb"""<(?:\w{1,20}:)?c\s(?=[^<>]*\bt=["']e["'])[^<>]*\br=["']([A-Z]{1,3})([0-9]{1,7})["'][^<>]*>"""
    rb"""(?:(?!</?(?:\w{1,20}:)?c[\s>]).)*?<(?:\w{1,20}:)?v>([^<]*)<""",
    re.DOTALL,
)
# A hidden row, also by a filter, or a range of hidden columns, which calamine returns as all others.
HIDDEN = re.compile(
    rb"""<(?:\w{1,20}:)?(row|col)\s(?=[^<>]*\bhidden=["'](?:1|true)["'])([^<>]*)>""",
)
NUMBERS = re.compile(rb"""\b(r|min|max)=["']([0-9]{1,7})["']""")
REFERENCE = re.compile(rb"""\br\s*=\s*["']([A-Za-z]{0,3})([0-9]{1,7})["']""")


NO_TIME = "A cell has the format of a time, and a number too large for one: give it another format in the sheet."


class Refused(Exception):
    """A workbook is refused. The message says why."""


def bound() -> None:
    try:
        import resource
    except ImportError:  # not on Windows
        return
    resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY, MAX_MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (MAX_SECONDS, MAX_SECONDS))


class Marks:
    """What calamine does not say of a sheet. Rows and columns are counted from 0."""

    def __init__(self) -> None:
        self.failed: dict[int, dict[int, str]] = {}  # by row and column: the text of a failed formula, `#DIV/0!`
        self.hidden_rows: set[int] = set()
        self.hidden_columns: set[int] = set()
        self.more_columns = 4 * MOST_COLUMNS  # that are added: the ranges of a valid sheet do not overlap

    def hide(self, kind: bytes, attributes: bytes) -> None:
        numbers = {name: int(number) for name, number in NUMBERS.findall(attributes)}
        if kind == b"row" and b"r" in numbers:
            self.hidden_rows.add(numbers[b"r"] - 1)
        elif kind == b"col" and b"min" in numbers and b"max" in numbers:
            columns = range(numbers[b"min"] - 1, min(numbers[b"max"], MOST_COLUMNS))
            if len(columns) <= self.more_columns:
                self.more_columns -= len(columns)
                self.hidden_columns.update(columns)


def check(path: str) -> dict[str, Marks]:
    """Unpacks every part once, and finds the last row and column of its cells. Raises Refused.

    Returns the marks of each sheet by the name of its part.
    """
    unpacked = 0
    marks: dict[str, Marks] = {}
    with zipfile.ZipFile(path) as parts:
        for part in parts.infolist():
            rows = columns = 0
            of_part = marks.setdefault(part.filename, Marks())
            with parts.open(part) as stream:
                rest = before = b""
                while piece := stream.read(1 << 20):
                    unpacked += len(piece)
                    if unpacked > MAX_UNPACKED:
                        raise Refused(f"becomes larger than {MAX_UNPACKED // 1_000_000} MB when it is unpacked")
                    if part.filename.startswith("xl/worksheets/"):
                        for letters, number in REFERENCE.findall(rest + piece):
                            rows = max(rows, int(number))
                            columns = max(columns, column_number(letters))
                        rest = piece[-40:]
                        if b"e" in piece:
                            for letters, number, shown in FAILED.findall(before + piece):
                                text = html.unescape(shown.decode(errors="replace"))
                                of_part.failed.setdefault(int(number) - 1, {})[column_number(letters) - 1] = text
                        if b"hidden" in piece:
                            for kind, attributes in HIDDEN.findall(before + piece):
                                of_part.hide(kind, attributes)
                        before = piece[-MAX_FORMULA:]
            if rows * columns > MAX_CELLS:
                raise Refused(f"has a cell in row {rows:,}, column {columns:,}: delete the empty rows and columns")
    return marks


def part_of(path: str, sheet: str) -> str:
    """The name of the workbook's part with this sheet."""
    with zipfile.ZipFile(path) as parts:
        book = ElementTree.fromstring(parts.read("xl/workbook.xml"))  # noqa: S314  # this process is bounded
        links = ElementTree.fromstring(parts.read("xl/_rels/workbook.xml.rels"))  # noqa: S314  # likewise
    keys = [
        value
        for element in book.iter()
        if element.tag.endswith("}sheet") and element.get("name") == sheet
        for name, value in element.attrib.items()
        if name.endswith("}id")
    ]
    targets = [link.get("Target", "") for link in links.iter() if link.get("Id") in keys]
    return "xl/" + targets[0].removeprefix("/xl/") if targets else ""


def column_number(letters: bytes) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number


def text_of(cell: Any) -> str:
    """A number as Excel shows it, a date as 2008-05-01, a boolean as yes or no."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, int | float):
        return number_text(float(cell))
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == time() else cell.isoformat(" ")
    if isinstance(cell, date):
        return cell.isoformat()
    return str(cell) if isinstance(cell, time | timedelta) else ""


def number_text(number: float) -> str:
    """12.95 for 12.950000000000001; 1.2340 for 1.234, because three places would be read as thousands."""
    if number.is_integer() and abs(number) < 1e18:
        return str(int(number))
    text = f"{number:.15g}"
    if "e" not in text and len(text.partition(".")[2]) == 3:
        text += "0"
    return text


def rows_of(path: str, marks: dict[str, Marks]) -> None:
    from python_calamine import CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

    workbook = CalamineWorkbook.from_path(path)
    names = [
        sheet.name
        for sheet in workbook.sheets_metadata
        if sheet.typ == SheetTypeEnum.WorkSheet and sheet.visible == SheetVisibleEnum.Visible
    ]
    for name in names:
        sheet = workbook.get_sheet_by_name(name)
        if sheet.total_height:
            break
    else:
        raise Refused("is empty: its first row is to name the columns")
    others = [other for other in names if other != name]
    marked = marks.get(part_of(path, name), Marks())
    first = sheet.start[1] if sheet.start else 0  # rows are counted from the sheet's first, cells from the first used
    hidden = sorted(column - first for column in marked.hidden_columns if column >= first)
    say({"sheet": name, "rows": sheet.total_height, "others": others[:20], "hidden": hidden})
    for number, cells in enumerate(each_row(sheet), start=1):
        if cells is None:
            say({"n": number, "c": [], "h": number - 1 in marked.hidden_rows, "problem": NO_TIME})
            continue
        texts = [text_of(cell) for cell in cells]
        for place, shown in marked.failed.get(number - 1, {}).items():
            if first <= place < first + len(texts):
                texts[place - first] = shown
        if any(texts):
            say({"n": number, "c": texts, "h": number - 1 in marked.hidden_rows})
    say(None)


def each_row(sheet: Any) -> Iterator[list[Any] | None]:
    """The rows; None for one with a number that calamine cannot turn into a time. It then raises OverflowError, or
    panics, which is a BaseException without an importable class; the next row can be read all the same.
    """
    rows = iter(sheet.iter_rows())
    while True:
        try:
            cells = next(rows)
        except StopIteration:
            return
        except BaseException as error:
            if type(error).__name__ not in {"OverflowError", "PanicException"}:
                raise
            cells = None
        yield cells


def say(message: Any) -> None:
    sys.stdout.write(json.dumps(message) + "\n")


def main() -> None:
    bound()
    try:
        rows_of(sys.argv[1], check(sys.argv[1]))
    except Refused as error:
        say({"error": str(error)})
    except BaseException as error:  # a panic in calamine is a BaseException
        say({"error": f"cannot be read as an Excel workbook: {type(error).__name__}"})
    sys.stdout.flush()


if __name__ == "__main__":
    main()
