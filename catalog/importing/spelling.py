"""How a text stands in a cell, so that no spreadsheet runs it and it comes back as it was."""

import re
import unicodedata
from typing import Any

# A spreadsheet takes what begins so for a formula (OWASP, CSV injection). An apostrophe before it makes it text.
FORMULA = re.compile(r"'*[=+\-@\t\r\n＝＋－＠]")
QUOTED_FORMULA = re.compile(r'="((?:[^"]|"")*)"')
MARKS = "\ufeff\u200b\u2060\u200e\u200f"  # invisible, and in no text on purpose at its beginning or end
CONTROLS = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def written(text: str) -> str:
    """A text as it is exported: an apostrophe in front where a spreadsheet would run it. `read_text` takes it off."""
    return f"'{text}" if FORMULA.match(text) else text


def read_text(cell: str) -> str:
    """The text of a cell: without blanks around it, without the apostrophe of `written`, and `="…"` unwrapped."""
    text = bare(cell)
    if text.startswith("'") and FORMULA.match(text, 1):
        return text[1:]
    if found := QUOTED_FORMULA.fullmatch(text):
        return bare(found[1].replace('""', '"'))
    return text


def bare(text: str) -> str:
    """Without blanks and invisible marks around it."""
    text = text.strip()
    while text and (text[0] in MARKS or text[-1] in MARKS):
        text = text.strip(MARKS).strip()
    return text


def as_text(value: Any) -> str:
    """A value as an export writes it."""
    if value is None:
        return ""
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


def comparable(text: str) -> str:
    """What of a stored text a file can bring back: the ends of its lines are the spreadsheet's."""
    return bare(text.replace("\r\n", "\n").replace("\r", "\n"))


def printable(text: str) -> str:
    """For a terminal or a log: what could move the cursor, hide or turn round the rest is escaped."""
    return "".join(
        f"\\u{ord(character):04x}" if unicodedata.category(character) in CONTROLS else character for character in text
    )
