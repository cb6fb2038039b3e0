"""What a search box's text asks for. No database is asked here."""

from catalog.folding import words

# Bounds of a query: each word costs one look-up in the index, and one comparison with each book that is ranked.
MAX_QUERY = 200  # characters
MAX_QUERY_WORDS = 32  # different words


def wanted_words(text: str) -> tuple[str, ...]:
    """The different words of a query, in its order. All of them: callers bound their number."""
    return tuple(dict.fromkeys(words(text)))
