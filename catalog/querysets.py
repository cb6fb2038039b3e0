"""QuerySets of books and genres: filters, sorting, locks, and writes to many rows."""

from collections.abc import Collection, Iterable
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F
from django.utils import timezone

from bookstore.database.locks import DeletesUnderLock, lock, lock_shared
from catalog.exceptions import BookNotFound, GenreUnknown, naming_conflicts
from catalog.fields import FoldedField, UpdatedAtField
from catalog.folding import fold
from catalog.isbn import clean_isbn
from catalog.search.candidates import SMALL
from catalog.search.conditions import OF_AUTHOR, all_of
from catalog.search.document import Meets, PositionIn
from catalog.search.pages import SORTS, find
from catalog.search.query import Query, wanted_words
from catalog.search.vocabulary import SearchWord

if TYPE_CHECKING:
    from catalog.models import Book, Genre

# The largest id: no row has a higher one, and SQLite raises for a larger parameter.
MAX_ID = models.BigIntegerField.MAX_BIGINT

Sort = Literal["title", "price", "date", "created_at"]
Direction = Literal["asc", "desc"]
MOST = SMALL.ranked


class FoldingQuerySet(models.QuerySet[Any]):
    """Keeps folded fields up to date in writes that do not call `save()`."""

    def update(self, **fields: Any) -> int:
        """As Django's. The value of a text that is folded must be a string: an expression cannot be folded here."""
        for folded in folded_fields(self.model, fields):
            if folded.name in fields:  # called by bulk_update below, which has folded already
                continue
            if not isinstance(fields[folded.of], str):
                raise TypeError(f"{folded.of} is searched: update it to a string, not to an expression")
            fields[folded.name] = folded.folded(fields[folded.of])
        for stamp in stamps(self.model):
            fields.setdefault(stamp, timezone.now())
        return super().update(**fields)

    update.alters_data = True  # type: ignore[attr-defined]  # Django's mark for templates

    def bulk_update(self, objs: Iterable[Any], fields: Iterable[str], batch_size: int | None = None) -> int:
        objs, names = list(objs), with_folds(self.model, fields)
        for obj in objs:
            for name in names:
                self.model._meta.get_field(name).pre_save(obj, add=False)
        return super().bulk_update(objs, names, batch_size)

    bulk_update.alters_data = True  # type: ignore[attr-defined]  # Django's mark for templates

    def bulk_create(
        self,
        objs: Iterable[Any],
        batch_size: int | None = None,
        ignore_conflicts: bool = False,
        update_conflicts: bool = False,
        update_fields: Collection[str] | None = None,
        unique_fields: Collection[str] | None = None,
    ) -> list[Any]:
        if update_fields is not None:
            update_fields = with_folds(self.model, update_fields)
        return super().bulk_create(objs, batch_size, ignore_conflicts, update_conflicts, update_fields, unique_fields)

    bulk_create.alters_data = True  # type: ignore[attr-defined]  # Django's mark for templates


def folded_fields(model: type[models.Model], names: Iterable[str]) -> list[FoldedField]:
    """The folded fields that are computed from these."""
    names = set(names)
    return [field for field in model._meta.concrete_fields if isinstance(field, FoldedField) and field.of in names]


def stamps(model: type[models.Model]) -> list[str]:
    """The fields with the time of the last write."""
    return [field.name for field in model._meta.concrete_fields if isinstance(field, UpdatedAtField)]


def with_folds(model: type[models.Model], names: Iterable[str]) -> list[str]:
    """These fields, and those to be written with them: folded fields and the time of the last write."""
    names = list(names)
    more = [*(field.name for field in folded_fields(model, names)), *stamps(model)]
    return [*names, *(name for name in more if name not in names)]


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


