"""Folding removes case, accents and punctuation, in the same way for stored texts and for queries.

It depends on no database and no locale, so that every database finds and sorts alike.
docs/decisions/0028-search.md says which marks are accents and which are letters.
"""

import re
import unicodedata

# Letters that Unicode does not decompose into a base and a mark, as they are typed on a keyboard without them; and the
# apostrophe that Unicode calls a letter.
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

STRETCH = "ـ"  # stretches an Arabic word, and is not a letter

ASCII_WORD = re.compile(r"[a-z0-9]+")
# Marks that are accents on Latin and Greek letters (and most of them on Cyrillic ones), and the vowel points of Hebrew
# and Arabic. Every other mark is part of its letter: バ is not ハ, क्या is not कया, ไม้ is not ไม่.
ACCENT = re.compile(
    "[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"
    "\u0483-\u0487\u0591-\u05bd\u05bf\u05c1-\u05c2\u05c4-\u05c5\u05c7"
    "\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e4\u06e7-\u06e8\u06ea-\u06ed\u08ca-\u08e1\u08e3-\u08ff]"
)
ACUTE_OR_GRAVE = "\u0300\u0301"
DIAERESIS = "\u0308"

# Longer words are cut to their first letters: a lexeme of PostgreSQL has at most 2,046 bytes.
MAX_WORD = 100
# Characters of a folded text. A title of 500 can grow by folding (ﷺ is 18 letters), and an index takes 2,704 bytes.
MAX_FOLDED = 500


def fold_letters(text: str) -> str:
    """The text without regard to case and accents: "Ærøskøbing" is "aeroskobing", "Straße" is "strasse".

    Marks that make another letter stay: й is not и, バ is not ハ, and the vowels and tones of Hindi or Thai count.
    """
    if text.isascii():  # most titles, and ten times faster
        return text.lower()
    for _ in range(2):  # casefold gives letters that decompose again
        text = without_accents(unicodedata.normalize("NFKD", text)).casefold().translate(PLAIN)
    return unicodedata.normalize("NFC", text)


def without_accents(decomposed: str) -> str:
    """A decomposed text (NFKD) without accents, format characters and enclosing marks."""
    kept: list[str] = []
    base = ""
    for character in decomposed:
        if character.isascii():
            base = character
        elif unicodedata.combining(character):
            if ACCENT.match(character) and not is_letter_with(base, character):
                continue
        elif unicodedata.category(character) in {"Cf", "Me"}:
            continue
        else:
            base = character
        kept.append(character)
    return "".join(kept)


def is_letter_with(base: str, mark: str) -> bool:
    """Whether both together are a separate letter: й, ў, ї, ѓ. In Cyrillic all are, except stress marks and ё."""
    if not "\u0400" <= base <= "\u052f" or not "\u0300" <= mark <= "\u036f":
        return False
    if mark in ACUTE_OR_GRAVE:
        return base in "гкГК" and mark == "\u0301"
    return not (mark == DIAERESIS and base in "еЕ")


def words(text: str) -> list[str]:
    """The folded words of a text in order: "L'Étranger, 1942" gives l, etranger, 1942."""
    folded = fold_letters(text)
    if folded.isascii():
        return [word[:MAX_WORD] for word in ASCII_WORD.findall(folded)]
    spaced = "".join(
        character if character.isalnum() or unicodedata.category(character) in {"Mn", "Mc"} else " "
        for character in folded.replace(STRETCH, "")
    )
    return [word[:MAX_WORD] for word in spaced.split()]


def fold(text: str) -> str:
    """The folded words, separated by blanks. Texts are searched and sorted by it."""
    return " ".join(words(text))[:MAX_FOLDED].rstrip()


def same_name(text: str) -> str:
    """The key of names that a person would take for the same. "C" and "C++" stay two."""
    return " ".join(fold_letters(text).split())[:MAX_FOLDED]
