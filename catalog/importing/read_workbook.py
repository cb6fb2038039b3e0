"""A separate program: prints the rows of a workbook as lines of JSON, each cell as text.

The first line has the sheet's name and number of rows; each further one a row's number and cells; the last is null.
excel_rows.py runs it, with limits of memory, time, and unpacked size.
"""

import html
import json
import re
import sys
import zipfile
from datetime import date, datetime, time, timedelta
from typing import Any
from xml.etree import ElementTree

MAX_MEMORY = 2_000_000_000  # bytes of address space
MAX_SECONDS = 120  # of CPU time
MAX_UNPACKED = 400_000_000  # bytes
MAX_CELLS = 20_000_000  # rows × columns of a sheet: calamine allocates each, also empty ones
MAX_FORMULA = 10_000  # bytes: no cell with a formula is longer
# A cell whose formula failed, which calamine returns as an empty text (its issue 105).
FAILED = re.compile(
    rb"""<(?:\w{1,20}:)?c\s(?=[^<>]*\bt=["']e["'])[^<>]*\br=["']([A-Z]{1,3})([0-9]{1,7})["'][^<>]*>"""
    rb"""(?:(?!</?(?:\w{1,20}:)?c[\s>]).)*?<(?:\w{1,20}:)?v>([^<]*)<""",
    re.DOTALL,
)
REFERENCE = re.compile(rb"""\br\s*=\s*["']([A-Za-z]{0,3})([0-9]{1,7})["']""")


class Refused(Exception):
    """A workbook is refused. The message says why."""


def bound() -> None:
    try:
        import resource
    except ImportError:  # not on Windows
        return
    resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY, MAX_MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (MAX_SECONDS, MAX_SECONDS))


Failed = dict[int, dict[int, str]]  # by row and column, from 0: the shown text, `#DIV/0!`


def check(path: str) -> dict[str, Failed]:
    """Unpacks every part once, and finds the last row and column of its cells. Raises Refused.

    Returns the cells whose formulas failed, by the name of the sheet's part.
    """
    unpacked = 0
    failed: dict[str, Failed] = {}
    with zipfile.ZipFile(path) as parts:
        for part in parts.infolist():
            rows = columns = 0
            of_part: Failed = failed.setdefault(part.filename, {})
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
                                of_part.setdefault(int(number) - 1, {})[column_number(letters) - 1] = text
                        before = piece[-MAX_FORMULA:]
            if rows * columns > MAX_CELLS:
                raise Refused(f"has a cell in row {rows:,}, column {columns:,}: delete the empty rows and columns")
    return failed


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


def rows_of(path: str, failed: dict[str, Failed]) -> None:
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
    say({"sheet": name, "rows": sheet.total_height, "others": others[:20]})
    failed_cells = failed.get(part_of(path, name), {})
    first = sheet.start[1] if sheet.start else 0  # rows are counted from the sheet's first, cells from the first used
    for number, cells in enumerate(sheet.iter_rows(), start=1):
        texts = [text_of(cell) for cell in cells]
        for place, shown in failed_cells.get(number - 1, {}).items():
            if first <= place < first + len(texts):
                texts[place - first] = shown
        if any(texts):
            say({"n": number, "c": texts})
    say(None)


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
