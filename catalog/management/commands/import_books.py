"""`manage.py import_books`: loads a catalogue from a file of a spreadsheet or a wholesaler."""

import csv
import os
import sys
import time
from argparse import ArgumentParser, ArgumentTypeError, RawDescriptionHelpFormatter
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, suppress
from datetime import datetime
from itertools import islice
from typing import Any, TextIO

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, reset_queries

from bookstore.audit.actor import Actor
from bookstore.management.commands.serve import check_database
from catalog.importing.columns import COLUMNS, REQUIRED
from catalog.importing.encodings import ENCODINGS, AskEncoding, Unreadable
from catalog.importing.files import Spreadsheet, opened
from catalog.importing.history import History
from catalog.importing.loader import BATCH, Loader
from catalog.importing.rows import Fault, Row, checked
from catalog.importing.spelling import printable, written
from catalog.importing.staged import chosen_headings
from catalog.importing.table import Line

SHOWN = 10  # rows in the summary; the report has all
REFUSED, LEFT_OUT, RETITLED, HIDDEN = "refused", "left out", "another title", "hidden"
HIDDEN_ROW = "The row is hidden in the sheet, by a filter say, and is read all the same."
RETITLED_BY_FILE = "The book of this ISBN had another title, and has the file's now: see that the ISBN is right."
INTERRUPTED = 130  # the exit status after Ctrl-C

HELP = """\
Load books from a CSV file or an Excel workbook: add those that are not there yet, leave alone those that are.

The first line names the columns, in any order and in many languages; others are passed over, and told:

{columns}

  * required. An empty cell says nothing: a new book gets the default, a book that is there keeps what it has.

A book is recognised by its ISBN; without one, by title and author. So the same file can be loaded twice, and after an
interruption it is simply loaded again. A row that cannot be used is refused whole, with its line and the reason, and
the others go in. A cell that cannot be read and is not required is left out, and told. The exit code is 0 when the file
was read to its end, with refused rows too.

A CSV file may be separated by commas, semicolons, tabs or bars, be packed with gzip, or come through a pipe; UTF-8 and
UTF-16 are told by themselves, other encodings where only one of them makes sense of the text."""


class Command(BaseCommand):
    help = HELP.format(
        columns="\n".join(
            f"  {'*' if name in REQUIRED else ' '} {name:<16} {text}" for name, text in COLUMNS.items()
        ).replace("%", "%%")
    )

    def create_parser(self, *args: Any, **options: Any) -> Any:
        return super().create_parser(*args, formatter_class=RawDescriptionHelpFormatter, **options)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE", help="a .csv, .csv.gz or .xlsx file; - for what comes in")
        parser.add_argument("--dry-run", action="store_true", help="read and check everything, write nothing")
        parser.add_argument(
            "--update",
            action="store_true",
            help="change the books that are there to what the file says; a column that it lacks stays as it is",
        )
        parser.add_argument(
            "--written-at",
            metavar="TIME",
            type=moment,
            help="when the stocks in the file were read, as 2026-11-27T09:30Z: a row with another stock is refused if "
            "its book changed since, by orders say; without it the file's stock is written",
        )
        parser.add_argument(
            "--retitle",
            action="store_true",
            help="with --update: a book gets the title of the row with its ISBN, whatever its own is; without it such "
            "a row is refused, because its ISBN may be wrong",
        )
        parser.add_argument("--strict", action="store_true", help="refuse a row for any cell that cannot be read")
        parser.add_argument(
            "--dates",
            choices=("ask", "day-first", "month-first"),
            default="ask",
            help="what 12/11/1999 means; with ask, which is the default, such a date is left out",
        )
        parser.add_argument(
            "--encoding", choices=sorted(ENCODINGS), default="", help="of a text file that does not tell it"
        )
        parser.add_argument(
            "--report",
            metavar="REPORT.csv",
            help="write each cell that was refused, left out or gave a book another title, and each row that the sheet "
            "hides, to this file: line, outcome, column, value, reason",
        )

    def handle(self, *args: Any, file: str, report: str | None, **options: Any) -> None:
        if options["retitle"] and not options["update"]:
            raise CommandError("--retitle is for --update: without that no book gets another title.")
        check_database()
        with ExitStack() as stack:
            try:
                sheet = stack.enter_context(opened(file, encoding=options["encoding"], chosen=chosen_headings()))
                if missing := sheet.table.missing:
                    names = ", ".join(printable(heading) for heading in sheet.table.headings)
                    raise Unreadable(
                        f"lacks the column{'s' if len(missing) > 1 else ''} {', '.join(missing)}: "
                        f"its first line names {names}"
                    )
                findings = Findings(opened_report(report, file) if report else None)
                stack.callback(findings.close)
                history = History(Actor.of_command("import_books"), os.path.basename(file))
                loader = stack.enter_context(
                    Loader(
                        update=options["update"],
                        dry_run=options["dry_run"],
                        record=history.write,
                        written_at=options["written_at"],
                        retitle=options["retitle"],
                    )
                )
            except AskEncoding as error:
                names = ", ".join(sorted(ENCODINGS))
                raise CommandError(f"{file} {error}. Say it with --encoding: {names}.") from error
            except Unreadable as error:
                raise CommandError(f"{file} {error}.") from error
            except OSError as error:
                raise CommandError(f"{failed(error)}: nothing was written.") from error
            self.stdout.write(f"{file}: {sheet}; columns {', '.join(c for c in sheet.table.columns if c)}.")
            if sheet.table.unread:
                self.stdout.write(f"Passed over, because no book has them: {', '.join(sheet.table.unread)}.")
            self._load(sheet, loader, findings, report, options)

    def _load(self, sheet: Spreadsheet, loader: Loader, findings: "Findings", report: str | None, options: Any) -> None:
        progress = Progress(sheet, sys.stderr)
        trouble, then = "", "the same command goes on from there"
        read = 0
        try:
            for batch in batches(sheet, BATCH):
                good: list[tuple[int, Row]] = []
                for line in batch:
                    if line.hidden:
                        findings.add(line.number, HIDDEN, [Fault("row", "", HIDDEN_ROW)])
                    row = checked(line, dates=options["dates"], strict=options["strict"])
                    findings.add(line.number, LEFT_OUT, row.notes)
                    if row.faults:
                        loader.counts.refused += 1
                        findings.add(line.number, REFUSED, row.faults)
                    else:
                        good.append((line.number, row))
                for plan in loader.load(good):
                    findings.add(plan.number, REFUSED, plan.faults)
                    if plan.retitles:
                        titles = " → ".join(plan.changes["title"])
                        findings.add(plan.number, RETITLED, [Fault("title", titles, RETITLED_BY_FILE)])
                read = batch[-1].number
                findings.flush()
                reset_queries()  # with DEBUG Django keeps every statement in memory
                progress.show(loader)
        except KeyboardInterrupt:
            trouble = f"Interrupted after line {read}"
        except DatabaseError as error:
            trouble = f"The database failed after line {read} ({str(error).strip().splitlines()[0]})"
        except Unreadable as error:
            trouble = f"The file {error}"
            then = "correct it, and load it again"
        except OSError as error:
            trouble = f"After line {read}: {failed(error)}"
        progress.end()
        self._summary(loader, findings, progress, report)
        if trouble:
            kept = "nothing was written" if loader.dry_run else "what is counted above is kept"
            raise CommandError(
                f"{trouble}: {kept}; {then}.",
                returncode=INTERRUPTED if trouble.startswith("Interrupted") else 1,
            )

    def _summary(self, loader: Loader, findings: "Findings", progress: "Progress", report: str | None) -> None:
        counts = loader.counts
        there = (
            f"{counts.changed:,} changed, {counts.same:,} as they were"
            if loader.update
            else (f"{counts.same:,} there already")
        )
        genres = f" New genres: {counts.genres:,}." if counts.genres else ""
        told = f"Books: {counts.added:,} added, {there}. Rows refused: {counts.refused:,}.{genres}"
        written = " Nothing was written." if loader.dry_run else ""
        self.stdout.write(f"{told}{written} It took {progress.seconds:.1f} s.")
        if progress.sheet.hidden:
            self.stdout.write(f"Hidden in the sheet, and read all the same: {progress.sheet.hidden}.")
        for (outcome, column, reason), number in findings.reasons.most_common():
            self.stdout.write(f"{number:>8,} {outcome}: {column}: {reason}")
        for number, fault in findings.shown:
            self.stdout.write(f"  line {number}: {fault.column} is '{printable(fault.value)}': {fault.reason}")
        if report:
            self.stdout.write(f"Each of them, with its line, is in {report}.")
        elif findings.reasons:
            self.stdout.write("Run it with --report REPORT.csv for each of them with its line.")


