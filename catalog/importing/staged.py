"""Models of the staff's imports: the file, the plan of each row, and the progress.

All of it is in the database, so that an import can be resumed later, after a crash, and on any host."""

import json
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO

from django.conf import settings
from django.db import models, transaction
from django.utils import timezone

from catalog.folding import same_name
from catalog.importing.columns import COLUMNS, label_of
from catalog.importing.spelling import as_text, printable

PART = 500_000  # bytes of a file in one row of import_parts
IN_MEMORY = 1 << 20  # bytes of a file kept in memory during reading; more goes to a temporary file
KEPT_UNUSED = timedelta(days=7)  # of a file that was never loaded


class BookImportQuerySet(models.QuerySet["BookImport"]):
    def begin(self, file: Iterable[bytes], name: str, *, user: Any, options: dict[str, Any]) -> "BookImport":
        """Stages an uploaded file. 4 queries and 1 for each PART."""
        with transaction.atomic():
            started = self.create(
                file_name=printable(name)[:200], user_id=user.pk, user_email=user.get_username(), options=options
            )
            for number, data in enumerate(parts_of(file)):
                ImportPart.objects.create(book_import=started, number=number, data=data)
                started.size += len(data)
            started.save(update_fields=["size"])
        return started

    def old(self) -> "BookImportQuerySet":
        """Loaded imports older than AUDIT_DAYS, and others older than KEPT_UNUSED."""
        now = timezone.now()
        done, loading = BookImport.State.DONE, BookImport.State.LOADING
        never_loaded = ~models.Q(state__in=[done, loading]) & models.Q(created_at__lt=now - KEPT_UNUSED)
        loaded = models.Q(state=done, created_at__lt=now - timedelta(days=settings.AUDIT_DAYS))
        return self.filter(never_loaded | loaded)

    def prune(self, at_most: int | None = None) -> int:
        """Deletes old imports, each in its own transaction: it has up to 26 MB and a thousand rows. Returns how many.

        Locks the import, so that one which staff confirm meanwhile stays; leaves one that somebody else has locked, so
        that an upload waits for nobody. 6 queries each, and 1.
        """
        deleted = 0
        while (at_most is None or deleted < at_most) and self.old().exists():
            with transaction.atomic():
                free = self.old().order_by("pk").select_for_update(skip_locked=True)
                chosen = list(free.values_list("pk", flat=True)[:1])
                self.filter(pk__in=chosen).delete()
            if not chosen:
                break
            deleted += 1
        return deleted


class BookImport(models.Model):
    """One upload. `user_email` outlives the account."""

    class State(models.TextChoices):
        READING = "reading", "being read"
        SHOWN = "shown", "waiting to be confirmed"
        LOADING = "loading", "being imported"
        DONE = "done", "imported"
        FAILED = "failed", "not read"
        CANCELLED = "cancelled", "cancelled"

    file_name = models.CharField(max_length=200)
    user_id = models.BigIntegerField()
    user_email = models.CharField(max_length=320)
    address = models.CharField(max_length=64, blank=True)
    event_id = models.BigIntegerField(null=True)  # in the staff's history (bookstore.audit); may be pruned earlier
    created_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True)
    reader = models.CharField(max_length=32, blank=True, db_default="")  # random id of the reading run: the last wins
    retitle = models.BooleanField(default=False, db_default=False)  # whether books get another title by their ISBN
    size = models.IntegerField(default=0, db_default=0)  # bytes
    state = models.CharField(max_length=10, choices=State, default=State.READING)
    # TRUE while it is loading, else NULL: the unique constraint lets one import load at a time.
    turn = models.BooleanField(null=True)
    # Chosen by staff: encoding, dates, strict. Found by reading: ask_encoding, hidden.
    options = models.JSONField(default=dict)
    description = models.CharField(max_length=300, blank=True)  # the kind of file
    headings = models.JSONField(default=list)  # [heading, column or null] in the file's order
    problem = models.TextField(blank=True)
    progress = models.FloatField(default=0)  # of the current step, from 0 to 1
    rows = models.IntegerField(default=0)

    objects = BookImportQuerySet.as_manager()

    class Meta:
        db_table = "book_imports"
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["turn"], name="uq_book_imports_turn")]
        indexes = [models.Index(fields=["created_at"], name="ix_book_imports_created_at")]

    def __str__(self) -> str:
        return self.file_name

    def moved(self, *, of: str, of_reader: str | None = None, **fields: Any) -> bool:
        """Changes these fields if it is still in state `of` and of this reading. Returns whether it was. 1 query."""
        still = type(self).objects.filter(pk=self.pk, state=of)
        if not (still if of_reader is None else still.filter(reader=of_reader)).update(**fields):
            return False
        for name, value in fields.items():
            setattr(self, name, value)
        return True

    def file(self) -> BinaryIO:
        """The uploaded file. 1 query for each PART."""
        copy: Any = SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115  # the caller closes it
        parts = self.parts.order_by("number")
        for number in parts.values_list("number", flat=True):
            copy.write(parts.values_list("data", flat=True).get(number=number))
        copy.seek(0)
        return copy  # type: ignore[no-any-return]  # SpooledTemporaryFile is no BinaryIO to mypy

    def counts(self) -> dict[str, int]:
        """The number of rows by outcome, over all batches. 1 query."""
        sums = self.batches.aggregate(**{name: models.Sum(name, default=0) for name in COUNTED})
        return {name: int(sums[name]) for name in COUNTED}

    def written(self) -> int:
        """The number of books that loaded batches added or changed. 1 query."""
        sums = self.batches.filter(done=True).aggregate(n=models.Sum(models.F("new") + models.F("changed"), default=0))
        return int(sums["n"])

    def each_row(self, kind: str = "") -> Iterator["StagedRow"]:
        """Its rows in order, of one outcome or all. 1 query for each batch that has any; holds one batch in memory."""
        batches = self.batches.filter(**{f"{kind}__gt": 0}) if kind else self.batches.all()
        column = "told" if kind in {"refused", "noted"} else "data"
        for pk in batches.order_by("number").values_list("pk", flat=True):
            for row in unpacked(ImportBatch.objects.values_list(column, flat=True).get(pk=pk)):
                if not kind or row.is_of(kind):
                    yield row


