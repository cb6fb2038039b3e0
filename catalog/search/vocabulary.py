"""The vocabulary: every word of all titles and authors, once. Mistyped words of a query are looked up in it."""

from collections.abc import Iterable
from typing import Any

from django.db import models

from bookstore.database.many_rows import insert_rows
from catalog.fields import CodePointsField

SEARCHED = ("title_folded", "author_folded", "title_spellings", "author_spellings")
MAX_LEARNT_AT_ONCE = 5_000  # rows of one INSERT


def words_of(books: Iterable[Any]) -> list[str]:
    """The sorted words of these books, from the fields that are loaded."""
    found: set[str] = set()
    for book in books:
        written = vars(book)  # a deferred field was not written either
        for name in SEARCHED:
            found.update((written.get(name) or "").split())
    return sorted(found)


class SearchWordQuerySet(models.QuerySet[Any]):
    def learn(self, books: Iterable[Any]) -> None:
        """Adds the missing words of these books. 1 query for MAX_LEARNT_AT_ONCE words, sorted, so that two callers with
        the same words cannot deadlock.

        Words stay when their last book is deleted: they then find nothing, and cost one comparison.
        """
        words = words_of(books)
        for start in range(0, len(words), MAX_LEARNT_AT_ONCE):
            batch = words[start : start + MAX_LEARNT_AT_ONCE]
            insert_rows(self.model, [{"word": word} for word in batch], ignore_conflicts=True)

    learn.alters_data = True  # type: ignore[attr-defined]  # Django's mark for templates


class SearchWord(models.Model):
    """A folded word of a title or an author, or a further spelling of one."""

    word = CodePointsField(primary_key=True)

    objects = SearchWordQuerySet.as_manager()

    class Meta:
        app_label = "catalog"
        db_table = "search_words"

    def __str__(self) -> str:
        return self.word
