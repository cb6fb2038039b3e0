"""QuerySets of genres and books: writes to many rows, locks, and books by id."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django.db.models.expressions import DatabaseDefault
from django.utils import timezone

from bookstore.database.locks import DeletesUnderLock, lock, lock_shared
from catalog.book_filters import MAX_ID, BookFilters
from catalog.exceptions import BookNotFound, GenreUnknown, naming_conflicts
from catalog.folded_rows import FoldingQuerySet, folded_fields
from catalog.search.vocabulary import SearchWord

if TYPE_CHECKING:
    from catalog.models import Book, Genre


class GenreQuerySet(FoldingQuerySet):
    def by_name(self) -> "GenreQuerySet":
        return self.order_by("name_folded")

    def lock_existing(self, genre_id: int | None) -> None:
        """SELECT … FOR NO KEY UPDATE of a genre: it cannot be deleted before the transaction ends. None locks nothing.

        Raises GenreUnknown. 1 query.
        """
        # NO KEY UPDATE: a DELETE of the genre waits, reads do not.
        if genre_id is not None and not self.select_for_update(no_key=True).filter(pk=genre_id).exists():
            raise GenreUnknown

    def add(self, name: str) -> "Genre":
        """Adds a genre. Raises GenreConflict when the name is taken, whatever its case and accents. 1 query."""
        with naming_conflicts():
            genre: Genre = self.create(name=name)
        return genre

    add.alters_data = True  # type: ignore[attr-defined]  # Django's mark for templates


class BookQuerySet(DeletesUnderLock, BookFilters):
    def update(self, **fields: Any) -> int:
        """As Django's. Adds the words of a new title or author to the search's vocabulary: 1 query more for each."""
        changed = super().update(**fields)
        texts = {name: text for name, text in fields.items() if name in {"title", "author"} and isinstance(text, str)}
        if texts:
            book = self.model(**texts)
            for folded in folded_fields(self.model, texts):
                folded.pre_save(book, add=False)
            SearchWord.objects.learn([book])
        return changed

    update.alters_data = True  # type: ignore[attr-defined]  # Django's mark for templates

    def bulk_update(self, objs: Iterable[Any], fields: Iterable[str], batch_size: int | None = None) -> int:
        objs, names = list(objs), list(fields)
        changed = super().bulk_update(objs, names, batch_size)
        if {"title", "author"} & set(names):
            SearchWord.objects.learn(objs)
        return changed

    bulk_update.alters_data = True  # type: ignore[attr-defined]  # Django's mark for templates

    def bulk_create(self, objs: Iterable[Any], *args: Any, **options: Any) -> list[Any]:
        """As Django's. Sets `created_at`: a value that the database is to fill in (`db_default`) would keep Django from
        sending the rows as arrays (UNNEST), and an import then takes a quarter more CPU.
        """
        objs = list(objs)
        moment = timezone.now()
        for book in objs:
            if isinstance(book.created_at, DatabaseDefault):
                book.created_at = moment
        created = super().bulk_create(objs, *args, **options)
        SearchWord.objects.learn(created)
        return created

    bulk_create.alters_data = True  # type: ignore[attr-defined]  # Django's mark for templates

    def by_id(self, book_ids: Iterable[int]) -> "dict[int, Book]":
        """The books that exist of these ids, by id. 1 query."""
        books: dict[int, Book] = self.in_bulk([book_id for book_id in book_ids if 0 < book_id <= MAX_ID])
        return books

    def lock(self, book_ids: Iterable[int]) -> None:
        """SELECT … FOR NO KEY UPDATE in id order: blocks changes of these books, not new lines with them. 1 query."""
        lock(self.filter(pk__in=[book_id for book_id in book_ids if 0 < book_id <= MAX_ID]), no_key=True)

    def lock_shared(self, book_ids: Iterable[int], *, unchanged: bool = False) -> None:
        """Shared lock: blocks deletions of these books; with `unchanged`, all changes too. 1 query."""
        ids = [book_id for book_id in book_ids if 0 < book_id <= MAX_ID]
        lock_shared(self.filter(pk__in=ids), unchanged=unchanged)

    def find(self, book_id: int) -> "Book":
        """The book with this id. Raises BookNotFound. 1 query."""
        book: Book | None = self.filter(pk=book_id).first()
        if book is None:
            raise BookNotFound
        return book
