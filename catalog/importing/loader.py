"""Loads the rows of a file into the catalogue, for the command and the admin's import.

`plan` computes the change of each row; `load` writes a batch in one transaction; `load_as_shown` writes only rows whose
plan is still the one that staff confirmed.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import TracebackType
from typing import Literal, Self

from django.db import IntegrityError, OperationalError, connection, transaction

from bookstore.database import sqlstate
from bookstore.database.constraints import violated
from catalog.folding import same_name
from catalog.importing.known import Known, Undecided
from catalog.importing.rows import Fault, Row
from catalog.importing.seen import Seen
from catalog.importing.spelling import as_text, comparable
from catalog.importing.staged import gives_another_title
from catalog.models import Book, Genre

BATCH = 500  # rows; one transaction takes some tens of milliseconds
ATTEMPTS = 5  # at one batch, while another writer adds the same books
RETRIED = {"40P01", "55P03"}  # deadlock_detected and lock_not_available, the end of a long wait
TURN_KEY = 0x626F6F6B73  # "books" in ASCII: the key of the imports' advisory lock

TWICE = "An earlier row of the file has this book, too: only the first one is taken."

OTHER_TITLE = "The book of this ISBN has another title: the ISBN may be wrong. --retitle gives it the file's title."

OUTDATED = "The book was changed after the file was written: orders may have taken copies since."

Outcome = Literal["new", "changed", "same", "refused"]


@dataclass(slots=True)
class Counts:
    """The numbers of rows by outcome, and of new genres."""

    added: int = 0
    changed: int = 0
    same: int = 0
    refused: int = 0
    genres: int = 0


@dataclass(slots=True)
class Planned:
    """The plan of one row: its number in the file, its book, and each changed value, from and to, as text."""

    number: int
    row: Row
    outcome: Outcome
    book: Book | None = None
    changes: dict[str, tuple[str, str]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    genre_before: int | None = None

    @property
    def retitles(self) -> bool:
        return self.outcome == "changed" and gives_another_title(self.changes)


# Compares a row's plan with the confirmed one: the reason to refuse it, or None.
Confirmed = Callable[[Planned], Fault | None]


class Loader:
    """Adds the new books of one file; with `update`, also changes existing ones.

    Safe beside other writers: it locks the books that it changes. A book added by another import is found, because
    batches take turns by an advisory lock; one added with the same ISBN is found by a retry.
    """

    def __init__(
        self,
        *,
        update: bool = False,
        dry_run: bool = False,
        meant: Mapping[int, int] | None = None,
        record: Callable[[list[Planned]], None] = lambda planned: None,
        written_at: datetime | None = None,
        retitle: bool = False,
    ) -> None:
        """`meant` has the confirmed book id of a row, for rows that could mean either of two books.

        `record` stores the result of a batch, in the batch's own transaction. A stock is refused for a book that
        changed after `written_at`, when the file was written: orders may have taken copies since. Without `retitle`,
        `load` refuses a row whose ISBN is of a book with another title.
        """
        self.update = update
        self.dry_run = dry_run
        self.meant = meant or {}
        self.counts = Counts()
        self.record = record
        self.written_at = written_at
        self.retitle = retitle
        self.seen = Seen()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.seen.close()

    def plan(self, rows: Sequence[tuple[int, Row]], *, lock: bool = False) -> list[Planned]:
        """The plans of valid rows, given with their numbers, in their order. 1 query; `lock` locks the books."""
        known = Known([row for _, row in rows], self.seen, self.meant, lock=lock)
        return [self._plan(number, row, known) for number, row in rows]

    def _plan(self, number: int, row: Row, known: Known) -> Planned:
        earlier = self.seen.first(*row.identity)
        try:
            book = known.of(number, row)
        except Undecided as error:
            return Planned(number, row, "refused", faults=[Fault("isbn", row.unread_isbn, str(error))])
        if book is not None:
            # A row with the ISBN and one without can mean the same book of the catalogue.
            had = self.seen.first("book", book.pk)
            earlier = had if had is not None else None if book.isbn is None else earlier
        if earlier is not None and earlier != number:
            return Planned(number, row, "refused", faults=[repeated(row, earlier)])
        self.seen.add(number, *row.identity)
        self.seen.add(number, *row.name)
        if book is None:
            changes = {name: ("", as_text(value)) for name, value in row.fields.items()}
            return Planned(number, row, "new", changes=changes)
        self.seen.add(number, "book", book.pk)
        changes = differences(book, row) if self.update else {}
        return Planned(number, row, "changed" if changes else "same", book, changes, genre_before=book.genre_id)

    def new_genres(self, planned: Iterable[Planned]) -> int:
        """The number of new genres that planned rows would add, without those of earlier rows. 1 query at most."""
        names = {same_name(plan.row.fields["genre"]) for plan in planned if "genre" in plan.changes}
        names = {name for name in names if self.seen.first("genre", name) is None}
        for name in names:
            self.seen.add(0, "genre", name)
        return len(names) - Genre.objects.filter(name_folded__in=names).count() if names else 0

    def load(self, rows: Sequence[tuple[int, Row]]) -> list[Planned]:
        """Loads valid rows, given with their numbers, in one transaction. Returns the result of each.

        4 queries, 1 more on PostgreSQL, and the transaction's own; with genres up to 4 more, and 1 INSERT for
        new books and 1 for changed ones.
        """
        if self.dry_run:
            planned = [refused_unless(self.doubt, plan) for plan in self.plan(rows)]
            self.counts.genres += self.new_genres(planned)
        else:
            planned = self.load_as_shown(rows, self.doubt)
        self.count(planned)
        return planned

    def doubt(self, plan: Planned) -> Fault | None:
        """The fault of a row that is not written, though its cells are right."""
        if plan.retitles and not self.retitle:
            return Fault("title", " → ".join(plan.changes["title"]), OTHER_TITLE)
        return self.outdated(plan)

    def outdated(self, plan: Planned) -> Fault | None:
        """The fault of a stock that is not written, because the book changed after the file was written."""
        if self.written_at is None or plan.book is None or "stock_quantity" not in plan.changes:
            return None
        if plan.book.updated_at <= self.written_at:
            return None
        return Fault("stock_quantity", plan.changes["stock_quantity"][1], OUTDATED)

    def count(self, planned: Iterable[Planned]) -> None:
        names = {"new": "added", "changed": "changed", "same": "same", "refused": "refused"}
        for plan in planned:
            name = names[plan.outcome]
            setattr(self.counts, name, getattr(self.counts, name) + 1)

    def load_as_shown(self, rows: Sequence[tuple[int, Row]], confirmed: Confirmed) -> list[Planned]:
        """Writes these rows, except those that `confirmed` refuses. Returns the plans in the order of the rows."""
        for attempt in range(ATTEMPTS):
            try:
                with transaction.atomic():
                    take_turn()
                    ids, made = lock_genres(row.fields["genre"] for _, row in rows if "genre" in row.fields)
                    planned = [refused_unless(confirmed, plan) for plan in self.plan(rows, lock=True)]
                    write(planned, ids)
                    used = {ids[same_name(plan.row.fields["genre"])] for plan in planned if "genre" in plan.changes}
                    delete_unused(made - used)
                    self.record(planned)
                self.counts.genres += len(made & used)
                for plan in planned:
                    if plan.outcome == "new" and plan.book:
                        self.seen.add(plan.number, "book", plan.book.pk)
                return planned
            except (IntegrityError, OperationalError) as error:
                if attempt + 1 == ATTEMPTS or not met_another_writer(error):
                    raise
        raise AssertionError("the last attempt returns or raises")


def refused_unless(confirmed: Confirmed, plan: Planned) -> Planned:
    fault = confirmed(plan) if plan.outcome != "refused" else None
    return Planned(plan.number, plan.row, "refused", plan.book, {}, [fault]) if fault else plan


def differences(book: Book, row: Row) -> dict[str, tuple[str, str]]:
    """The columns of a book that a row changes: the old and the new value, as text."""
    changes = {}
    for name, value in row.fields.items():
        there = (book.genre.name if book.genre else None) if name == "genre" else getattr(book, name)
        if name == "genre":
            same = there is not None and same_name(there) == same_name(value)
        elif isinstance(value, str):
            same = comparable(there or "") == comparable(value)
        else:
            same = there == value
        if not same:
            changes[name] = (as_text(there), as_text(value))
    return changes


def write(planned: Sequence[Planned], genres: dict[str, int]) -> None:
    """1 INSERT for new books and 1 for changed ones. The caller has locked the books and the genres."""
    touched: set[str] = set()
    for plan in planned:
        if plan.outcome not in {"new", "changed"}:
            continue
        plan.book = plan.book or Book()
        for name in plan.changes:
            value = plan.row.fields[name]
            attribute, value = ("genre_id", genres[same_name(value)]) if name == "genre" else (name, value)
            setattr(plan.book, attribute, value)
            if plan.outcome == "changed":
                touched.add(name)
    Book.objects.bulk_create([plan.book for plan in planned if plan.outcome == "new" and plan.book])
    if touched:
        # One INSERT … ON CONFLICT, where bulk_update would write a CASE for each field. The rows exist and are locked.
        changed = [plan.book for plan in planned if plan.outcome == "changed" and plan.book]
        Book.objects.bulk_create(changed, update_conflicts=True, unique_fields=["id"], update_fields=sorted(touched))


def take_turn() -> None:
    """Advisory lock until the transaction ends: imports write one after the other, and each sees the last one's books.

    No constraint stops a book without an ISBN from being added twice. Waits `lock_timeout` at most. 1 query on
    PostgreSQL; none on SQLite, which has one writer at a time.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [TURN_KEY])


