"""Genres and books."""

from collections.abc import Container, Iterable
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, URLValidator
from django.db import models, transaction
from django.db.models import F, Q
from django.db.models.functions import Now

from bookstore.api.etags import version_of
from bookstore.api.text import UNSEEN, can_be_seen
from bookstore.database.locks import DeletedUnderLock
from catalog.exceptions import (
    BookChanged,
    BookNotFound,
    GenreConflict,
    IsbnConflict,
    StockOutOfRange,
    naming_conflicts,
)
from catalog.fields import FoldedField, IsbnField, SameNameField, SpellingsField, UpdatedAtField
from catalog.folded_rows import with_folds
from catalog.folding import same_name
from catalog.querysets import BookQuerySet, GenreQuerySet
from catalog.representation import BookFacts, book_json, dump
from catalog.search.document import OnPostgreSQL, SearchDocument, SearchDocumentField, SearchIndex
from catalog.search.vocabulary import SearchWord

MAX_STOCK = 2**31 - 1  # copies: the largest integer of the column
MAX_POPULARITY = 2**31 - 1
MIN_PRICE = Decimal("0.01")
# Columns that only filters of searches use, and that queries do not load.
NOBODY_READS = ("search_document", "title_spellings", "author_spellings")


def must_be_seen(row: models.Model, *names: str) -> None:
    """For forms: refuses a text without a visible character, as the API's fields do. Empty texts pass here."""
    unseen = [name for name in names if getattr(row, name) and not can_be_seen(getattr(row, name))]
    if unseen:
        raise ValidationError(dict.fromkeys(unseen, UNSEEN))


class Genre(models.Model):
    """A genre of books. Its name is unique without regard to case, accents and blanks, on every database."""

    name = models.CharField(max_length=100)
    name_folded = SameNameField(of="name")

    objects = GenreQuerySet.as_manager()

    class Meta:
        db_table = "genres"
        constraints = [
            models.UniqueConstraint(fields=["name_folded"], name="uq_genres_name"),
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, update_fields: Iterable[str] | None = None, **options: Any) -> None:
        if update_fields is not None:
            update_fields = with_folds(type(self), update_fields)
        super().save(*args, update_fields=update_fields, **options)

    def clean(self) -> None:
        """For forms, which show the error beside the field; the constraint holds for every writer."""
        must_be_seen(self, "name")
        namesakes = Genre.objects.filter(name_folded=same_name(self.name)).exclude(pk=self.pk)
        if namesakes.exists():
            raise ValidationError({"name": GenreConflict.message})


class BookManager(models.Manager.from_queryset(BookQuerySet)):  # type: ignore[misc]  # a class made at run time
    def get_queryset(self) -> BookQuerySet:
        """Defers the search columns: the database filters by them, and Python never reads them."""
        books: BookQuerySet = super().get_queryset().defer(*NOBODY_READS)
        return books

    def add(self, **fields: Any) -> "Book":
        """A new book. Raises IsbnConflict, GenreUnknown. 2 queries, 3 with a genre, and the transaction's own."""
        with naming_conflicts():
            Genre.objects.lock_existing(fields.get("genre_id"))
            book: Book = self.create(**fields)
        return book

    add.alters_data = True  # type: ignore[attr-defined]  # Django's mark for templates


