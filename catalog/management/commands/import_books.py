"""`manage.py import_books`: a real catalogue, from the file that a spreadsheet or a wholesaler writes."""

import csv
import sys
import time
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from itertools import islice
from typing import Any, TextIO

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, reset_queries

from bookstore.management.commands.serve import check_database
from catalog.importing.files import Line, Spreadsheet, Unreadable, opened
from catalog.importing.loader import BATCH, Loader
from catalog.importing.rows import COLUMNS, REQUIRED, Fault, Row, missing_columns, read_row

SHOWN = 10  # rows that the summary shows of those that a report has whole
REFUSED, LEFT_OUT = "refused", "left out"
INTERRUPTED = 130  # what a shell says of a program that Ctrl-C ended

HELP = """\
Load books from a CSV file: add those that are not there yet, leave alone those that are.

The first line names the columns, in any order; others are passed over, and told:

{columns}

  * required. An empty cell says nothing: a new book gets the default, a book that is there keeps what it has.

A book is recognised by its ISBN; without one, by title and author. So the same file can be loaded twice, and after an
interruption it is simply loaded again. A row that cannot be used is refused whole, with its line and the reason, and
the others go in. The exit code is 0 when the file was read to its end, with refused rows too.

The columns may be separated by commas, semicolons, tabs or bars; the text may be UTF-8, UTF-16 (with its mark) or
Windows-1252."""


class Command(BaseCommand):
    help = HELP.format(
        columns="\n".join(
            f"  {'*' if name in REQUIRED else ' '} {name:<16} {text}" for name, text in COLUMNS.items()
        ).replace("%", "%%")
    )

    def create_parser(self, *args: Any, **options: Any) -> Any:
        return super().create_parser(*args, formatter_class=RawDescriptionHelpFormatter, **options)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE.csv")
        parser.add_argument("--dry-run", action="store_true", help="read and check everything, write nothing")
        parser.add_argument(
            "--update",
            action="store_true",
            help="change the books that are there to what the file says; a column that it lacks stays as it is",
        )
        parser.add_argument(
            "--report",
            metavar="REPORT.csv",
            help="write each cell that was refused or left out to this file: line, outcome, column, value, reason",
        )

    def handle(self, *args: Any, file: str, dry_run: bool, update: bool, report: str | None, **options: Any) -> None:
        check_database()
        with ExitStack() as stack:
            try:
                sheet = stack.enter_context(opened(file))
                missing = missing_columns(sheet.columns)
                if missing:
                    raise Unreadable(
                        f"lacks the column{'s' if len(missing) > 1 else ''} {', '.join(missing)}: its first line names "
                        f"{', '.join(sheet.columns)}"
                    )
                findings = Findings(stack.enter_context(written(report)) if report else None)
                loader = stack.enter_context(Loader(update=update, dry_run=dry_run))
                self.stdout.write(f"{file}: {sheet}; columns {', '.join(c for c in sheet.columns if c in COLUMNS)}.")
                if sheet.unknown_columns:
                    self.stdout.write(f"Passed over, because no book has them: {', '.join(sheet.unknown_columns)}.")
                self._load(sheet, loader, findings, report)
            except Unreadable as error:
                raise CommandError(f"{file} {error}.") from error

    def _load(self, sheet: Spreadsheet, loader: Loader, findings: "Findings", report: str | None) -> None:
        progress = Progress(sheet, sys.stderr)
        trouble = ""
        read = 0
        try:
            for batch in batches(sheet, BATCH):
                good: list[tuple[int, Row]] = []
                for line in batch:
                    row = checked(line, sheet.decimal_comma)
                    findings.add(line.number, LEFT_OUT, row.notes)
                    if row.faults:
                        loader.counts.refused += 1
                        findings.add(line.number, REFUSED, row.faults)
                    else:
                        good.append((line.number, row))
                for number, fault in loader.load(good):
                    findings.add(number, REFUSED, [fault])
                read = batch[-1].number
                reset_queries()  # DEBUG keeps every statement
                progress.show(loader)
        except KeyboardInterrupt:
            trouble = f"Interrupted after line {read}"
        except DatabaseError as error:
            trouble = f"The database failed after line {read} ({str(error).strip().splitlines()[0]})"
        except Unreadable as error:
            trouble = f"The file {error}"
        progress.end()
        self._summary(loader, findings, progress, report)
        if trouble:
            kept = "nothing was written" if loader.dry_run else "what is counted above is kept"
            raise CommandError(
                f"{trouble}: {kept}, and the same command goes on from there.",
                returncode=INTERRUPTED if trouble.startswith("Interrupted") else 1,
            )

    def _summary(self, loader: Loader, findings: "Findings", progress: "Progress", report: str | None) -> None:
        counts = loader.counts
        there = (
            f"{counts.changed:,} changed, {counts.same:,} as they were"
            if loader.update
            else (f"{counts.same:,} there already")
        )
        genres = f", {counts.genres:,} new genres" if counts.genres else ""
        text = f"{counts.added:,} books added, {there}, {counts.refused:,} rows refused{genres}"
        self.stdout.write(f"{'Would be: ' if loader.dry_run else ''}{text}, in {progress.seconds:.1f} s.")
        for (outcome, column, reason), number in findings.reasons.most_common():
            self.stdout.write(f"{number:>8,} {outcome}: {column}: {reason}")
        for number, fault in findings.refused:
            self.stdout.write(f"  line {number}: {fault.column} is {fault.value!r}: {fault.reason}")
        if report:
            self.stdout.write(f"Each of them, with its line, is in {report}.")
        elif findings.reasons:
            self.stdout.write("Run it with --report REPORT.csv for each of them with its line.")


