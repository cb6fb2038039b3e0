"""Dates as people write them: `28.01.1813`, `1813`, `May 1999`, `c1999`, `2008/05/01`.

A text that can mean two days is refused until staff say whether the day or the month comes first.
"""

import re
import unicodedata
from datetime import date
from functools import lru_cache
from typing import Literal

from catalog.importing.money import REMEMBERED, CellError

DayOrder = Literal["ask", "day-first", "month-first"]

# January to December: English, German, French, Spanish, Italian, Portuguese, Dutch, Polish, Czech, Swedish, Russian.
MONTHS = (
    "january jan januar janner janvier enero gennaio janeiro januari styczen stycznia leden ledna января январь",
    "february feb februar fevrier fev febrero febbraio fevereiro februari luty lutego unor unora февраля февраль",
    "march mar marz mrz maerz mars marzo marco maart marzec marca brezen brezna марта март",
    "april apr avril avr abril aprile kwiecien kwietnia duben dubna апреля апрель",
    "may mai mayo maggio maio mei maj maja kveten kvetna мая маи май",
    "june jun juni juin junio giugno junho czerwiec czerwca cerven cervna июня июнь",
    "july jul juli juillet julio luglio julho lipiec lipca cervenec cervence июля июль",
    "august aug aout agosto augustus sierpien sierpnia srpen srpna augusti августа август",
    "september sep sept septembre septiembre settembre setembro wrzesien wrzesnia zari сентября сентябрь",
    "october oct oktober okt octobre octubre ottobre outubro pazdziernik pazdziernika rijen rijna октября октябрь",
    "november nov novembre noviembre novembro listopad listopada listopadu ноября ноябрь",
    "december dec dezember dez decembre diciembre dicembre dezembro grudzien grudnia prosinec prosince декабря декабрь",
)
MONTH = {name: number for number, names in enumerate(MONTHS, start=1) for name in names.split()}

TIME = re.compile(r"[ T]\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?( ?([AaPp][Mm]))?( ?(Z|UTC|[+-]\d{2}:?\d{2}))?$", re.ASCII)
ABOUT = re.compile(r"(?:circa|ca\.?|c\.?|©|approx\.?|around|about|vers|um|ок\.?|~)\s*(?=[0-9])", re.IGNORECASE)
BEFORE_CHRIST = re.compile(
    r"-\s?[0-9]{1,6}(-[0-9]{2}-[0-9]{2})?"
    r"|[0-9]{1,6} ?(b\.?\s?c\.?(\s?e\.?)?|v\.?\s?chr\.?|av\.?\s?j\.?-?c\.?|a\.?\s?c\.?)",
    re.ASCII | re.IGNORECASE,
)
YEAR = re.compile(r"[0-9]{1,4}", re.ASCII)
YEAR_FIRST = re.compile(r"([0-9]{4})[-/.]([0-9]{1,2})(?:[-/.]([0-9]{1,2}))?\.?", re.ASCII)
COMPACT = re.compile(r"([12][0-9]{3})([0-9]{2})([0-9]{2})", re.ASCII)
YEAR_LAST = re.compile(r"([0-9]{1,2})([-/.])\s?([0-9]{1,2})\2\s?([0-9]{4})", re.ASCII)
MONTH_AND_YEAR = re.compile(r"([0-9]{1,2})[-/.]([0-9]{4})", re.ASCII)
TWO_DIGITS = re.compile(r"[0-9]{1,2}[-/.]\s?[0-9]{1,2}[-/.]\s?'?[0-9]{2}|'[0-9]{2}", re.ASCII)
EAST_ASIAN = re.compile(r"([0-9]{4})[年년]\s?(?:([0-9]{1,2})[月월])?\s?(?:([0-9]{1,2})[日일])?", re.ASCII)
WORDS = re.compile(r"[^\W\d_]+|[0-9]+", re.UNICODE)
FILLERS = frozenset({"de", "del", "of", "the", "st", "nd", "rd", "th", "er", "г", "года", "roku"})


@lru_cache(REMEMBERED)
def date_of(text: str, order: DayOrder = "ask") -> date | None:
    """The date of a text, with 1 for a missing day or month; None for 0000-00-00.

    Raises CellError.
    """
    text = unicodedata.normalize("NFKC", text).strip()
    if BEFORE_CHRIST.fullmatch(text):
        raise CellError("A date before the year 1 cannot be kept: the book is taken without one.")
    text = TIME.sub("", text.strip("[](){}? ")).strip("[](){}? ")
    if text and not text.strip("0-/. "):
        if YEAR.fullmatch(text):
            raise CellError("A date before the year 1 cannot be kept: the book is taken without one.")
        return None  # 0000-00-00
    text = ABOUT.sub("", text, count=1) if ABOUT.match(text) else text
    if YEAR.fullmatch(text):
        return day(int(text))
    if found := YEAR_FIRST.fullmatch(text) or COMPACT.fullmatch(text) or EAST_ASIAN.fullmatch(text):
        year, month, day_number = (int(part or 0) for part in found.groups())
        return day(year, month or 1, (day_number or 1) if month else 1)
    if found := MONTH_AND_YEAR.fullmatch(text):
        return day(int(found[2]), int(found[1]))
    if found := YEAR_LAST.fullmatch(text):
        return year_last(int(found[1]), found[2], int(found[3]), int(found[4]), order)
    if TWO_DIGITS.fullmatch(text):
        raise CellError("The year has two digits only: write all four.")
    return in_words(text)


def year_last(first: int, sign: str, second: int, year: int, order: DayOrder) -> date:
    """With points the day comes first: `28.01.1813`. `12/11/1999` can mean two days: see `order`. Raises CellError."""
    if sign == "." or first == second or first > 12 or (order == "day-first" and second <= 12):
        return day(year, second, first)
    if second > 12 or order == "month-first":
        return day(year, first, second)
    raise CellError(
        f"This can mean {year}-{second:02}-{first:02} or {year}-{first:02}-{second:02}: write it as one of these, "
        "or say which comes first, the day or the month."
    )


def in_words(text: str) -> date:
    """Parses `1 May 2008`, `May 1st, 2008`, `May 1999`, `1. Mai 2008`, `mai 1999`. Raises CellError."""
    bare = "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))
    parts = [part for part in WORDS.findall(bare) if part not in FILLERS]
    months = [MONTH[part] for part in parts if part in MONTH]
    numbers = [part for part in parts if part.isascii() and part.isdigit()]
    years = [number for number in numbers if len(number) == 4]
    days = [number for number in numbers if len(number) <= 2]
    if len(months) == 1 and len(years) == 1 and len(days) <= 1 and len(parts) == 2 + len(days):
        return day(int(years[0]), months[0], int(days[0]) if days else 1)
    if len(months) == 1 and not years and 1 <= len(days) <= 2 and len(parts) == 1 + len(days):
        raise CellError("The year has two digits only: write all four.")
    raise CellError("This is no date: write it as 2008-05-01, 01.05.2008, or the year alone.")


def day(year: int, month: int = 1, number: int = 1) -> date:
    try:
        return date(year, month, number)
    except ValueError as error:
        raise CellError("There is no such day: write it as 2008-05-01.") from error