def lock_genres(names: Iterable[str]) -> tuple[dict[str, int], set[int]]:
    """Locks these genres and adds missing ones. Returns the ids by folded name, and which are new.

    A genre that is deleted between the INSERT and the SELECT is added again.
    """
    wanted: dict[str, str] = {}
    for name in names:
        wanted.setdefault(same_name(name), name)  # spelled as in the first row with it
    if not wanted:
        return {}, set()
    genres = Genre.objects.select_for_update(no_key=True).filter(name_folded__in=wanted).order_by("id")
    ids: dict[str, int] = dict(genres.values_list("name_folded", "id"))
    there = set(ids.values())
    while missing := [Genre(name=name) for folded, name in wanted.items() if folded not in ids]:
        Genre.objects.bulk_create(missing, ignore_conflicts=True)
        ids = dict(genres.values_list("name_folded", "id"))
    return ids, set(ids.values()) - there


def delete_unused(made: set[int]) -> None:
    """Deletes genres added for rows that then changed nothing. They are not committed yet."""
    if made:
        Genre.objects.filter(pk__in=made, books=None).delete()


def met_another_writer(error: IntegrityError | OperationalError) -> bool:
    """Whether another writer has added, or is adding, a book of this batch. The next attempt finds that book."""
    if isinstance(error, IntegrityError):
        return violated(error, "uq_books_isbn", "books.isbn")
    return sqlstate(error) in RETRIED


def repeated(row: Row, line: int) -> Fault:
    column = "isbn" if "isbn" in row.fields else "title"
    return Fault(column, f"{row.fields[column]}, as on line {line}", TWICE)
