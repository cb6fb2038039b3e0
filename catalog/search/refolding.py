"""Recomputes the folded fields: after a change of the folding, or for rows not written by the models."""

from collections.abc import Callable
from typing import Any

from django.db import transaction

from catalog.search.vocabulary import MAX_LEARNT_AT_ONCE, words_of

BATCH = 500  # books of one transaction
FOLDS = ("title_folded", "author_folded", "title_spellings", "author_spellings")


def refold_books(book_model: Any, word_model: Any, *, using: str, tell: Callable[[int], None] | None = None) -> int:
    """Recomputes the folded fields of every book and the vocabulary. Returns how many books changed.

    One transaction for each BATCH, which locks the books in id order. Can be interrupted and run again, beside other
    writers. The models are parameters because a migration passes historical ones.
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
    """Recomputes the folded names. No two collide: folding now distinguishes more names than before."""
    field = genre_model._meta.get_field("name_folded")
    with transaction.atomic(using=using):
        genres = list(genre_model._base_manager.using(using).select_for_update().order_by("id"))
        genre_model._base_manager.using(using).bulk_update(
            [genre for genre in genres if not is_folded(genre, [field])], ["name_folded"]
        )


def is_folded(row: Any, fields: list[Any]) -> bool:
    """Recomputes the folded fields of one object. Returns whether they were up to date."""
    before = [getattr(row, field.attname) for field in fields]
    return before == [field.pre_save(row, add=False) for field in fields]