class Findings:
    """What was refused or left out: counted by reason, the first few kept, all of it in the report."""

    def __init__(self, report: TextIO | None) -> None:
        self.reasons: Counter[tuple[str, str, str]] = Counter()
        self.refused: list[tuple[int, Fault]] = []  # the first few
        self.writer = csv.writer(report) if report else None
        if self.writer:
            self.writer.writerow(("line", "outcome", "column", "value", "reason"))

    def add(self, line: int, outcome: str, faults: Iterable[Fault]) -> None:
        for fault in faults:
            self.reasons[outcome, fault.column, fault.reason] += 1
            if outcome == REFUSED and len(self.refused) < SHOWN:
                self.refused.append((line, fault))
            if self.writer:
                self.writer.writerow((line, outcome, *fault))


class Progress:
    """One line on a terminal that is written over; nothing at all elsewhere."""

    def __init__(self, sheet: Spreadsheet, stream: TextIO) -> None:
        self.sheet = sheet
        self.stream = stream if stream.isatty() else None
        self.started = time.monotonic()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.started

    def show(self, loader: Loader) -> None:
        if self.stream:
            part = self.sheet.position / self.sheet.size
            counts = loader.counts
            done = counts.added + counts.changed + counts.same + counts.refused
            bar = "#" * round(part * 30)
            self.stream.write(f"\r[{bar:<30}] {part:4.0%}  {done:,} rows  {done / self.seconds:,.0f}/s ")
            self.stream.flush()

    def end(self) -> None:
        if self.stream:
            self.stream.write("\n")


def batches(lines: Iterable[Line], size: int) -> Iterator[list[Line]]:
    iterator = iter(lines)
    while batch := list(islice(iterator, size)):
        yield batch


def checked(line: Line, decimal_comma: bool) -> Row:
    """The row of a line; refused when it has cells that belong to no column."""
    if line.surplus:
        reason = "The row has more cells than there are columns: a text with a comma in it needs quotation marks."
        return Row(faults=[Fault("row", f"{line.surplus} more", reason)])
    return read_row(line.cells, decimal_comma=decimal_comma)


def written(path: str) -> TextIO:
    """The report's file. In UTF-8 with a mark, or Excel takes it for something else."""
    try:
        return open(path, "w", encoding="utf-8-sig", newline="", errors="backslashreplace")
    except OSError as error:
        raise CommandError(f"The report {path} cannot be written: {error.strerror}.") from error