class Book(DeletedUnderLock, models.Model):
    """A title with its price (in the shop's currency) and its stock (copies).

    Unknown values are NULL, in text fields too: an unknown ISBN equals no other.
    """

    title = models.CharField(max_length=500)
    author = models.CharField(max_length=255)
    price = models.DecimalField(max_digits=10, decimal_places=2, validators=[MinValueValidator(MIN_PRICE)])
    isbn = IsbnField("ISBN", null=True, blank=True)
    genre = models.ForeignKey(Genre, on_delete=models.PROTECT, null=True, blank=True, related_name="books")
    description = models.TextField(null=True, blank=True)  # noqa: DJ001  # the contract's null, not ""
    cover_image_url = models.CharField(  # noqa: DJ001  # the contract's null, not ""
        max_length=2048, null=True, blank=True, validators=[URLValidator(schemes=["http", "https"])]
    )
    publish_date = models.DateField(null=True, blank=True)
    stock_quantity = models.IntegerField(
        "stock", default=0, db_default=0, validators=[MinValueValidator(0), MaxValueValidator(MAX_STOCK)]
    )
    is_active = models.BooleanField(
        "on sale",
        default=True,
        db_default=True,
        help_text="Off: withdrawn. It leaves the list and the search; the carts that hold it show it as unavailable.",
    )
    popularity = models.IntegerField(
        default=0,
        db_default=0,
        validators=[MinValueValidator(0), MaxValueValidator(MAX_POPULARITY)],
        help_text="The higher, the earlier a book comes among equal search results. The shop decides what it counts.",
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = UpdatedAtField(db_default=Now(), editable=False)

    title_folded = FoldedField(of="title")
    author_folded = FoldedField(of="author")
    search_document = models.GeneratedField(
        expression=SearchDocument(), output_field=SearchDocumentField(), db_persist=True
    )
    title_spellings = SpellingsField(of="title", weight="1A")
    author_spellings = SpellingsField(of="author", weight="2B")

    objects = BookManager()

    class Meta:
        db_table = "books"
        constraints = [
            models.UniqueConstraint(
                fields=["isbn"], name="uq_books_isbn", violation_error_message=IsbnConflict.message
            ),
            models.CheckConstraint(
                condition=Q(price__gt=0), name="ck_books_price", violation_error_message="A price is above 0."
            ),
            models.CheckConstraint(
                condition=Q(stock_quantity__gte=0, stock_quantity__lte=MAX_STOCK),
                name="ck_books_stock_quantity",
                violation_error_message="A stock is 0 or more.",
            ),
            models.CheckConstraint(
                condition=Q(popularity__gte=0),
                name="ck_books_popularity",
                violation_error_message="A popularity is 0 or more.",
            ),
        ]
        indexes = [
            SearchIndex(fields=["search_document"], name="ix_books_search"),
            SearchIndex(fields=["title_spellings", "author_spellings"], name="ix_books_spellings"),
            # Each ends with is_active, so that an index-only scan finds a deep page of the books on sale.
            models.Index(fields=["title_folded", "id", "is_active"], name="ix_books_by_title"),
            models.Index(fields=["price", "id", "is_active"], name="ix_books_by_price"),
            models.Index(fields=["publish_date", "id", "is_active"], name="ix_books_by_date"),
            # Read backwards, an index of PostgreSQL has its NULLs first: newest first with undated last needs its own.
            OnPostgreSQL(
                F("publish_date").desc(nulls_last=True), F("id").desc(), F("is_active"), name="ix_books_by_date_desc"
            ),
            models.Index(fields=["created_at", "id", "is_active"], name="ix_books_by_created_at"),
            models.Index(F("popularity").desc(), F("id"), F("is_active"), name="ix_books_by_popularity"),
            # Filters by genre and price together: with a million books neither index alone is fast.
            models.Index(fields=["genre", "price", "id", "is_active"], name="ix_books_by_genre"),
        ]

    def __str__(self) -> str:
        return self.title

    def save(self, *args: Any, update_fields: Iterable[str] | None = None, **options: Any) -> None:
        """As Django's, with the folded fields. A saved title or author costs 1 query more, for the search's words."""
        if update_fields is not None:
            update_fields = with_folds(type(self), update_fields)
        super().save(*args, update_fields=update_fields, **options)
        if update_fields is None or {"title", "author"} & set(update_fields):
            SearchWord.objects.learn([self])

    def clean(self) -> None:
        must_be_seen(self, "title", "author")

    @property
    def currency(self) -> str:
        return str(settings.SHOP_CURRENCY)

    @property
    def in_stock(self) -> bool:
        return self.stock_quantity > 0

    def change(self, *, if_match: Container[str] | None = None, **fields: Any) -> dict[str, tuple[Any, Any]]:
        """Updates only these fields, then refreshes the others from the database.

        `Book(pk=42)` need not be read first. Returns (from, to) of each field whose value changed.

        `if_match` has the versions of the book that the caller may have seen: the ETags of GET /books/{id}.
        Raises BookNotFound when the book was deleted meanwhile, BookChanged, IsbnConflict, GenreUnknown. 3 queries, 1
        more with a genre, 1 more with a title or an author, 1 more with `if_match`.
        """
        with naming_conflicts():
            Genre.objects.lock_existing(fields.get("genre_id"))
            books = type(self).objects.filter(pk=self.pk)
            before = books.select_for_update(no_key=True).values(*fields).first() if fields else {}
            if if_match is not None:
                self.refuse_unseen(if_match)
            if fields and not (before and books.update(**fields)):
                raise BookNotFound
            try:
                self.refresh_from_db(from_queryset=type(self).objects.all())
            except self.DoesNotExist as error:
                raise BookNotFound from error
        pairs = {name: (old, getattr(self, name)) for name, old in (before or {}).items()}
        return {name.removesuffix("_id"): pair for name, pair in pairs.items() if pair[0] != pair[1]}

    change.alters_data = True  # type: ignore[attr-defined]  # Django's mark for templates

    def refuse_unseen(self, if_match: Container[str]) -> None:
        """Raises BookChanged unless the book has one of these versions. Call it under the row's lock. One query."""
        row = type(self).objects.filter(pk=self.pk).values_list(*BookFacts._fields).first()
        if row and version_of(dump(book_json(BookFacts(*row)))) not in if_match:
            raise BookChanged

    def set_stock(self, copies: int, *, if_match: Container[str] | None = None) -> dict[str, tuple[Any, Any]]:
        """Sets the stock to this number of copies, and refreshes the other fields.

        Overwrites what orders took since `copies` was counted, unless `if_match` says what was seen then. As `change`:
        3 queries.
        """
        return self.change(stock_quantity=copies, if_match=if_match)

    set_stock.alters_data = True  # type: ignore[attr-defined]  # Django's mark for templates

    def add_stock(self, copies: int, *, if_match: Container[str] | None = None) -> dict[str, tuple[Any, Any]]:
        """Adds copies, or removes them with a negative number; correct also beside concurrent orders.

        Raises StockOutOfRange, and as `change`. 4 queries, 1 more with `if_match`.
        """
        with transaction.atomic():
            stocks = type(self).objects.filter(pk=self.pk).select_for_update(no_key=True)
            there = stocks.values_list("stock_quantity", flat=True).first()
            if there is None:
                raise BookNotFound
            if if_match is not None:  # before the range, of which a caller with an old ETag may know too little
                self.refuse_unseen(if_match)
            if not 0 <= there + copies <= MAX_STOCK:
                raise StockOutOfRange(available=there)
            return self.change(stock_quantity=there + copies)

    add_stock.alters_data = True  # type: ignore[attr-defined]  # Django's mark for templates

    def remove(self) -> None:
        """As `delete`, but raises BookNotFound when the book was deleted already."""
        deleted, _ = type(self).objects.filter(pk=self.pk).delete()
        if not deleted:
            raise BookNotFound

    remove.alters_data = True  # type: ignore[attr-defined]  # Django's mark for templates


class CatalogueState(models.Model):
    """One row. A trigger renews its stamp when the list of books changes: catalog/catalogue_state.py says when."""

    id = models.SmallIntegerField(primary_key=True)
    stamp = models.UUIDField()

    class Meta:
        db_table = "catalogue_state"
        default_permissions = ()
        constraints = [models.CheckConstraint(condition=Q(id=1), name="ck_catalogue_state_one_row")]

    def __str__(self) -> str:
        return str(self.stamp)


# Django looks for an app's models in this module. These import the ones above.
from catalog.importing.staged import BookImport, HeadingChoice, ImportBatch, ImportPart  # noqa: E402, F401
