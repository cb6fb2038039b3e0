"""The table that every kind of file is read into: headings, and rows with their cells by column."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain

from catalog.importing.columns import REQUIRED, column_name, columns_of, missing_columns
from catalog.importing.encodings import Unreadable
from catalog.importing.spelling import bare, printable

ROWS_ABOVE = 20  # rows allowed above the headings, such as a title and a date


@dataclass(frozen=True, slots=True)
class RawRow:
    """One row of the file: its line number, its cells, the problem if they could not be separated, and whether the
    sheet hides it."""

    number: int
    cells: list[str]
    problem: str = ""
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """One row: the number of its first line, its cells by column, how many filled cells have no heading, and whether
    the sheet hides it."""

    number: int
    cells: dict[str, str]
    surplus: int = 0
    problem: str = ""
    hidden: bool = False


@dataclass
class Table:
    """The headings and their columns. Iterating gives the rows below them, without blank ones. Raises Unreadable."""

    headings: list[str]
    columns: list[str | None]
    rows: Iterator[RawRow] = field(repr=False)

    @classmethod
    def of(cls, rows: Iterator[RawRow], chosen: Mapping[str, str] | None = None) -> "Table":
        """The headings are the first row that has all required columns; without such a row, the first row."""
        above: list[RawRow] = []
        for row in rows:
            cells = trimmed(row.cells)
            if not any(cells):
                continue
            above.append(RawRow(row.number, cells, hidden=row.hidden))
            if not missing_columns(columns_of(cells, chosen)) or len(above) == ROWS_ABOVE:
                break
        if not above:
            raise Unreadable("is empty: its first line is to name the columns")
        found = not missing_columns(columns_of(above[-1].cells, chosen))
        head, below = (above[-1], []) if found else (above[0], above[1:])
        return cls(head.cells, cls.meant(head.cells, chosen), chain(below, rows))

    @staticmethod
    def meant(headings: list[str], chosen: Mapping[str, str] | None) -> list[str | None]:
        names = [column_name(heading) for heading in headings]
        for place, name in enumerate(names):
            if name and name in names[:place]:
                raise Unreadable(f"has the column '{printable(name)}' twice")
        return columns_of(headings, chosen)

    @property
    def missing(self) -> list[str]:
        return missing_columns(self.columns)

    @property
    def unread(self) -> list[str]:
        """The headings without a column."""
        pairs = zip(self.headings, self.columns, strict=True)
        return [printable(heading) for heading, column in pairs if column is None and heading]

    @property
    def read(self) -> list[tuple[str, str]]:
        """The headings with a column, each with that column."""
        return [(head, column) for head, column in zip(self.headings, self.columns, strict=True) if column]

    def __iter__(self) -> Iterator[Line]:
        width = len(self.headings)
        named = [(place, column) for place, column in enumerate(self.columns) if column]
        for row in self.rows:
            cells = row.cells
            if row.problem:
                yield Line(row.number, {}, 0, row.problem)
            elif any(map(bare, cells)) and not self.repeats_headings(cells):
                surplus = sum(1 for cell in cells[width:] if bare(cell))
                of_columns = {column: cells[place] for place, column in named if place < len(cells)}
                yield Line(row.number, of_columns, surplus, hidden=row.hidden)

    def repeats_headings(self, cells: list[str]) -> bool:
        """Whether a row repeats the headings, as in files that were concatenated."""
        return len(cells) >= len(REQUIRED) and trimmed(cells) == self.headings


def trimmed(cells: list[str]) -> list[str]:
    """Strips the cells, and drops empty ones at the end."""
    cells = [bare(cell) for cell in cells]
    while cells and not cells[-1]:
        cells.pop()
    return cells
