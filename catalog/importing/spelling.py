"""Writes texts into cells so that no spreadsheet runs them as formulas, and reads them back unchanged."""

import re
import unicodedata
from typing import Any

# A spreadsheet runs a cell that begins with one of these (OWASP, CSV injection). A leading apostrophe makes it text.
FORMULA = re.compile(r"'*[=+\-@\t\r\n＝＋－＠]")
QUOTED_FORMULA = re.compile(r'="((?:[^"]|"")*)"')
MARKS = "\ufeff\u200b\u2060\u200e\u200f"  # invisible, and meaningless at the beginning or end of a text
# The text of a cell whose formula failed, in the languages that translate it.
FAILED_WORDS = (
    "#NULL! #DIV/0! #VALUE! #REF! #NAME? #NUM! #N/A #SPILL! #CALC! #FIELD! #BLOCKED! #CONNECT! #GETTING_DATA "
    "#WERT! #BEZUG! #ZAHL! #NV #ÜBERLAUF! #NUL! #VALEUR! #NOM? #NOMBRE! #PROPAGATION! #¡NULO! #¡DIV/0! #¡VALOR! "
    "#¡REF! #¿NOMBRE? #¡NUM! #N/D #NULLO! #VALORE! #RIF! #NOME? #NULO! #VALOR! #NÚM! #LEEG! #DEEL/0! #WAARDE! #VERW! "
    "#NAAM? #GETAL! #N/B #ZERO! #DZIEL/0! #ARG! #ADR! #NAZWA? #LICZBA! #SKÄRNING! #DIVISION/0! #VÄRDEFEL! #REFERENS! "
    "#NAMN? #OGILTIGT! #SAKNAS! #DĚLENÍ_NULOU! #HODNOTA! #ODKAZ! #NÁZEV? #ČÍSLO! #NENÍ_K_DISPOZICI "
    "#ПУСТО! #ДЕЛ/0! #ЗНАЧ! #ССЫЛКА! #ИМЯ? #ЧИСЛО! #Н/Д"
)
FAILED = frozenset(FAILED_WORDS.split())
FAILED_CODE = re.compile(r"Err:[0-9]{3}", re.ASCII)  # LibreOffice's
CONTROLS = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def written(text: str) -> str:
    """Escapes a text for export: with a leading apostrophe if it looks like a formula, or like a failed one.
    `read_text` removes it."""
    return f"'{text}" if FORMULA.match(text) or is_failed_formula(text.lstrip("'")) else text


def is_failed_formula(cell: str) -> bool:
    """Whether a cell is only the error of a formula: `#DIV/0!`."""
    text = bare(cell)
    return text.upper() in FAILED or FAILED_CODE.fullmatch(text) is not None


def read_text(cell: str) -> str:
    """The text of a cell, without blanks around it, the apostrophe of `written`, and a wrapping `="…"`."""
    text = bare(cell)
    if text.startswith("'") and (FORMULA.match(text, 1) or is_failed_formula(text.lstrip("'"))):
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
