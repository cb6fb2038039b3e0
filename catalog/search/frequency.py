"""How frequent words are in the catalogue, by the statistics of PostgreSQL's ANALYZE.

Only rare words use the index: for a frequent word it would list hundreds of thousands of books.
"""

from bisect import bisect_left
from time import monotonic
from typing import NamedTuple

from django.db import connections

from catalog.search.conditions import AllOf, AnyOf, Condition, Word

SMALL_CATALOGUE = 100_000  # books: in one with fewer, more is read
# The index is used for conditions that hold in at most so many books: it lists all of them, 0.1 µs each.
LISTED = 30_000
KEPT = 600.0  # seconds that a process caches the statistics
KEPT_EMPTY = 10.0  # seconds, when there are no statistics yet
LAST = "\U0010ffff"  # sorts after every continuation of a word

STATISTICS = """
SELECT greatest(relation.reltuples, 0)::bigint, statistics.most_common_elems::text::text[],
       statistics.most_common_elem_freqs
FROM pg_class relation
LEFT JOIN pg_stats statistics ON statistics.tablename = 'books' AND statistics.attname = 'search_document'
  AND statistics.schemaname = relation.relnamespace::regnamespace::text
WHERE relation.oid = 'books'::regclass"""


class Frequencies(NamedTuple):
    """The approximate number of books, and for each frequent word the share of books with it."""

    books: int
    words: list[str]
    shares: list[float]

    def of(self, condition: Condition) -> int:
        """The approximate number of books that meet a condition: an upper bound for several words; 0 for rare words."""
        match condition:
            case AllOf(parts):
                return min(self.of(part) for part in parts)
            case AnyOf(parts):
                return sum(self.of(part) for part in parts)
            case Word(text, prefix):
                first = bisect_left(self.words, text)
                last = bisect_left(self.words, text + LAST) if prefix else bisect_left(self.words, text + "\0")
                share = min(sum(self.shares[first:last]), 1.0)
                # A prefix of one letter matches about as many books again by words too rare for the statistics.
                return round(self.books * min(share * (2 if prefix and len(text) == 1 else 1), 1.0))


NONE = Frequencies(0, [], [])
read: dict[str, tuple[float, Frequencies]] = {}


def frequencies(alias: str) -> Frequencies:
    """Cached for KEPT seconds in each process: 1 query in that time. NONE on SQLite and before an ANALYZE."""
    connection = connections[alias]
    if connection.vendor != "postgresql":
        return NONE
    at, known = read.get(alias, (-KEPT, NONE))
    if monotonic() - at < (KEPT if known.books else KEPT_EMPTY):
        return known
    with connection.cursor() as cursor:
        cursor.execute(STATISTICS)
        books, words, shares = cursor.fetchone()
    pairs = sorted((word, share) for word, share in zip(words or [], shares or [], strict=False) if word)
    known = Frequencies(books, [word for word, _ in pairs], [share for _, share in pairs])
    read[alias] = (monotonic(), known)
    return known
