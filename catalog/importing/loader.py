"""What the rows of a spreadsheet do to the catalogue: a batch is one transaction, and can be loaded again."""

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from types import TracebackType
from typing import Self

from django.db import IntegrityError, OperationalError, connection, transaction
from django.db.models import Q

from bookstore.database import sqlstate
from bookstore.database.constraints import violated
from catalog.folding import fold, same_name
from catalog.importing.rows import Fault, Row, same_book
from catalog.models import Book, Genre

BATCH = 500  # rows: a transaction of some tens of milliseconds
ATTEMPTS = 5  # of one batch, while somebody else adds the same books
MET = {"40P01", "55P03"}  # PostgreSQL's deadlock_detected and lock_not_available, which is what a long wait ends in
TURNS = 0x626F6F6B73  # "books" in ASCII: the advisory lock of whoever imports

TWICE = "An earlier row of the file has this book, too: only the first one is taken."


@dataclass(slots=True)
class Counts:
    """Rows, by what became of them."""

    added: int = 0
    changed: int = 0
    same: int = 0
    refused: int = 0
    genres: int = 0


class Seen:
    """Which line has which book. In a temporary file of SQLite's: a million rows are not held in memory."""

    def __init__(self) -> None:
        self.lines = sqlite3.connect("")
        self.lines.execute("PRAGMA journal_mode=OFF")
        self.lines.execute("CREATE TABLE lines (key BLOB PRIMARY KEY, number INTEGER) WITHOUT ROWID")

    def first(self, *key: object) -> int | None:
        """The line that has this book; None when no line has had it."""
        found = self.lines.execute("SELECT number FROM lines WHERE key = ?", (self.digest(key),)).fetchone()
        return int(found[0]) if found else None

    def add(self, number: int, *key: object) -> None:
        self.lines.execute("INSERT OR IGNORE INTO lines VALUES (?, ?)", (self.digest(key), number))

    @staticmethod
    def digest(key: tuple[object, ...]) -> bytes:
        return blake2b(repr(key).encode(errors="surrogatepass"), digest_size=16).digest()

    def close(self) -> None:
        self.lines.close()


class Loader:
    """Adds the books of one file that are not there yet; with `update`, changes those that are.

    A row with an ISBN is the book of that ISBN. A row without one is the book of that title and author, whatever their
    case and accents: the one without an ISBN if there are several. Nobody else need stop: a book that somebody changes
    meanwhile is waited for. One that another import adds is found, because batches take turns; so is one that anybody
    adds with the same ISBN.
    """

    def __init__(self, *, update: bool = False, dry_run: bool = False) -> None:
        self.update = update
        self.dry_run = dry_run
        self.counts = Counts()
        self.seen = Seen()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.seen.close()

    def load(self, rows: Sequence[tuple[int, Row]]) -> list[tuple[int, Fault]]:
        """Load rows without faults, given with their lines, in one transaction. Those that are refused still.

        3 queries, 1 more on PostgreSQL, and the transaction's own; with genres up to 3 more, and 1 INSERT for each of
        what is new and changed.
        """
        refused: list[tuple[int, Fault]] = []
        first: list[tuple[int, Row]] = []
        for number, row in rows:
            earlier = self.seen.first(*row.identity)
            if earlier is not None:
                refused.append((number, repeated(row, earlier)))
                continue
            first.append((number, row))
            self.seen.add(number, *row.identity)
            self.seen.add(number, *same_book(row.fields["title"], row.fields["author"]))
        for attempt in range(ATTEMPTS):
            try:
                with transaction.atomic():
                    if not self.dry_run:
                        take_turn()
                    counts, twice = self._load(first)
                    if self.dry_run:
                        transaction.set_rollback(True)
                break
            except (IntegrityError, OperationalError) as error:
                if attempt + 1 == ATTEMPTS or not met_another(error):
                    raise
        self.counts.added += counts.added
        self.counts.changed += counts.changed
        self.counts.same += counts.same
        self.counts.genres += counts.genres
        self.counts.refused += len(refused) + len(twice)
        return refused + twice

    def _load(self, rows: Sequence[tuple[int, Row]]) -> tuple[Counts, list[tuple[int, Fault]]]:
        counts = Counts()
        genres, counts.genres = held_genres(row.fields["genre"] for _, row in rows if "genre" in row.fields)
        books = Known([row for _, row in rows], lock=self.update and not self.dry_run)
        new: list[Book] = []
        changed: list[Book] = []
        touched: set[str] = set()
        twice: list[tuple[int, Fault]] = []
        for number, row in rows:
            values = dict(row.fields)
            if "genre" in values:
                values["genre_id"] = genres[same_name(values.pop("genre"))]
            book = books.of(row)
            if book is None:
                new.append(Book(**values))
                continue
            # A row with the ISBN and one without can mean the same book of the catalogue.
            earlier = self.seen.first("book", book.pk)
            if earlier is not None and earlier != number:
                twice.append((number, repeated(row, earlier)))
                continue
            self.seen.add(number, "book", book.pk)
            differing = {name for name, value in values.items() if getattr(book, name) != value}
            if self.update and differing:
                for name in differing:
                    setattr(book, name, values[name])
                touched |= differing
                changed.append(book)
            else:
                counts.same += 1
        Book.objects.bulk_create(new)
        if changed:
            names = [Book._meta.get_field(name).name for name in sorted(touched)]
            # One statement where bulk_update would write a CASE for each field. The rows are there, and locked.
            Book.objects.bulk_create(changed, update_conflicts=True, unique_fields=["id"], update_fields=names)
        counts.added, counts.changed = len(new), len(changed)
        return counts, twice


