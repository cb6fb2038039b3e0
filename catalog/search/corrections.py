"""Finds the words of the catalogue that a mistyped word may mean.

A typing error is a letter too many, too few, a wrong one, or two swapped (optimal string alignment). Words with one
error are generated and looked up, at the same cost for every vocabulary. Words with two errors, for long words only,
are read by pg_trgm's index; SQLite compares all words of that length.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.db import connections

from catalog.search import trigrams
from catalog.search.frequency import LAST

MAX_WORDS = 8  # words of a query that are corrected
MAX_LENGTH = 24  # letters; longer words are not corrected
SHORTEST = 3
SHORTEST_FOR_TWO = 7  # letters; only in such words two errors are tolerated
MAX_NEAR = 12  # alternatives of one word; those with its first letter come first, because it is seldom mistyped
ALPHABETS = (
    "abcdefghijklmnopqrstuvwxyz",
    "абвгдежзийклмнопрстуфхцчшщъыьэюяёіїєґў",
    "αβγδεζηθικλμνξοπρσςτυφχψω",
    "אבגדהוזחטיךכלםמןנסעףפץצקרשת",
    "ابتثجحخدذرزسشصضطظعغفقكلمنهوي",
)


def alphabet_of(word: str) -> str:
    return next((alphabet for alphabet in ALPHABETS if any(letter in alphabet for letter in word)), "")


def one_error_away(word: str) -> Iterator[str]:
    """Every text that is one typing error away from this one: about 53 for each letter of a Latin word."""
    letters = alphabet_of(word)
    for place in range(len(word) + 1):
        before, after = word[:place], word[place:]
        if after:
            yield before + after[1:]
            yield from (before + letter + after[1:] for letter in letters)
        if len(after) > 1:
            yield before + after[1] + after[0] + after[2:]
        yield from (before + letter + after for letter in letters)


def is_correctable(word: str) -> bool:
    return SHORTEST <= len(word) <= MAX_LENGTH and not word.isdigit()


class Corrections:
    """Looks up the words of one query in the vocabulary."""

    def __init__(self, alias: str) -> None:
        self.alias = alias

    def known(self, words: Sequence[str]) -> set[str]:
        """The words that begin some word of the vocabulary. 1 query."""
        parts = " UNION ALL ".join(
            ["SELECT %s WHERE EXISTS (SELECT 1 FROM search_words WHERE word >= %s AND word < %s)"] * len(words)
        )
        return {row[0] for row in self.rows(parts, [each for word in words for each in (word, word, word + LAST)])}

    def there(self, texts: Iterable[str]) -> set[str]:
        """The words that are in the vocabulary. 1 query."""
        wanted = list(dict.fromkeys(texts))
        if not wanted:
            return set()
        if connections[self.alias].vendor == "postgresql":
            return {row[0] for row in self.rows("SELECT word FROM search_words WHERE word = ANY(%s::text[])", [wanted])}
        holes = ", ".join(["%s"] * len(wanted))
        return {row[0] for row in self.rows(f"SELECT word FROM search_words WHERE word IN ({holes})", wanted)}  # noqa: S608  # only placeholders

    def near(self, words: Sequence[str]) -> dict[str, list[str]]:
        """The alternatives of each word with the fewest errors, without the word itself.

        1 query, and 1 for each long word without an alternative one error away.
        """
        correctable = [word for word in words if is_correctable(word)][:MAX_WORDS]
        texts = {word: set(one_error_away(word)) - {word} for word in correctable}
        there = self.there(text for several in texts.values() for text in several)
        found: dict[str, list[str]] = {}
        for word, several in texts.items():
            by_letter = sorted(several & there, key=lambda other: (other[:1] != word[0], other))
            found[word] = by_letter[:MAX_NEAR]
        for word in correctable:
            if not found[word] and len(word) >= SHORTEST_FOR_TWO:
                found[word] = self.two_errors_away(word)
        return found

    def two_errors_away(self, word: str) -> list[str]:
        """The alternatives of a long word with two errors. 1 query."""
        if connections[self.alias].vendor == "postgresql":
            if not trigrams.are_there(self.alias):
                return []
            alike = self.rows(
                "SELECT word FROM search_words WHERE lower(word) %% %s::text "
                "ORDER BY similarity(word, %s::text) DESC, word LIMIT %s",
                [word, word, MAX_NEAR],
            )
        else:
            alike = self.rows(
                "SELECT word FROM search_words WHERE length(word) BETWEEN %s AND %s", [len(word) - 2, len(word) + 2]
            )
        from rapidfuzz.distance import OSA  # here, as in tolerant.py

        distances = ((OSA.distance(word, other, score_cutoff=2), other) for (other,) in alike)
        return [other for distance, other in sorted(distances) if 0 < distance <= 2][:MAX_NEAR]

    def rows(self, sql: str, values: Sequence[Any]) -> list[tuple[str]]:
        with connections[self.alias].cursor() as cursor:
            cursor.execute(sql, list(values))
            rows: list[tuple[str]] = cursor.fetchall()
        return rows
