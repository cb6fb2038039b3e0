"""Parses numbers as people write them: `€12.50`, `12,50 €`, `1.250,00`, `1 250,00`, `USD 12`, `1.000 copies`."""

import re
import unicodedata
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple


class CellError(Exception):
    """A cell that cannot be parsed. The message tells staff why, and what to write."""


# Texts beside an amount, and the currencies that each can mean.
SYMBOLS: dict[str, frozenset[str]] = {
    "$": frozenset(["USD", "CAD", "AUD", "NZD", "SGD", "HKD", "TWD", "MXN", "ARS", "CLP", "COP"]),
    "us$": frozenset({"USD"}),
    "€": frozenset({"EUR"}),
    "euro": frozenset({"EUR"}),
    "euros": frozenset({"EUR"}),
    "£": frozenset({"GBP", "EGP", "GIP", "FKP", "SHP"}),
    "¥": frozenset({"JPY", "CNY"}),
    "円": frozenset({"JPY"}),
    "元": frozenset({"CNY"}),
    "fr": frozenset({"CHF"}),
    "sfr": frozenset({"CHF"}),
    "zł": frozenset({"PLN"}),
    "zl": frozenset({"PLN"}),
    "kč": frozenset({"CZK"}),
    "ft": frozenset({"HUF"}),
    "lei": frozenset({"RON", "MDL"}),
    "kr": frozenset({"SEK", "NOK", "DKK", "ISK"}),
    "r$": frozenset({"BRL"}),
    "₹": frozenset({"INR"}),
    "₽": frozenset({"RUB"}),
    "руб": frozenset({"RUB"}),
    "₴": frozenset({"UAH"}),
    "₺": frozenset({"TRY"}),
    "₩": frozenset({"KRW"}),
    "₪": frozenset({"ILS"}),
}
COPIES_WORDS = (
    "copy copies pc pcs piece pieces unit units item items book books stk stck stück stueck ex expl exemplare exemplar "
    "exemplaires exemplaire ud uds unidades ejemplares copie pezzi pz szt sztuk ks db шт экз 冊 本"
)
COPIES = frozenset(COPIES_WORDS.split())

AMOUNT = re.compile(
    r"(?P<before>[^0-9.,+-]*)(?P<number>\+?[0-9.,' ]*[0-9][0-9.,' ]*?)(?P<whole>[.,][-–—]+)?(?P<after>[^0-9]*)"
)
GROUPED = re.compile(r"([0-9]{1,3}(?:[' ][0-9]{3})+)([.,][0-9]+)?", re.ASCII)
BOTH = re.compile(r"([0-9]{1,3}(?:,[0-9]{3})+)\.([0-9]+)|([0-9]{1,3}(?:\.[0-9]{3})+),([0-9]+)", re.ASCII)
THOUSANDS = re.compile(r"[0-9]{1,3}(?:,[0-9]{3}){2,}|[0-9]{1,3}(?:\.[0-9]{3}){2,}", re.ASCII)
ONE_MARK = re.compile(r"([0-9]*)([.,])([0-9]*)", re.ASCII)
REMEMBERED = 2_048  # cells whose value is cached: a file repeats its prices, stocks, dates and genres
MAX_DIGITS = 26  # characters of a number: with two places it has at most the 28 digits that Decimal computes with


class Number(NamedTuple):
    """A number, and its decimal mark if that is certain; else None."""

    value: Decimal
    mark: str | None


def plain(text: str) -> str:
    """Replaces digits of other scripts and blanks of other widths by ASCII."""
    return "".join(
        str(unicodedata.decimal(character))
        if character.isdecimal()
        else " "
        if character.isspace()
        else "'"
        if character in "’‘`´"
        else "-"
        if character in "−‐‑"
        else character
        for character in text
        if unicodedata.category(character) != "Cf"
    ).strip()


def number_of(text: str, mark: str | None = None) -> Number | None:
    """Parses ASCII digits with marks; None for any other text.

    `mark` is the decimal mark of the other numbers of the row. Raises CellError for a number that can mean two.
    """
    if found := GROUPED.fullmatch(text):
        whole = re.sub(r"[' ]", "", found[1])
        return Number(Decimal(whole + (found[2] or "").replace(",", ".")), found[2][0] if found[2] else None)
    if found := BOTH.fullmatch(text):
        if found[1]:
            return Number(Decimal(f"{found[1].replace(',', '')}.{found[2]}"), ".")
        return Number(Decimal(f"{found[3].replace('.', '')}.{found[4]}"), ",")
    if THOUSANDS.fullmatch(text):
        return Number(Decimal(re.sub("[.,]", "", text)), "," if "." in text else ".")
    if found := ONE_MARK.fullmatch(text):
        whole, sign, part = found.groups()
        if not whole and not part:
            return None
        if len(part) == 3 and 1 <= len(whole) <= 3 and not whole.startswith("0"):
            if mark is None:
                raise CellError(
                    f"This can mean {whole}.{part} or {whole}{part}: write {whole}{part} or {whole}.{part[:2]}."
                )
            if mark != sign:
                return Number(Decimal(whole + part), mark)
        return Number(Decimal(f"{whole or 0}.{part or 0}"), sign)
    return Number(Decimal(text), None) if text.isascii() and text.isdigit() else None


@lru_cache(REMEMBERED)
def amount_of(text: str, currency: str) -> Number:
    """Parses an amount in this currency, with or without the currency beside it. Raises CellError."""
    wanted = "This is no price: write it as 12.50."
    found = AMOUNT.fullmatch(plain(text))
    if not found or len(found["number"]) > MAX_DIGITS:
        raise CellError(wanted)
    for beside in (found["before"], found["after"]):
        check_currency(beside, currency, wanted)
    number = number_of(found["number"].strip().removeprefix("+").strip())
    if number is None or (found["whole"] and number.mark):
        raise CellError(wanted)
    return Number(shortened(number.value), number.mark)


def check_currency(beside: str, currency: str, wanted: str) -> None:
    """Raises CellError when the text beside an amount is not the shop's currency."""
    name = beside.strip().strip(".").strip()
    if not name:
        return
    meant = SYMBOLS.get(name.casefold())
    if meant is None and len(name) == 3 and name.isascii() and name.isalpha():
        meant = frozenset({name.upper()})
    if meant is None:
        raise CellError(wanted)
    if currency not in meant:
        raise CellError(
            f"The price is not in {currency}, which the shop sells in: write the amount in {currency} alone."
        )


def shortened(value: Decimal) -> Decimal:
    """Drops zeros after the second decimal place: 12.9500 is 12.95. Other digits stay and are refused later."""
    return value.quantize(Decimal("0.01")) if value == value.quantize(Decimal("0.01")) else value


@lru_cache(REMEMBERED)
def copies_of(text: str, mark: str | None = None) -> int:
    """Parses a number of copies; `mark` is the decimal mark of the row's price. Raises CellError."""
    wanted = "This is no whole number from 0."
    found = AMOUNT.fullmatch(plain(text))
    if not found or found["before"].strip() or found["whole"] or len(found["number"]) > MAX_DIGITS:
        raise CellError(wanted)
    unit = found["after"].strip().strip(".").strip().casefold()
    number = number_of(found["number"].strip().removeprefix("+").strip(), mark) if not unit or unit in COPIES else None
    if number is None or number.value != int(number.value):
        raise CellError(wanted)
    return int(number.value)