class Known:
    """The books of the catalogue that these rows can mean. 2 queries at most; locked by id for a change."""

    def __init__(self, rows: Sequence[Row], *, lock: bool) -> None:
        isbns = {row.fields["isbn"] for row in rows if "isbn" in row.fields}
        titles = {fold(row.fields["title"]) for row in rows if "isbn" not in row.fields}
        wanted = Q(isbn__in=isbns) | Q(title_folded__in=titles)
        books = Book.objects.filter(wanted).order_by("id")
        if lock:
            books = books.select_for_update(no_key=True)
        self.by_isbn: dict[str, Book] = {}
        self.by_name: dict[tuple[str, str], Book] = {}
        for book in books:
            if book.isbn:
                self.by_isbn[book.isbn] = book
            key = same_book(book.title, book.author)
            there = self.by_name.get(key)
            if there is None or (there.isbn and not book.isbn):
                self.by_name[key] = book

    def of(self, row: Row) -> Book | None:
        isbn = row.fields.get("isbn")
        if isbn:
            return self.by_isbn.get(isbn)
        return self.by_name.get(same_book(row.fields["title"], row.fields["author"]))


def take_turn() -> None:
    """Until its transaction ends one import writes alone: the next one looks for its books when this one's are there.

    No constraint would stop a book without an ISBN from being added twice. Waits `lock_timeout` at most. 1 query on
    PostgreSQL; none on SQLite, which has one writer at a time.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [TURNS])


def held_genres(names: Iterable[str]) -> tuple[dict[str, int], int]:
    """The ids of these genres by their folded names, held to the end of the transaction; how many had to be made."""
    wanted: dict[str, str] = {}
    for name in names:
        wanted.setdefault(same_name(name), name)  # spelt as in the first row that has it
    if not wanted:
        return {}, 0
    genres = Genre.objects.select_for_update(no_key=True).filter(name_folded__in=wanted).order_by("id")
    ids: dict[str, int] = dict(genres.values_list("name_folded", "id"))
    missing = [Genre(name=name) for folded, name in wanted.items() if folded not in ids]
    if missing:
        Genre.objects.bulk_create(missing, ignore_conflicts=True)
        ids = dict(genres.values_list("name_folded", "id"))
    return ids, len(missing)


def met_another(error: IntegrityError | OperationalError) -> bool:
    """Whether somebody else just added a book of this batch, or still does: at the next attempt it is there."""
    if isinstance(error, IntegrityError):
        return violated(error, "uq_books_isbn", "books.isbn")
    return sqlstate(error) in MET


def repeated(row: Row, line: int) -> Fault:
    column = "isbn" if "isbn" in row.fields else "title"
    return Fault(column, f"{row.fields[column]}, as on line {line}", TWICE)
