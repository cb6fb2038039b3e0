"""Words that a mistyped word may mean: those of the catalogue that are one typing error away, or nearly alike.

An error is a letter too many, too few, another one, or two that changed places (optimal string alignment). What is one
error away is generated and looked up, so that it costs the same in every vocabulary. What is two errors away in a long
word is asked of pg_trgm's index; SQLite compares with its words of that length.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.db import connections
from rapidfuzz.distance import OSA

from catalog.search import trigrams
from catalog.search.frequency import LAST

MAX_WORDS = 8  # of a query that are corrected
MAX_LENGTH = 24  # letters of a word that is corrected
SHORTEST = 3
SHORTEST_FOR_TWO = 7  # letters of a word in which two errors are forgiven
MAX_NEAR = 12  # alternatives of one word: first those with its first letter, which is seldom mistyped
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
    """Every text that becomes this one by a single typing error: 53 for each letter of a Latin word."""
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
    """What the catalogue's words say about the words of one query."""

    def __init__(self, alias: str) -> None:
        self.alias = alias

    def known(self, words: Sequence[str]) -> set[str]:
        """Those that begin some word of the catalogue. 1 query."""
        parts = " UNION ALL ".join(
            ["SELECT %s WHERE EXISTS (SELECT 1 FROM search_words WHERE word >= %s AND word < %s)"] * len(words)
        )
        return {row[0] for row in self.rows(parts, [each for word in words for each in (word, word, word + LAST)])}

    def there(self, texts: Iterable[str]) -> set[str]:
        """Those that are words of the catalogue. 1 query."""
        wanted = list(dict.fromkeys(texts))
        if not wanted:
            return set()
        if connections[self.alias].vendor == "postgresql":
            return {row[0] for row in self.rows("SELECT word FROM search_words WHERE word = ANY(%s::text[])", [wanted])}
        holes = ", ".join(["%s"] * len(wanted))
        return {row[0] for row in self.rows(f"SELECT word FROM search_words WHERE word IN ({holes})", wanted)}  # noqa: S608  # only placeholders

    def near(self, words: Sequence[str]) -> dict[str, list[str]]:
        """For each word the alternatives with the fewest errors, without itself. 1 query, and 1 for each long word of
        which none is one error away."""
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
        """1 query."""
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
        distances = ((OSA.distance(word, other, score_cutoff=2), other) for (other,) in alike)
        return [other for distance, other in sorted(distances) if 0 < distance <= 2][:MAX_NEAR]

    def rows(self, sql: str, values: Sequence[Any]) -> list[tuple[str]]:
        with connections[self.alias].cursor() as cursor:
            cursor.execute(sql, list(values))
            rows: list[tuple[str]] = cursor.fetchall()
        return rows
