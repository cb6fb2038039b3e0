"""Whether a text is visible. Zero-width characters, controls and marks of direction are not."""

import unicodedata

UNSEEN = "Write something that can be seen."
# Letters and symbols with a blank glyph: Hangul fillers, the empty Braille pattern, the null note head.
BLANK = frozenset("\u115f\u1160\u3164\uffa0\u2800\U0001d159")


def can_be_seen(text: str) -> bool:
    """Whether it has a letter, number, sign or symbol. A mark alone, such as an accent, does not count."""
    return any(unicodedata.category(character)[0] in "LNPS" and character not in BLANK for character in text)
