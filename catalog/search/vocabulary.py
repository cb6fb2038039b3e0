"""Every word of the catalogue's titles and authors, once: the dictionary for mistyped words of a query."""

from collections.abc import Iterable
from typing import Any

from django.db import models

from catalog.fields import CodePointsField

SEARCHED = ("title_folded", "author_folded", "title_spellings", "author_spellings")
MAX_LEARNT_AT_ONCE = 5_000  # rows of one INSERT


def words_of(books: Iterable[Any]) -> list[str]:
    """The words of these books as far as they were read or written, in order."""
    found: set[str] = set()
    for book in books:
        written = vars(book)  # deferred fields were not written either
        for name in SEARCHED:
            found.update((written.get(name) or "").split())
    return sorted(found)


class SearchWordQuerySet(models.QuerySet[Any]):
    def learn(self, books: Iterable[Any]) -> None:
        """Add the words of these books; those that are there stay. 1 query, in the order of the words: two callers that
        add the same ones wait for each other, and never in a circle.

        Words stay when their last book goes: they cost a comparison, and find nothing.
        """
        rows = [self.model(word=word) for word in words_of(books)]
        self.bulk_create(rows, batch_size=MAX_LEARNT_AT_ONCE, ignore_conflicts=True)

    learn.alters_data = True  # type: ignore[attr-defined]  # Django's mark for templates


class SearchWord(models.Model):
    """A folded word of some title or author, or another spelling of one."""

    word = CodePointsField(primary_key=True)

    objects = SearchWordQuerySet.as_manager()

    class Meta:
        app_label = "catalog"
        db_table = "search_words"

    def __str__(self) -> str:
        return self.word