class ImportPart(models.Model):
    """A piece of an uploaded file; deleted when the file is imported."""

    book_import = models.ForeignKey(BookImport, on_delete=models.CASCADE, related_name="parts")
    number = models.IntegerField()
    data = models.BinaryField()

    class Meta:
        db_table = "book_import_parts"
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["book_import", "number"], name="uq_book_import_parts_number")]

    def __str__(self) -> str:
        return f"part {self.number}"


OUTCOMES = ("new", "changed", "same", "refused")
COUNTED = (*OUTCOMES, "noted", "retitled")


def gives_another_title(changes: Mapping[str, Sequence[str]]) -> bool:
    """Whether the book with the row's ISBN has another title, so that the ISBN may be wrong."""
    return "title" in changes and same_name(changes["title"][0]) != same_name(changes["title"][1])


class StagedRow:
    """The plan of one row: its line, the book, the cells, each old and new value as text, and its faults."""

    __slots__ = ("book_id", "changes", "faults", "fields", "line", "notes", "outcome", "title", "unread_isbn")

    def __init__(
        self,
        line: int,
        outcome: str,
        title: str,
        book_id: int | None,
        fields: dict[str, Any],
        changes: dict[str, list[str]],
        faults: list[list[str]],
        notes: list[list[str]],
        unread_isbn: str,
    ) -> None:
        self.line, self.outcome, self.title, self.book_id = line, outcome, title, book_id
        self.fields, self.changes, self.faults, self.notes = fields, changes, faults, notes
        self.unread_isbn = unread_isbn

    @property
    def cells(self) -> list[tuple[str, str]]:
        """The label and the value of each column, in order."""
        return [(label_of(name), as_text(self.fields.get(name))) for name in COLUMNS]

    @property
    def retitles(self) -> bool:
        return self.outcome == "changed" and gives_another_title(self.changes)

    def is_of(self, kind: str) -> bool:
        """Whether the row is counted under one of COUNTED."""
        if kind == "noted":
            return bool(self.notes)
        return self.retitles if kind == "retitled" else self.outcome == kind

    def packed(self) -> list[Any]:
        return [
            self.line,
            self.outcome,
            self.title,
            self.book_id,
            self.fields,
            self.changes,
            self.faults,
            self.notes,
            self.unread_isbn,
        ]


class ImportBatch(models.Model):
    """Some hundred rows of an import, which are loaded in one transaction; `done` is set in the same one."""

    book_import = models.ForeignKey(BookImport, on_delete=models.CASCADE, related_name="batches")
    number = models.IntegerField()
    done = models.BooleanField(default=False)
    data = models.BinaryField()  # compressed JSON: a cell may have a NUL, which no text column of PostgreSQL takes
    told = models.BinaryField(default=b"", db_default=b"")  # likewise, only the refused and noted rows
    new = models.IntegerField(default=0)
    changed = models.IntegerField(default=0)
    same = models.IntegerField(default=0)
    refused = models.IntegerField(default=0)
    noted = models.IntegerField(default=0)
    retitled = models.IntegerField(default=0, db_default=0)  # changed rows whose ISBN is of a book with another title

    class Meta:
        db_table = "book_import_batches"
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["book_import", "number"], name="uq_book_import_batches_number")]

    def __str__(self) -> str:
        return f"batch {self.number}"

    @staticmethod
    def columns_of(rows: list[StagedRow]) -> dict[str, Any]:
        """The columns of a batch with these rows."""
        told = [row for row in rows if row.outcome == "refused" or row.notes]
        counts = {name: sum(row.is_of(name) for row in rows) for name in COUNTED}
        return {"data": packed(rows), "told": packed(told), **counts}

    def rows(self) -> list[StagedRow]:
        return unpacked(bytes(self.data))


def packed(rows: list[StagedRow]) -> bytes:
    return zlib.compress(json.dumps([row.packed() for row in rows]).encode(), 6)


def unpacked(data: bytes) -> list[StagedRow]:
    return [StagedRow(*row) for row in json.loads(zlib.decompress(data))] if data else []


class HeadingChoice(models.Model):
    """The column that staff chose for a heading, used for later files; "" for a heading to skip."""

    name = models.CharField(max_length=100, unique=True)  # normalised by `column_name`
    column = models.CharField(max_length=30, blank=True)

    class Meta:
        db_table = "book_import_headings"
        default_permissions = ()

    def __str__(self) -> str:
        return self.name


def chosen_headings() -> dict[str, str]:
    """The choices of staff for headings, by `column_name`. 1 query."""
    return dict(HeadingChoice.objects.values_list("name", "column"))


def parts_of(file: Iterable[bytes]) -> Iterator[bytes]:
    """Splits bytes into pieces of PART."""
    held = b""
    for piece in file:
        held += piece
        while len(held) >= PART:
            yield held[:PART]
            held = held[PART:]
    if held:
        yield held
