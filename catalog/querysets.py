"""Sets of books and of genres: what they can be asked for, and the rules of every write to many."""

from collections.abc import Collection, Iterable
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Case, F, IntegerField, Value, When

from bookstore.api.pagination import Total, exactly, is_small, read_page, total_of
from bookstore.database.locks import DeletesUnderLock, lock_shared
from catalog.exceptions import BookNotFound, GenreUnknown, naming_conflicts
from catalog.fields import FoldedField, clean_isbn
from catalog.folding import fold
from catalog.search.document import HasWords
from catalog.search.query import MAX_QUERY_WORDS, wanted_words

if TYPE_CHECKING:
    from catalog.models import Book, Genre

# What the column holds: no row has a higher one, and SQLite cannot even be asked for it.
MAX_ID = models.BigIntegerField.MAX_BIGINT

# Books that one search ranks: those of the lowest ids. A letter finds half of a catalogue; this much of it is compared,
# and of a catalogue with fewer than pagination.SMALL_TABLE books this much.
RANKED = 1_000
RANKED_OF_FEW = 10_000

Sort = Literal["title", "price", "date", "created_at"]
Direction = Literal["asc", "desc"]
SORTS: dict[str, str] = {
    "title": "title_folded",
    "price": "price",
    "date": "publish_date",
    "created_at": "created_at",
}


class FoldingQuerySet(models.QuerySet[Any]):
    """Keeps folded fields true on the ways of writing that pass by `save()`."""

    def update(self, **fields: Any) -> int:
        """As Django's. A folded text is given as text: one computed in the database cannot be folded here."""
        for folded in folded_fields(self.model, fields):
            if folded.name in fields:  # bulk_update below has folded already
                continue
            if not isinstance(fields[folded.of], str):
                raise TypeError(f"{folded.of} is searched: update it to a string, not to an expression")
            fields[folded.name] = folded.folded(fields[folded.of])
        return super().update(**fields)

    update.alters_data = True  # type: ignore[attr-defined]

    def bulk_update(self, objs: Iterable[Any], fields: Iterable[str], batch_size: int | None = None) -> int:
        objs, names = list(objs), with_folds(self.model, fields)
        for obj in objs:
            for name in names:
                self.model._meta.get_field(name).pre_save(obj, add=False)
        return super().bulk_update(objs, names, batch_size)

    bulk_update.alters_data = True  # type: ignore[attr-defined]

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

    bulk_create.alters_data = True  # type: ignore[attr-defined]


def folded_fields(model: type[models.Model], names: Iterable[str]) -> list[FoldedField]:
    """The folded fields that follow from these."""
    names = set(names)
    return [field for field in model._meta.concrete_fields if isinstance(field, FoldedField) and field.of in names]


def with_folds(model: type[models.Model], names: Iterable[str]) -> list[str]:
    names = list(names)
    return [*names, *(field.name for field in folded_fields(model, names) if field.name not in names)]


class GenreQuerySet(FoldingQuerySet):
    def by_name(self) -> "GenreQuerySet":
        return self.order_by("name_folded")

    def lock_existing(self, genre_id: int | None) -> None:
        """SELECT … FOR NO KEY UPDATE of a genre: it cannot be deleted before the transaction ends. None locks nothing.

        Raises GenreUnknown. 1 query.
        """
        # NO KEY UPDATE: who deletes the genre waits, who reads it does not.
        if genre_id is not None and not self.select_for_update(no_key=True).filter(pk=genre_id).exists():
            raise GenreUnknown

    def add(self, name: str) -> "Genre":
        """A new genre. Raises GenreConflict when there is one of this name, whatever its case and accents. 1 query."""
        with naming_conflicts():
            genre: Genre = self.create(name=name)
        return genre

    add.alters_data = True  # type: ignore[attr-defined]


def words_in_title(wanted: tuple[str, ...]) -> Any:
    """How many of these words begin a word of the title."""
    in_title = [
        Case(When(HasWords((word,), of="title_folded"), then=1), default=0, output_field=IntegerField())
        for word in wanted
    ]
    return sum(in_title, start=Value(0))


