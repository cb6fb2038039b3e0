"""What the rows of a file do to the catalogue. The command and the admin's import both load by this one.

`plan` says what each row would do; `load` does it, a batch in one transaction; `load_as_shown` does it where the plan
is still the one that a person has confirmed.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
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
from catalog.models import Book, Genre

BATCH = 500  # rows: a transaction of some tens of milliseconds
ATTEMPTS = 5  # of one batch, while somebody else adds the same books
MET = {"40P01", "55P03"}  # PostgreSQL's deadlock_detected and lock_not_available, which is what a long wait ends in
TURNS = 0x626F6F6B73  # "books" in ASCII: the advisory lock of whoever imports

TWICE = "An earlier row of the file has this book, too: only the first one is taken."

Outcome = Literal["new", "changed", "same", "refused"]


@dataclass(slots=True)
class Counts:
    """Rows, by what became of them; and new genres."""

    added: int = 0
    changed: int = 0
    same: int = 0
    refused: int = 0
    genres: int = 0


@dataclass(slots=True)
class Planned:
    """What one row does: its line, the book that it means, and each value that it changes, from and to, as text."""

    number: int
    row: Row
    outcome: Outcome
    book: Book | None = None
    changes: dict[str, tuple[str, str]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    genre_before: int | None = None


# Compares a row's plan with what was confirmed: the reason for which it is refused, or none.
Confirmed = Callable[[Planned], Fault | None]


class Loader:
    """Adds the books of one file that are not there yet; with `update`, changes those that are.

    Nobody else need stop: a book that somebody changes meanwhile is waited for. One that another import adds is found,
    because batches take turns; so is one that anybody adds with the same ISBN.
    """

    def __init__(
        self,
        *,
        update: bool = False,
        dry_run: bool = False,
        meant: Mapping[int, int] | None = None,
        record: Callable[[list[Planned]], None] = lambda planned: None,
    ) -> None:
        """`meant` has the book that was confirmed for a line, for rows that could mean either of two.

        `record` writes down what a batch did, in its transaction: that is there if the books are, and only then.
        """
        self.update = update
        self.dry_run = dry_run
        self.meant = meant or {}
        self.counts = Counts()
        self.record = record
        self.seen = Seen()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.seen.close()

    def plan(self, rows: Sequence[tuple[int, Row]], *, lock: bool = False) -> list[Planned]:
        """What rows without faults do, given with their lines, in their order. 1 query; `lock` holds the books."""
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
        """How many genres rows that are only planned would make, that no earlier ones would. 1 query at most."""
        names = {same_name(plan.row.fields["genre"]) for plan in planned if "genre" in plan.changes}
        names = {name for name in names if self.seen.first("genre", name) is None}
        for name in names:
            self.seen.add(0, "genre", name)
        return len(names) - Genre.objects.filter(name_folded__in=names).count() if names else 0

    def load(self, rows: Sequence[tuple[int, Row]]) -> list[tuple[int, Fault]]:
        """Load rows without faults, given with their lines, in one transaction. Those that are refused still.

        4 queries, 1 more on PostgreSQL, and the transaction's own; with genres up to 4 more, and 1 INSERT for each of
        what is new and changed.
        """
        if self.dry_run:
            planned = self.plan(rows)
            self.counts.genres += self.new_genres(planned)
        else:
            planned = self.load_as_shown(rows, lambda plan: None)
        self.count(planned)
        return [(plan.number, fault) for plan in planned for fault in plan.faults]

    def count(self, planned: Iterable[Planned]) -> None:
        names = {"new": "added", "changed": "changed", "same": "same", "refused": "refused"}
        for plan in planned:
            name = names[plan.outcome]
            setattr(self.counts, name, getattr(self.counts, name) + 1)

    def load_as_shown(self, rows: Sequence[tuple[int, Row]], confirmed: Confirmed) -> list[Planned]:
        """Do what these rows do now, but for those that `confirmed` refuses. What was done, in the rows' order."""
        for attempt in range(ATTEMPTS):
            try:
                with transaction.atomic():
                    take_turn()
                    ids, made = held_genres(row.fields["genre"] for _, row in rows if "genre" in row.fields)
                    planned = [refused_unless(confirmed, plan) for plan in self.plan(rows, lock=True)]
                    write(planned, ids)
                    used = {ids[same_name(plan.row.fields["genre"])] for plan in planned if "genre" in plan.changes}
                    let_go(made - used)
                    self.record(planned)
                self.counts.genres += len(made & used)
                for plan in planned:
                    if plan.outcome == "new" and plan.book:
                        self.seen.add(plan.number, "book", plan.book.pk)
                return planned
            except (IntegrityError, OperationalError) as error:
                if attempt + 1 == ATTEMPTS or not met_another(error):
                    raise
        raise AssertionError("the last attempt returns or raises")


def refused_unless(confirmed: Confirmed, plan: Planned) -> Planned:
    fault = confirmed(plan) if plan.outcome != "refused" else None
    return Planned(plan.number, plan.row, "refused", plan.book, {}, [fault]) if fault else plan


def differences(book: Book, row: Row) -> dict[str, tuple[str, str]]:
    """What a row changes of a book: each column with the value that is there, and the row's, as text."""
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
    """1 INSERT for what is new and 1 for what changed. The books are locked, and so are the genres."""
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
        # One statement where bulk_update would write a CASE for each field. The rows are there, and locked.
        changed = [plan.book for plan in planned if plan.outcome == "changed" and plan.book]
        Book.objects.bulk_create(changed, update_conflicts=True, unique_fields=["id"], update_fields=sorted(touched))


def take_turn() -> None:
    """Until its transaction ends one import writes alone: the next one looks for its books when this one's are there.

    No constraint would stop a book without an ISBN from being added twice. Waits `lock_timeout` at most. 1 query on
    PostgreSQL; none on SQLite, which has one writer at a time.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [TURNS])


def held_genres(names: Iterable[str]) -> tuple[dict[str, int], set[int]]:
    """The ids of these genres by their folded names, held to the end of the transaction; which of them were made.

    Somebody can delete a genre between its making by a third and the look for it: then it is made again.
    """
    wanted: dict[str, str] = {}
    for name in names:
        wanted.setdefault(same_name(name), name)  # spelt as in the first row that has it
    if not wanted:
        return {}, set()
    genres = Genre.objects.select_for_update(no_key=True).filter(name_folded__in=wanted).order_by("id")
    ids: dict[str, int] = dict(genres.values_list("name_folded", "id"))
    there = set(ids.values())
    while missing := [Genre(name=name) for folded, name in wanted.items() if folded not in ids]:
        Genre.objects.bulk_create(missing, ignore_conflicts=True)
        ids = dict(genres.values_list("name_folded", "id"))
    return ids, set(ids.values()) - there


def let_go(made: set[int]) -> None:
    """Delete genres that were made for rows which then changed nothing. Nobody else has seen them yet."""
    if made:
        Genre.objects.filter(pk__in=made, books=None).delete()


def met_another(error: IntegrityError | OperationalError) -> bool:
    """Whether somebody else just added a book of this batch, or still does: at the next attempt it is there."""
    if isinstance(error, IntegrityError):
        return violated(error, "uq_books_isbn", "books.isbn")
    return sqlstate(error) in MET


def repeated(row: Row, line: int) -> Fault:
    column = "isbn" if "isbn" in row.fields else "title"
    return Fault(column, f"{row.fields[column]}, as on line {line}", TWICE)
