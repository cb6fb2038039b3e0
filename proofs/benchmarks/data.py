"""The rows of every variant: the same books, customers and carts, with the same ids."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import count
from pathlib import Path

BOOKS = 10_000
CUSTOMERS = 1_000

# Customers of each load, 200 tokens each: a cache of one token would not show, and writers do not meet.
POOLS = {"get5": range(1, 201), "get50": range(201, 401), "put": range(401, 601), "add_delete": range(601, 801)}
CATALOGUE = ("book", "page", "filtered", "search")
LINES, MANY_LINES = 5, 50
GENRES = 24
PATHS = 1_000  # of each load of the catalogue

FIRST_DAY = date(1900, 1, 1)

WORDS = (
    "north sea winter garden letters house river stranger secret history island night city summer road "
    "silence memory last first silver golden broken hidden long little great lost dark light water stone "
    "daughter brother mother king queen ghost dream fire wind star moon shadow mountain forest bridge"
)
NAMES = "Austen Baldwin Cather Dickens Eliot Faulkner Gogol Hardy Ibsen James Kafka Lessing Mann Nabokov Orwell"
FIRST_NAMES = "Jane James Willa Charles George William Nikolai Thomas Henrik Henry Franz Doris Klaus Vera Eric"


@dataclass(frozen=True, slots=True)
class Line:
    id: int
    customer: int
    book: int
    quantity: int


def books() -> Iterator[dict[str, object]]:
    """A title of three words, an author, a price, and more copies than any cart holds."""
    words, names, first_names = WORDS.split(), NAMES.split(), FIRST_NAMES.split()
    for book in range(1, BOOKS + 1):
        picked = (words[book % len(words)], words[book // 7 % len(words)], words[book // 331 % len(words)])
        yield {
            "id": book,
            "title": f"The {' '.join(word.capitalize() for word in picked)}, Volume {book}",
            "author": f"{first_names[book % len(first_names)]} {names[book // 3 % len(names)]}",
            "price": price_of(book),
            "isbn": isbn13(book),
            "genre_id": book % GENRES + 1,
            "description": f"{' '.join(words[book * step % len(words)] for step in range(1, 31)).capitalize()}.",
            "cover_image_url": f"https://covers.example/{book:06d}/front.jpg",
            "publish_date": FIRST_DAY + timedelta(days=book * 13 % 45_000),
            "stock_quantity": 1000,
        }


def isbn13(number: int) -> str:
    digits = f"978{number:09d}"
    return f"{digits}{-sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(digits)) % 10}"


def genres() -> Iterator[dict[str, object]]:
    for genre in range(1, GENRES + 1):
        yield {"id": genre, "name": f"Shelf {genre}"}


def paths(load: str) -> Iterator[str]:
    """What the catalogue is asked for, so that no path comes twice in a row: books, pages, filters and searches."""
    words = WORDS.split()
    for number in range(PATHS):
        turn = number * 7919
        match load:
            case "book":
                yield f"/books/{turn % BOOKS + 1}"
            case "page":
                yield f"/books?page={turn % (BOOKS // 20) + 1}"
            case "filtered":
                yield f"/books?genre_id={turn % GENRES + 1}&sort=price&page={turn // GENRES % 10 + 1}"
            case "search":
                yield f"/books?q={words[turn % len(words)]}+{words[turn // 7 % len(words)]}"


def price_of(book: int) -> Decimal:
    return Decimal(499 + book * 7 % 4000) / 100


def book_of(customer: int, place: int) -> int:
    """Different books in one cart, spread over the catalogue."""
    return (customer * 37 + place * 101) % BOOKS + 1


def lines() -> Iterator[Line]:
    identity = count(1)
    for customer in range(1, CUSTOMERS + 1):
        for place in range(MANY_LINES if customer in POOLS["get50"] else LINES):
            yield Line(next(identity), customer, book_of(customer, place), place % 3 + 1)


def write_pools(folder: Path, tokens: dict[int, str]) -> None:
    """One file for each load: a customer's token, a line of theirs, and a book that they do not hold."""
    first = {line.customer: line.id for line in reversed(list(lines()))}
    for name, customers in POOLS.items():
        rows = (f"{tokens[each]} {first[each]} {book_of(each, MANY_LINES + 10)}\n" for each in customers)
        (folder / f"{name}.txt").write_text("".join(rows))
    for name in CATALOGUE:
        (folder / f"{name}.txt").write_text("".join(f"{path}\n" for path in paths(name)))