class BookQuerySet(DeletesUnderLock, FoldingQuerySet):
    ranked_by: tuple[str, ...] = ()  # the words of `search`

    def _clone(self) -> Any:
        clone = super()._clone()  # type: ignore[misc]  # Django's own way to give a queryset something to remember
        clone.ranked_by = self.ranked_by
        return clone

    def search(self, text: str) -> "BookQuerySet":
        """Books of which every word of the text is a prefix of a word of title or author, best first.

        Case and accents do not matter, and no word is an operator. Best is the book with the most of these words in its
        title; then the lower id. A text without a letter or digit leaves the books as they are. Of more than
        MAX_QUERY_WORDS different words the first ones count.

        Iterating ranks every book that is found; `read_page` bounds it.
        """
        wanted = wanted_words(text)[:MAX_QUERY_WORDS]
        if not wanted:
            return self
        found = self.filter(HasWords(wanted)).order_by(words_in_title(wanted).desc(), "id")
        found.ranked_by = wanted
        return found

    def read_page(self, start: int, size: int, *, count: bool = True) -> "tuple[list[Book], Total | None]":
        """For `page_of`."""
        if not self.ranked_by:
            return read_page(self, start, size, count=count)
        ids, total = self.find_page(start, size)
        # A book that was withdrawn or renamed since is found no more: the page is one shorter.
        books = self.order_by().in_bulk(ids)
        return [books[book_id] for book_id in ids if book_id in books], total if count else None

    def find_page(self, start: int, size: int) -> tuple[list[int], Total]:
        """The ids of one page of a search. The `RANKED` books with the lowest ids are ranked; any others follow by id.

        Of a small catalogue it is `RANKED_OF_FEW`.
        """
        matches, ranked = self.order_by("id"), RANKED
        hits = matches.annotate(hits=words_in_title(self.ranked_by)).values_list("id", "hits")
        candidates = list(hits[: ranked + 1])
        small = len(candidates) > ranked and is_small(self)
        if small:
            ranked = RANKED_OF_FEW
            candidates = list(hits[: ranked + 1])
        best = sorted(candidates[:ranked], key=lambda candidate: (-candidate[1], candidate[0]))
        ids = [book_id for book_id, _ in best[start : start + size]]
        if len(candidates) <= ranked:
            return ids, exactly(len(candidates))
        total = total_of(self, exact_up_to=ranked, counted=ranked + 1, small=small)
        if start + size > ranked:
            rest = matches.filter(id__gt=candidates[ranked - 1][0]).values_list("id", flat=True)
            ids += rest[max(start - ranked, 0) : start + size - ranked]
        return ids, total

    def by_author(self, text: str) -> "BookQuerySet":
        """Books of which every word of the text is a prefix of a word of the author. No word: all books."""
        wanted = wanted_words(text)[:MAX_QUERY_WORDS]
        return self.filter(HasWords(wanted, of="author_folded")) if wanted else self

    def of_isbn(self, text: str) -> "BookQuerySet | None":
        """The book with this ISBN, in whatever form it is written; None when the text is no ISBN."""
        try:
            return self.filter(isbn=clean_isbn(text))
        except ValidationError:
            return None

    def of_title_and_author(self, title: str, author: str) -> "BookQuerySet":
        """Books that a person would take for this one, whatever the case and the accents; often editions of it."""
        return self.filter(title_folded=fold(title), author_folded=fold(author))

    def on_sale(self) -> "BookQuerySet":
        """Not withdrawn, whatever the stock."""
        return self.filter(is_active=True)

    def in_stock(self) -> "BookQuerySet":
        return self.filter(stock_quantity__gt=0)

    def out_of_stock(self) -> "BookQuerySet":
        return self.filter(stock_quantity=0)

    def priced(self, minimum: Decimal | None = None, maximum: Decimal | None = None) -> "BookQuerySet":
        """Books at these prices, in the shop's currency, both ends included; None leaves an end open."""
        books = self
        if minimum is not None:
            books = books.filter(price__gte=minimum)
        if maximum is not None:
            books = books.filter(price__lte=maximum)
        return books

    def of_genre(self, genre_id: int) -> "BookQuerySet":
        """Books of one genre; an id that no genre can have finds none."""
        return self.filter(genre__id=genre_id)

    def sorted_by(self, sort: Sort, direction: Direction = "asc") -> "BookQuerySet":
        """Ties by id, in the same direction. Books without a date come last in both."""
        key, tie = F(SORTS[sort]), F("id")
        if direction == "asc":
            return self.order_by(key.asc(nulls_last=True) if sort == "date" else key.asc(), tie.asc())
        return self.order_by(key.desc(nulls_last=True) if sort == "date" else key.desc(), tie.desc())

    def asked_for(
        self,
        *,
        q: str = "",
        author: str = "",
        genre_id: int | None = None,
        min_price: Decimal | None = None,
        max_price: Decimal | None = None,
        in_stock: bool | None = None,
        sort: Sort = "title",
        sort_dir: Direction | None = None,
    ) -> "BookQuerySet":
        """The books that GET /books answers with for these parameters, in its order.

        A `q` with a word in it ranks, and `sort` does not apply. `created_at` is newest first unless told otherwise.
        """
        books = self.by_author(author).priced(min_price, max_price)
        if genre_id is not None:
            books = books.of_genre(genre_id)
        if in_stock is not None:
            books = books.in_stock() if in_stock else books.out_of_stock()
        return books.sorted_by(sort, sort_dir or ("desc" if sort == "created_at" else "asc")).search(q)

    def by_id(self, book_ids: Iterable[int]) -> "dict[int, Book]":
        """Those of these books that there are, by their ids. 1 query."""
        books: dict[int, Book] = self.in_bulk([book_id for book_id in book_ids if 0 < book_id <= MAX_ID])
        return books

    def lock_shared(self, book_ids: Iterable[int], *, unchanged: bool = False) -> None:
        """Nobody deletes these books until the transaction ends; `unchanged`: nor changes them. 1 query."""
        ids = [book_id for book_id in book_ids if 0 < book_id <= MAX_ID]
        lock_shared(self.filter(pk__in=ids), unchanged=unchanged)

    def find(self, book_id: int) -> "Book":
        """The book with this id. Raises BookNotFound. 1 query."""
        book: Book | None = self.filter(pk=book_id).first()
        if book is None:
            raise BookNotFound
        return book
