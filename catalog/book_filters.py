"""Filters and orders of a list of books."""

from collections.abc import Collection
from datetime import date
from decimal import Decimal
from typing import Literal, Self

from django.core.exceptions import ValidationError
from django.db.models import BigIntegerField, F

from bookstore.api.text import can_be_seen
from catalog.folded_rows import FoldingQuerySet
from catalog.folding import fold
from catalog.isbn import clean_isbn
from catalog.search.candidates import SMALL, Where
from catalog.search.conditions import OF_AUTHOR
from catalog.search.document import Meets, PositionIn
from catalog.search.pages import SORTS, find
from catalog.search.query import Query

# The largest id: no row has a higher one, and SQLite raises for a larger parameter.
MAX_ID = BigIntegerField.MAX_BIGINT

Sort = Literal["title", "price", "date", "created_at"]
Direction = Literal["asc", "desc"]
MOST = SMALL.ranked


class BookFilters(FoldingQuerySet):
    """Each returns some of these books, or the same in another order. No query, but for `search`."""

    def search(self, text: str, *, most: int = MOST) -> Self:
        """The books that a search finds among these, best first: at most `most`, and at most as many as one search
        ranks (1,000, or 10,000 in a catalogue under 100,000). Ask for no more than are used: their ids are in the
        query that it returns. A blank text returns the books unchanged; punctuation alone finds none.

        Queries the database at once: 1 to 10 queries. Later filters change neither the order nor the bound.
        """
        if not can_be_seen(text) and not Query.of(text):
            return self
        ids = find(Where.of(self), text, start=0, size=most).ids
        # The pk decides nothing, but a formset of Django 6.1 orders again by it unless it is named.
        return self.filter(pk__in=ids).order_by(PositionIn(ids), "pk") if ids else self.none()

    def by_author(self, text: str) -> Self:
        """Books whose author has, for each word of the text, a word that begins with it. A blank text returns the books
        unchanged; punctuation alone finds none.
        """
        query = Query.of(text).with_every_word()
        if query:
            return self.filter(Meets(query.every, OF_AUTHOR))
        return self.none() if can_be_seen(text) else self

    def of_isbn(self, text: str) -> Self | None:
        """The book with this ISBN-10 or ISBN-13; None when the text is not an ISBN."""
        try:
            return self.filter(isbn=clean_isbn(text))
        except ValidationError:
            return None

    def of_title_and_author(self, title: str, author: str) -> Self:
        """Books with this title and author, without regard to case and accents; often other editions."""
        return self.filter(title_folded=fold(title), author_folded=fold(author))

    def on_sale(self) -> Self:
        """Books that are not withdrawn, whatever their stock."""
        return self.filter(is_active=True)

    def in_stock(self) -> Self:
        return self.filter(stock_quantity__gt=0)

    def out_of_stock(self) -> Self:
        return self.filter(stock_quantity=0)

    def priced(self, minimum: Decimal | None = None, maximum: Decimal | None = None) -> Self:
        """Books in this range of prices, both ends included; None leaves an end open."""
        books = self
        if minimum is not None:
            books = books.filter(price__gte=minimum)
        if maximum is not None:
            books = books.filter(price__lte=maximum)
        return books

    def of_genre(self, genre_id: int) -> Self:
        """Books of one genre; none for an id beyond the column's range."""
        return self.filter(genre__id=genre_id)

    def of_genres(self, genre_ids: Collection[int]) -> Self:
        """Books of any of these genres."""
        return self.filter(genre_id__in=[genre_id for genre_id in genre_ids if 0 < genre_id <= MAX_ID])

    def published(self, first: date | None = None, last: date | None = None) -> Self:
        """Books published in this period, both days included; None leaves an end open. Undated ones match no bound."""
        books = self
        if first is not None:
            books = books.filter(publish_date__gte=first)
        if last is not None:
            books = books.filter(publish_date__lte=last)
        return books

    def sorted_by(self, sort: Sort, direction: Direction = "asc") -> Self:
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
    ) -> Self:
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
