"""Writes texts into cells so that no spreadsheet runs them as formulas, and reads them back unchanged."""

import re
import unicodedata
from typing import Any

# A spreadsheet runs a cell that begins with one of these (OWASP, CSV injection). A leading apostrophe makes it text.
FORMULA = re.compile(r"'*[=+\-@\t\r\n＝＋－＠]")
QUOTED_FORMULA = re.compile(r'="((?:[^"]|"")*)"')
MARKS = "\ufeff\u200b\u2060\u200e\u200f"  # invisible, and meaningless at the beginning or end of a text
CONTROLS = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def written(text: str) -> str:
    """Escapes a text for export: with a leading apostrophe if it looks like a formula. `read_text` removes it."""
    return f"'{text}" if FORMULA.match(text) else text


def read_text(cell: str) -> str:
    """The text of a cell, without blanks around it, the apostrophe of `written`, and a wrapping `="…"`."""
    text = bare(cell)
    if text.startswith("'") and FORMULA.match(text, 1):
        return text[1:]
    if found := QUOTED_FORMULA.fullmatch(text):
        return bare(found[1].replace('""', '"'))
    return text


def bare(text: str) -> str:
    """Strips blanks and invisible marks."""
    text = text.strip()
    while text and (text[0] in MARKS or text[-1] in MARKS):
        text = text.strip(MARKS).strip()
    return text


def as_text(value: Any) -> str:
    """A value as the export writes it."""
    if value is None:
        return ""
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


def comparable(text: str) -> str:
    """A stored text as a file can return it: spreadsheets change the ends of lines."""
    return bare(text.replace("\r\n", "\n").replace("\r", "\n"))


def printable(text: str) -> str:
    """For a terminal or a log: escapes characters that move the cursor, hide text or change its direction."""
    return "".join(
        f"\\u{ord(character):04x}" if unicodedata.category(character) in CONTROLS else character for character in text
    )
