"""The data of an import's page: the number of rows by outcome, the first rows of each, and the columns of the
headings."""

from collections.abc import Iterable
from itertools import islice
from typing import Any

from django.conf import settings

from catalog.importing.columns import COLUMNS, label_of
from catalog.importing.staged import COUNTED, BookImport, StagedRow

MAX_SHOWN = 200  # rows of each outcome
MAX_MAPPED = 100  # headings that staff can map to a column

State = BookImport.State


def preview_of(shown: BookImport) -> dict[str, Any]:
    """The context of the page. 1 query, 1 more of a cancelled import, and 1 for each batch of rows that is shown."""
    counts = shown.counts()
    is_read = shown.state not in {State.READING, State.LOADING}
    headings = [(place, heading, column) for place, (heading, column) in enumerate(shown.headings) if heading]
    return {
        "shown": shown,
        "State": State,
        "counts": counts,
        "rows": {
            kind: [named(row) for row in islice(shown.each_row(kind), MAX_SHOWN)]
            for kind in COUNTED
            if kind != "same" and counts[kind] and is_read
        },
        "max_shown": MAX_SHOWN,
        "written": shown.written() if shown.state == State.CANCELLED else 0,
        "importing": counts["new"] + counts["changed"] - counts["retitled"],
        "labels": [(name, label_of(name)) for name in COLUMNS],
        "unread": [heading for heading, column in shown.headings if heading and not column],
        "headings": headings[:MAX_MAPPED],
        "currency": settings.SHOP_CURRENCY,
    }


def named(row: StagedRow) -> StagedRow:
    """Replaces the names of columns by their labels."""
    row.changes = {label_of(name): change for name, change in row.changes.items()}
    row.faults = labelled(row.faults)
    row.notes = labelled(row.notes)
    return row


def labelled(faults: Iterable[list[str]]) -> list[list[str]]:
    return [[label_of(column), *rest] for column, *rest in faults]


def lines_of(staged: StagedRow) -> list[tuple[Any, ...]]:
    """The report lines of a row: one for each change, each fault and each cell that was left out."""
    row = named(staged)
    line, outcome, title = row.line, row.outcome, row.title
    lines: list[tuple[Any, ...]] = [
        (line, outcome, title, column, value, "", reason) for column, value, reason in row.faults
    ]
    lines += [(line, outcome, title, column, *change, "") for column, change in row.changes.items()]
    lines += [(line, "left out", title, column, value, "", reason) for column, value, reason in row.notes]
    return lines or [(line, outcome, title, "", "", "", "")]
