"""What a text is to the search: folded words. The same function folds the data when it is saved and the query.

Nothing here depends on a database or on its locale, so that every database finds the same.
"""

import re
import unicodedata

# Letters that Unicode does not decompose into a base and a mark, as people type them who do not have them on the
# keyboard; and the apostrophe that Unicode calls a letter.
PLAIN = str.maketrans(
    {
        "ø": "o",
        "ł": "l",
        "đ": "d",
        "ð": "d",
        "þ": "th",
        "æ": "ae",
        "œ": "oe",
        "ı": "i",
        "ħ": "h",
        "ŧ": "t",
        "ŋ": "n",
        "ĸ": "k",
        "ʼ": "'",
    }
)

ASCII_WORD = re.compile(r"[a-z0-9]+")

# Longer words are told apart by their first letters only: PostgreSQL takes no lexeme beyond 2,046 bytes.
MAX_WORD = 100
# Characters of a folded text. A title of 500 can grow by folding (ﷺ is 18 letters), and an index takes 2,704 bytes.
MAX_FOLDED = 500
# A query's bounds: each word costs a look into the index, and another to rank what was found.
MAX_QUERY = 200
MAX_QUERY_WORDS = 32


def fold_letters(text: str) -> str:
    """The text without regard to case and accents: "Ærøskøbing" is "aeroskobing", "Straße" is "strasse".

    Marks that are letters of their own (the vowels of Hindi or Thai) stay.
    """
    if text.isascii():  # most titles, and ten times faster
        return text.lower()
    for _ in range(2):  # casefold gives letters that decompose again
        decomposed = unicodedata.normalize("NFKD", text)
        bare = "".join(
            character
            for character in decomposed
            if not unicodedata.combining(character) and unicodedata.category(character) not in {"Cf", "Me"}
        )
        text = bare.casefold().translate(PLAIN)
    return unicodedata.normalize("NFC", text)


def words(text: str) -> list[str]:
    """The folded words of a text, in its order: "L'Étranger, 1942" gives l, etranger, 1942."""
    folded = fold_letters(text)
    if folded.isascii():
        return [word[:MAX_WORD] for word in ASCII_WORD.findall(folded)]
    spaced = "".join(
        character if character.isalnum() or unicodedata.category(character) in {"Mn", "Mc"} else " "
        for character in folded
    )
    return [word[:MAX_WORD] for word in spaced.split()]


def wanted_words(query: str) -> tuple[str, ...]:
    """The different words of a query, in its order."""
    return tuple(dict.fromkeys(words(query)))


def fold(text: str) -> str:
    """The folded words with one blank between: what a text is searched and sorted by."""
    return " ".join(words(text))[:MAX_FOLDED].rstrip()


def same_name(text: str) -> str:
    """What two names that a person would take for the same have in common. "C" and "C++" stay two."""
    return " ".join(fold_letters(text).split())[:MAX_FOLDED]
