"""Finds the book of the catalogue that a row means: by its ISBN, else by its title and author."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from django.db.models import Q

from catalog.folding import fold
from catalog.importing.rows import Row, could_be, same_book
from catalog.importing.seen import Seen
from catalog.models import Book


class Undecided(Exception):
    """A row with an invalid ISBN may mean several books or another edition. The message is for staff."""


class Known:
    """The books that these rows can mean. 1 query; with `lock` they are locked in id order."""

    def __init__(self, rows: Sequence[Row], seen: Seen, meant: Mapping[int, int], *, lock: bool) -> None:
        self.seen, self.meant = seen, meant
        isbns = {row.fields["isbn"] for row in rows if "isbn" in row.fields}
        titles = {fold(row.fields["title"]) for row in rows if "isbn" not in row.fields}
        authors = {fold(row.fields["author"]) for row in rows if "isbn" not in row.fields}
        wanted = Q(isbn__in=isbns) | Q(title_folded__in=titles, author_folded__in=authors)
        books = Book.objects.filter(wanted).select_related("genre").order_by("id")
        if lock:
            books = books.select_for_update(of=("self",), no_key=True)
        self.by_isbn: dict[str, Book] = {}
        self.by_name: defaultdict[tuple[str, str], list[Book]] = defaultdict(list)
        for book in books:
            if book.isbn:
                self.by_isbn[book.isbn] = book
            self.by_name[same_book(book.title, book.author)].append(book)

    def of(self, number: int, row: Row) -> Book | None:
        """The book of the row with this number; None for a new book. Raises Undecided."""
        isbn = row.fields.get("isbn")
        if isbn:
            return self.by_isbn.get(isbn)
        namesakes = self.by_name[row.name]
        without = [book for book in namesakes if book.isbn is None]
        if row.unread_isbn:
            return self.of_unread(row, namesakes, without)
        # Several books with this title and author and no ISBN: each row gets the one with the fewest differing values.
        free = [book for book in without if self.seen.first("book", book.pk) in {None, number}]
        if free:
            return min(free, key=lambda book: (book.pk != self.meant.get(number), misfit(book, row), book.pk))
        return without[0] if without else namesakes[0] if namesakes else None

    def of_unread(self, row: Row, namesakes: list[Book], without: list[Book]) -> Book | None:
        rounded = [book for book in namesakes if book.isbn and could_be(book.isbn, row.unread_isbn)]
        if len(rounded) == 1:
            return rounded[0]
        if not namesakes:
            return None
        if len(namesakes) == len(without) == 1:
            return without[0]
        there = ", ".join(book.isbn or "no ISBN" for book in namesakes[:3])
        raise Undecided(
            f"The ISBN cannot be read, and the catalogue has this title and author ({there}): it is not certain "
            "whether the row means that book."
        )


def misfit(book: Book, row: Row) -> int:
    """The number of the row's values that differ from the book's."""
    return sum(getattr(book, name) != value for name, value in row.fields.items() if name != "genre")
