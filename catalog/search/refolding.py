"""Folds the catalogue again: after a change of the folding, or for rows that something else than the models wrote."""

from collections.abc import Callable
from typing import Any

from django.db import transaction

from catalog.search.vocabulary import MAX_LEARNT_AT_ONCE, words_of

BATCH = 500  # books of one transaction
FOLDS = ("title_folded", "author_folded", "title_spellings", "author_spellings")


def refold_books(book_model: Any, word_model: Any, *, using: str, tell: Callable[[int], None] | None = None) -> int:
    """Bring the folded fields of every book up to date, and the search's words; how many books changed.

    One short transaction for each 500 books, which locks them in the order of their ids. It may be stopped at any
    time and run again, while others write. The models are given, so that a migration can give those of its own time.
    """
    books = book_model._base_manager.using(using).only("id", "title", "author", *FOLDS).order_by("id")
    fields = [book_model._meta.get_field(name) for name in FOLDS]
    changed, last = 0, 0
    while True:
        with transaction.atomic(using=using):
            batch = list(books.select_for_update(no_key=True).filter(id__gt=last)[:BATCH])
            if not batch:
                return changed
            last = batch[-1].pk
            differing = [book for book in batch if not is_folded(book, fields)]
            if differing:
                book_model._base_manager.using(using).bulk_update(differing, FOLDS)
            rows = [word_model(word=word) for word in words_of(batch)]
            word_model._base_manager.using(using).bulk_create(
                rows, batch_size=MAX_LEARNT_AT_ONCE, ignore_conflicts=True
            )
        changed += len(differing)
        if tell:
            tell(len(batch))


def refold_genres(genre_model: Any, *, using: str) -> None:
    """Bring the folded names up to date. Folding tells more names apart than before, so none is met twice."""
    field = genre_model._meta.get_field("name_folded")
    with transaction.atomic(using=using):
        genres = list(genre_model._base_manager.using(using).select_for_update().order_by("id"))
        genre_model._base_manager.using(using).bulk_update(
            [genre for genre in genres if not is_folded(genre, [field])], ["name_folded"]
        )


def is_folded(row: Any, fields: list[Any]) -> bool:
    """Whether the row's folds are those of its texts; they are afterwards."""
    before = [getattr(row, field.attname) for field in fields]
    return before == [field.pre_save(row, add=False) for field in fields]
