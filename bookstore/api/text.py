"""Can anybody see this text? One of zero-width characters, controls or overrides of the direction is a blank."""

import unicodedata

UNSEEN = "Write something that can be seen."
# Letters, and a symbol, whose glyph is a blank: Hangul fillers, the empty Braille pattern, a null note head.
BLANK = frozenset("\u115f\u1160\u3164\uffa0\u2800\U0001d159")


def can_be_seen(text: str) -> bool:
    """Whether a letter, number, sign or symbol is in it. A mark alone, such as an accent, has nothing to stand on."""
    return any(unicodedata.category(character)[0] in "LNPS" and character not in BLANK for character in text)