class BookQuerySet(DeletesUnderLock, FoldingQuerySet):
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
        created = super().bulk_create(objs, *args, **options)
        SearchWord.objects.learn(created)
        return created

    bulk_create.alters_data = True  # type: ignore[attr-defined]  # Django's mark for templates

    def search(self, text: str) -> "BookQuerySet":
        """The books that a search finds among these, best first: at most as many as one search ranks (1,000, or 10,000
        in a catalogue under 100,000). A text without a letter or digit returns the books unchanged.

        Queries the database at once: 1 to 10 queries. Later filters change neither the order nor the bound.
        """
        if not wanted_words(text):
            return self
        ids = find(self, text, start=0, size=MOST).ids
        return self.filter(pk__in=ids).order_by(PositionIn(ids)) if ids else self.none()

    def by_author(self, text: str) -> "BookQuerySet":
        """Books whose author has, for each word of the text, a word that begins with it. All books for no word."""
        conditions = Query.of(text).everything
        return self.filter(Meets(all_of(conditions), OF_AUTHOR)) if conditions else self

    def of_isbn(self, text: str) -> "BookQuerySet | None":
        """The book with this ISBN-10 or ISBN-13; None when the text is not an ISBN."""
        try:
            return self.filter(isbn=clean_isbn(text))
        except ValidationError:
            return None

    def of_title_and_author(self, title: str, author: str) -> "BookQuerySet":
        """Books with this title and author, without regard to case and accents; often other editions."""
        return self.filter(title_folded=fold(title), author_folded=fold(author))

    def on_sale(self) -> "BookQuerySet":
        """Books that are not withdrawn, whatever their stock."""
        return self.filter(is_active=True)

    def in_stock(self) -> "BookQuerySet":
        return self.filter(stock_quantity__gt=0)

    def out_of_stock(self) -> "BookQuerySet":
        return self.filter(stock_quantity=0)

    def priced(self, minimum: Decimal | None = None, maximum: Decimal | None = None) -> "BookQuerySet":
        """Books in this range of prices, both ends included; None leaves an end open."""
        books = self
        if minimum is not None:
            books = books.filter(price__gte=minimum)
        if maximum is not None:
            books = books.filter(price__lte=maximum)
        return books

    def of_genre(self, genre_id: int) -> "BookQuerySet":
        """Books of one genre; none for an id beyond the column's range."""
        return self.filter(genre__id=genre_id)

    def of_genres(self, genre_ids: Collection[int]) -> "BookQuerySet":
        """Books of any of these genres."""
        return self.filter(genre_id__in=[genre_id for genre_id in genre_ids if 0 < genre_id <= MAX_ID])

    def published(self, first: date | None = None, last: date | None = None) -> "BookQuerySet":
        """Books published in this period, both days included; None leaves an end open. Undated ones match no bound."""
        books = self
        if first is not None:
            books = books.filter(publish_date__gte=first)
        if last is not None:
            books = books.filter(publish_date__lte=last)
        return books

    def sorted_by(self, sort: Sort, direction: Direction = "asc") -> "BookQuerySet":
        """Sorts ties by id in the same direction. Undated books come last in both directions."""
        key, tie = F(SORTS[sort]), F("id")
        if direction == "asc":
            return self.order_by(key.asc(nulls_last=True) if sort == "date" else key.asc(), tie.asc())
        return self.order_by(key.desc(nulls_last=True) if sort == "date" else key.desc(), tie.desc())

    def asked_for(
        self,
        *,
        author: str = "",
        genre_id: int | None = None,
        genre_ids: Collection[int] = (),
        min_price: Decimal | None = None,
        max_price: Decimal | None = None,
        in_stock: bool | None = None,
        published_from: date | None = None,
        published_to: date | None = None,
        isbn: str | None = None,
        sort: Sort = "title",
        sort_dir: Direction | None = None,
    ) -> "BookQuerySet":
        """The books for these parameters of GET /books, in its order, without `q`: `catalog.search.pages.find` then
        searches among them. `created_at` is newest first by default.
        """
        books = self.by_author(author).priced(min_price, max_price).published(published_from, published_to)
        if genre_id is not None:
            books = books.of_genre(genre_id)
        if genre_ids:
            books = books.of_genres(genre_ids)
        if in_stock is not None:
            books = books.in_stock() if in_stock else books.out_of_stock()
        if isbn is not None:
            books = books.filter(isbn=isbn)
        return books.sorted_by(sort, sort_dir or ("desc" if sort == "created_at" else "asc"))

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