def failed(error: OSError) -> str:
    return f"A file, perhaps in TMPDIR, cannot be read or written ({error.strerror or error})"


def moment(text: str) -> datetime:
    """Parses a time. Raises ArgumentTypeError for an invalid one, or one without a time zone."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise ArgumentTypeError(f"{text!r} is no time with its time zone: write it as 2026-11-27T09:30Z")
    return at


class Findings:
    """Refused rows, left-out cells and changed titles: counted by reason; the first few for the summary, all of them in
    the report."""

    def __init__(self, report: TextIO | None) -> None:
        self.reasons: Counter[tuple[str, str, str]] = Counter()
        self.shown: list[tuple[int, Fault]] = []  # the first few
        self.report = report
        self.writer = csv.writer(report) if report else None
        if self.writer:
            self.writer.writerow(("line", "outcome", "column", "value", "reason"))

    def flush(self) -> None:
        """Raises OSError when the disk of the report is full."""
        if self.report:
            self.report.flush()

    def close(self) -> None:
        if self.report:
            with suppress(OSError):  # what `flush` could not write, which has been told
                self.report.close()

    def add(self, line: int, outcome: str, faults: Iterable[Fault]) -> None:
        for fault in faults:
            if outcome != HIDDEN:  # the summary tells them in a sentence
                self.reasons[outcome, fault.column, fault.reason] += 1
            if outcome in {REFUSED, RETITLED} and len(self.shown) < SHOWN:
                self.shown.append((line, fault))
            if self.writer:
                self.writer.writerow((line, outcome, fault.column, written(fault.value), fault.reason))


class Progress:
    """A progress line on a terminal; prints nothing elsewhere."""

    def __init__(self, sheet: Spreadsheet, stream: TextIO) -> None:
        self.sheet = sheet
        self.stream = stream if stream.isatty() else None
        self.started = time.monotonic()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.started

    def show(self, loader: Loader) -> None:
        if self.stream:
            part = self.sheet.position
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


def opened_report(path: str, file: str) -> TextIO:
    """Opens the report. UTF-8 with a byte order mark, for Excel."""
    try:
        if os.path.exists(path) and os.path.samefile(path, sys.stdin.fileno() if file == "-" else file):
            raise CommandError(f"The report {path} is the file that is read: nothing was done.")
        return open(path, "w", encoding="utf-8-sig", newline="", errors="backslashreplace")
    except OSError as error:
        raise CommandError(f"The report {path} cannot be written: {error.strerror}.") from error
