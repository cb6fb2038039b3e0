"""Further searchable spellings of words: obrien for o'brien, jrr for J. R. R., catch22 for catch-22, jaeger for Jäger.

The words of a text (catalog.folding.words) are always searchable; these are additional.
"""

import re
import unicodedata
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from catalog.folding import MAX_WORD, STRETCH, fold_letters

APOSTROPHES = "'’‘ʼ`′"
# Two words with one of these between them, and no blank, are a compound: catch-22, U.S.A., R&B, AC/DC, 20,000.
JOINS = frozenset(APOSTROPHES + "-‐‑‒–.,&/+·_")
INITIALS_GAP = re.compile(r"[. -]{1,3}")
# Only ASCII texts with a sign between two words, or with two initials, can have further spellings.
MAY_JOIN = re.compile(r"[A-Za-z0-9]['`.,&/+_-][A-Za-z0-9]|(?<![A-Za-z0-9])[A-Za-z][. -]{1,3}[A-Za-z](?![A-Za-z0-9])")
MARKS = {"Mn", "Mc"}
# Letters that are also written as two letters: German, Danish, Norwegian, Swedish.
TWO_LETTERS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa"})
# Scripts without blanks between words: Thai, Lao, Burmese, Khmer, Kana, Han. Each suffix of such a text is searchable.
UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff]"
)
# Characters of a suffix that are compared; the rest is ignored.
MAX_RUN = 20
MAX_SPELLINGS = 500  # of one text; far below the limits of a tsvector and an index row


class Token(NamedTuple):
    """A word, and the characters between it and the previous word."""

    word: str
    gap: str

    @property
    def is_initial(self) -> bool:
        return len(self.word) == 1 and self.word.isalpha() and not UNSPACED.match(self.word)


def tokens(text: str) -> list[Token]:
    """The folded words of a text with their gaps. The words alone equal `folding.words(text)`."""
    folded = fold_letters(text).replace(STRETCH, "")
    found: list[Token] = []
    start = end = 0
    for index, character in enumerate([*folded, " "]):
        if character.isalnum() or (not character.isascii() and unicodedata.category(character) in MARKS):
            continue
        if index > start:
            found.append(Token(folded[start:index][:MAX_WORD], folded[end:start]))
            end = index
        start = index + 1
    return found


def joins(before: Token, token: Token) -> bool:
    """Whether two words belong to one compound."""
    if token.gap == ",":
        return before.word.isdigit() and token.word.isdigit()
    return len(token.gap) == 1 and token.gap in JOINS


def compounds(found: list[Token]) -> Iterator[list[Token]]:
    """Groups the tokens: words joined by punctuation, and runs of initials, whatever is between them."""
    group: list[Token] = []
    for token in found:
        initials = bool(group) and group[-1].is_initial and token.is_initial and INITIALS_GAP.fullmatch(token.gap)
        if group and not (initials or joins(group[-1], token)):
            yield group
            group = []
        group.append(token)
    if group:
        yield group


def joined(group: list[Token]) -> str:
    return "".join(token.word for token in group)[:MAX_WORD]


def partly_joined(group: list[Token]) -> list[str]:
    """Joins only the apostrophes and initials of a compound: hitch-hiker's becomes hitch, hikers."""
    parts: list[str] = []
    previous: Token | None = None
    for token in group:
        if previous is not None and (token.gap in APOSTROPHES or (previous.is_initial and token.is_initial)):
            parts[-1] = (parts[-1] + token.word)[:MAX_WORD]
        else:
            parts.append(token.word)
        previous = token
    return parts


def runs_of_initials(group: list[Token]) -> list[str]:
    """Runs of initials with equal gaps, such as P.S. in "P.S. I Love You", beside the run of all three."""
    runs: list[list[Token]] = []
    for before, token in pairwise(group):
        if not (before.is_initial and token.is_initial):
            continue
        if runs and runs[-1][-1] is before and runs[-1][-1].gap == token.gap:
            runs[-1].append(token)
        else:
            runs.append([before, token])
    return [joined(run) for run in runs]


def with_two_letters(text: str) -> str:
    """Jaeger for Jäger; the same text when it has no such letter."""
    return text if text.isascii() else unicodedata.normalize("NFC", text).lower().translate(TWO_LETTERS)


def tails(word: str) -> list[str]:
    """All suffixes of a word in a script without blanks: 猫である, である, あ…"""
    if word.isascii() or not UNSPACED.search(word):
        return []
    return [
        word[start : start + MAX_RUN] for start in range(1, len(word)) if unicodedata.category(word[start]) not in MARKS
    ]


def spellings(text: str) -> tuple[str, ...]:
    """The further spellings of a text's words, without duplicates and without words of the text itself."""
    if text.isascii() and not MAY_JOIN.search(text):  # true for most titles, and ten times faster
        return ()
    found = tokens(text)
    extra: list[str] = []
    for group in compounds(found):
        if len(group) > 1:
            extra += [joined(group), *partly_joined(group), *runs_of_initials(group)]
    for token in found:
        extra += tails(token.word)
    if (other := with_two_letters(text)) != text:
        extra += [token.word for token in tokens(other)]
    there = {token.word for token in found}
    return tuple(word for word in dict.fromkeys(extra) if word not in there)[:MAX_SPELLINGS]
