"""The two steps of an uploaded import: reading it for the preview, and loading the confirmed rows.

Each works in batches, stores its progress, and stops when staff cancel. Each can be restarted after a crash, and run by
two processes at once: a batch and its mark as done are written in one transaction.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import date
from decimal import Decimal
from itertools import islice
from typing import Any
from uuid import uuid4

from django.db import IntegrityError, transaction
from django.utils import timezone

from bookstore.audit.actor import Actor
from bookstore.audit.models import Channel
from bookstore.database.constraints import violated
from bookstore.server.temporary_files import has_no_room
from catalog.importing.columns import label_of
from catalog.importing.encodings import AskEncoding, Unreadable
from catalog.importing.files import Spreadsheet, unpacked
from catalog.importing.history import History
from catalog.importing.loader import BATCH, Loader, Planned
from catalog.importing.rows import Fault, Row, checked
from catalog.importing.spelling import as_text, printable
from catalog.importing.staged import BookImport, ImportBatch, StagedRow, chosen_headings
from catalog.importing.table import Line

State = BookImport.State
MAX_ROWS = 500_000  # of an uploaded file
MAX_UNPACKED = 200_000_000  # bytes of an uploaded file when uncompressed
READ_FROM_TEXT: dict[str, Callable[[str], Any]] = {"price": Decimal, "publish_date": date.fromisoformat}
GONE = "The book was deleted since the preview."
KEPT_TITLE = "The book of this ISBN has this title, and nobody said that it gets another: the row was left out."
NO_ROOM = (
    "The file was not read: the server has no room for temporary files. Tell whoever runs it, and have the file read "
    "again when there is."
)
READ_AGAIN = "somebody has had the file read again since this page was shown. Look at it as it is now."
ADDED = "The book was added by somebody else since the preview."


logger = logging.getLogger("bookstore.imports")


class Stopped(Exception):
    """The import was cancelled, or another process did this batch."""


def read(started: BookImport, *, at_most: int = MAX_ROWS) -> bool:
    """Reads the file and stages the plan of each row. The state then is SHOWN, or FAILED with the reason.

    Returns False when the file has more than `at_most` rows: the state then stays READING. When two processes read
    at once, the one that started later continues.
    """
    with transaction.atomic():
        if not started.moved(of=State.READING, reader=uuid4().hex, progress=0):
            return True
        started.batches.all().delete()  # of a process that died or is about to stop
    try:
        return read_rows(started, at_most)
    except Stopped:
        return True
    except Unreadable as error:
        options = started.options | {"ask_encoding": isinstance(error, AskEncoding)}
        problem = f"The file {printable(str(error))}."
        still_reading(started, state=State.FAILED, problem=problem, options=options)
        return True
    except OSError as error:
        if not has_no_room(error):
            raise
        logger.error("TMPDIR has no space to read a file that staff import (%s)", error.strerror)
        still_reading(started, state=State.FAILED, problem=NO_ROOM)
        return True


def read_rows(started: BookImport, at_most: int) -> bool:
    """Raises Unreadable; Stopped when another process reads the file now, or staff cancelled."""
    with ExitStack() as stack, Loader(update=True) as loader:
        file = unpacked(stack.enter_context(started.file()), stack, limit=MAX_UNPACKED)
        encoding = started.options.get("encoding", "")
        sheet = Spreadsheet(file, encoding=encoding, chosen=chosen_headings())
        stack.callback(sheet.close)
        names = map(printable, sheet.table.headings)
        headings = [list(pair) for pair in zip(names, sheet.table.columns, strict=True)]
        still_reading(started, headings=headings, description=str(sheet)[:300])
        if sheet.table.missing:
            labels = [f"“{label_of(name)}”" for name in sheet.table.missing]
            raise Unreadable(f"has no column {' and no column '.join(labels)}")
        rows = 0
        for number, lines in enumerate(batches(sheet)):
            rows += len(lines)
            if rows > at_most:
                if at_most < MAX_ROWS:
                    return False
                raise Unreadable(
                    f"has more than {MAX_ROWS:,} rows: an operator can load it with manage.py import_books"
                )
            with transaction.atomic():
                still_reading(started, progress=sheet.position, rows=rows)
                stage(started, number, lines, loader)
        hidden = started.options | {"hidden": sheet.hidden}
    still_reading(started, state=State.SHOWN, progress=1, options=hidden)
    return True


def still_reading(started: BookImport, **fields: Any) -> None:
    """Writes these fields. Raises Stopped when this process is no longer the reader."""
    mine = BookImport.objects.filter(pk=started.pk, state=State.READING, reader=started.reader)
    if not mine.update(**fields):
        raise Stopped
    for name, value in fields.items():
        setattr(started, name, value)


def batches(sheet: Spreadsheet) -> Iterator[list[Line]]:
    lines = iter(sheet)
    while batch := list(islice(lines, BATCH)):
        yield batch


def stage(started: BookImport, number: int, lines: list[Line], loader: Loader) -> None:
    options = started.options
    read = [
        (line.number, checked(line, dates=options.get("dates", "ask"), strict=options.get("strict", False)))
        for line in lines
    ]
    planned = {plan.number: plan for plan in loader.plan([(line, row) for line, row in read if not row.faults])}
    staged = [staged_row(planned.get(line) or Planned(line, row, "refused", faults=row.faults)) for line, row in read]
    ImportBatch.objects.create(book_import=started, number=number, **ImportBatch.columns_of(staged))


def staged_row(plan: Planned) -> StagedRow:
    fields = {name: value if isinstance(value, int) else str(value) for name, value in plan.row.fields.items()}
    return StagedRow(
        line=plan.number,
        outcome=plan.outcome,
        title=plan.book.title if plan.book and plan.book.pk else str(fields.get("title", "")),
        book_id=plan.book.pk if plan.book else None,
        fields=fields,
        changes={name: list(change) for name, change in plan.changes.items()},
        faults=[list(fault) for fault in plan.faults],
        notes=[list(note) for note in plan.row.notes],
        unread_isbn=plan.row.unread_isbn,
    )


def row_of(staged: StagedRow) -> Row:
    """The parsed row."""
    fields = {
        name: READ_FROM_TEXT[name](value) if name in READ_FROM_TEXT else value for name, value in staged.fields.items()
    }
    return Row(fields=fields, notes=[Fault(*note) for note in staged.notes], unread_isbn=staged.unread_isbn)


def confirm(shown: BookImport, actor: Actor, reader: str, *, retitle: bool) -> str:
    """Marks the import for loading, in the actor's name. One import is loaded at a time.

    `reader` is the reading that the page showed; `retitle`, whether books get another title by their ISBN.
    Returns the reason to refuse it, for staff; "" when it was confirmed."""
    try:
        with transaction.atomic():
            who = {"user_id": actor.id or 0, "user_email": actor.name, "address": actor.address}
            changes = {"state": State.LOADING, "turn": True, "progress": 0, "retitle": retitle, **who}
            if shown.moved(of=State.SHOWN, of_reader=reader, **changes):
                return ""
    except IntegrityError as error:
        if violated(error, "uq_book_imports_turn", "book_imports.turn"):
            return "another import is being loaded: confirm this one when it has ended."
        raise
    shown.refresh_from_db()
    if shown.state == State.SHOWN:
        return READ_AGAIN
    return f"“{shown}” {'was imported already' if shown.state == State.DONE else f'is {shown.get_state_display()}'}."


def load(confirmed: BookImport) -> None:
    """Loads the confirmed rows batch by batch. Refuses a row whose book has changed since the preview."""
    waiting = confirmed.batches.filter(done=False).order_by("number")
    total = max(confirmed.batches.count(), 1)
    for pk, number in list(waiting.values_list("pk", "number")):
        try:
            load_batch(confirmed, ImportBatch.objects.get(pk=pk), (number + 1) / total)
        except Stopped:
            confirmed.refresh_from_db()
            if confirmed.state != State.LOADING:
                return
    with transaction.atomic():
        if confirmed.moved(of=State.LOADING, state=State.DONE, turn=None, progress=1, finished_at=timezone.now()):
            confirmed.parts.all().delete()


def load_batch(confirmed: BookImport, batch: ImportBatch, progress: float) -> None:
    staged = {row.line: row for row in batch.rows()}
    todo = [(line, row_of(row)) for line, row in staged.items() if row.outcome in {"new", "changed", "same"}]
    meant = {line: row.book_id for line, row in staged.items() if row.book_id}

    def record(done: list[Planned]) -> None:
        loaded = dict(staged)  # a batch that is tried again is compared with what was shown
        for plan in done:
            if staged[plan.number].outcome == "same" and plan.outcome != "refused":
                continue
            loaded[plan.number] = staged_row(plan)
        columns = ImportBatch.columns_of(list(loaded.values()))
        # Both UPDATEs are in the transaction of the books, so that no row is loaded twice, or after a cancellation.
        if not ImportBatch.objects.filter(pk=batch.pk, done=False).update(done=True, **columns):
            raise Stopped
        if not confirmed.moved(of=State.LOADING, progress=progress):
            raise Stopped
        history.write(done)
        if history.event_id != confirmed.event_id:
            confirmed.moved(of=State.LOADING, event_id=history.event_id)

    actor = Actor(confirmed.user_email, confirmed.user_id, Channel.ADMIN, confirmed.address)
    history = History(actor, confirmed.file_name, confirmed.event_id)
    with Loader(update=True, meant=meant, record=record) as loader:
        loader.load_as_shown(todo, lambda plan: changed_since(staged[plan.number], plan, retitle=confirmed.retitle))


def changed_since(shown: StagedRow, now: Planned, *, retitle: bool) -> Fault | None:
    """Why a row's plan differs from what was shown and confirmed; None when it does not."""
    if shown.outcome == "new":
        return None if now.outcome == "new" else Fault("title", shown.title, ADDED)
    if now.book is None or now.book.pk != shown.book_id:
        return Fault("title", shown.title, GONE)
    if now.retitles and not retitle:
        return Fault("title", now.book.title, KEPT_TITLE)
    for name, change in now.changes.items():
        before = shown.changes[name][0] if name in shown.changes else as_text(now.row.fields[name])
        if before != change[0]:
            return Fault(
                name, change[0], f"It was {before or 'empty'} in the preview, and somebody has changed it since."
            )
    return None


def cancel(started: BookImport) -> bool:
    """Cancels an unfinished import; loaded rows stay. Returns whether it was unfinished."""
    now = timezone.now()
    return any(
        started.moved(of=state, state=State.CANCELLED, turn=None, finished_at=now)
        for state in (State.READING, State.SHOWN, State.FAILED, State.LOADING)
    )
