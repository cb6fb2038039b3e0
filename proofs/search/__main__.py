"""Measures how often the intended book is among the first five of GET /books?q=, by kind of query.

python -m proofs.search books.csv [--each 120] [--seed 1] [--show]

Loads the CSV into the database that DATABASE_URL names, unless that has books already, and asks the API in this
process. Exits with 1 when fewer than 97% are found over all kinds, or fewer than 92% of one.
"""

import argparse
import csv
import os
import random
import sys
from collections.abc import Sequence
from pathlib import Path

import django

from proofs.search.kinds import KINDS, Printed

AMONG = 5  # results that people look at
OVER_ALL, OF_EACH = 97.0, 92.0  # percent


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def load(rows: Sequence[dict[str, str]]) -> None:
    from django.core.exceptions import ValidationError

    from catalog.isbn import clean_isbn
    from catalog.models import Book

    books: list[Book] = []
    taken: set[str] = set()
    for row in rows:
        try:
            isbn = clean_isbn(row["isbn"]) if row["isbn"] else None
        except ValidationError:
            isbn = None
        isbn = None if isbn in taken else isbn
        taken.add(isbn or "")
        stock = int(row.get("stock_quantity") or 0)
        price = row.get("price") or "1.00"
        books.append(
            Book(title=row["title"][:500], author=row["author"][:255], price=price, isbn=isbn, stock_quantity=stock)
        )
    for start in range(0, len(books), 1_000):
        Book.objects.bulk_create(books[start : start + 1_000])


def measure(each: int, seed: int, *, show: bool) -> dict[str, tuple[int, int]]:
    from django.test import Client

    from catalog.models import Book

    books = [
        (row[0], Printed(row[1], row[2], isbn_10(row[3])))
        for row in Book.objects.values_list("pk", "title", "author", "isbn")
    ]
    chance = random.Random(seed)  # noqa: S311  # not for secrets
    client = Client(headers={"host": "localhost"})
    found: dict[str, tuple[int, int]] = {}
    for name, kind in KINDS.items():
        chance.shuffle(books)
        asked = hits = 0
        for pk, book in books:
            if asked == each:
                break
            query = kind(book, chance) if book.first_author.strip() and book.main_title.strip() else None
            if not query or len(query) > 200:
                continue
            asked += 1
            items = client.get("/books", {"q": query, "size": str(AMONG)}).json()["items"]
            meant = [
                (item["id"] == pk) or (item["title"], item["author"]) == (book.title, book.author) for item in items
            ]
            hits += any(meant)
            if show and not any(meant):
                print(f"{name}: {query!r} for {book.title!r} / {book.author!r}: {[item['title'] for item in items]}")
        found[name] = (hits, asked)
    return found


def isbn_10(isbn: str | None) -> str:
    """The ISBN-10 of an ISBN-13 of Bookland's first part, else ""."""
    if not isbn or not isbn.startswith("978"):
        return ""
    digits = isbn[3:12]
    check = -sum((10 - place) * int(digit) for place, digit in enumerate(digits)) % 11
    return digits + ("X" if check == 10 else str(check))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("csv", type=Path, help="a CSV with the columns title, author and isbn")
    parser.add_argument("--each", type=int, default=120, help="queries of each kind")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--show", action="store_true", help="print every query that did not find its book")
    options = parser.parse_args()
    from django.db import connection

    from catalog.models import Book

    if not Book.objects.exists():
        load(read(options.csv))
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("ANALYZE books")
    found = measure(options.each, options.seed, show=options.show)
    print(f"| GET /books?q=, {Book.objects.count():,} books, {connection.vendor} | among the first {AMONG} | queries |")
    print("|---|---|---|")
    for name, (hits, asked) in found.items():
        print(f"| {name} | {100 * hits / max(asked, 1):.1f}% | {asked} |")
    hits, asked = (sum(pair[place] for pair in found.values()) for place in (0, 1))
    print(f"| all | {100 * hits / asked:.1f}% | {asked} |")
    missed = [name for name, (good, of) in found.items() if of and 100 * good / of < OF_EACH]
    return 1 if missed or 100 * hits / asked < OVER_ALL else 0


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bookstore.settings")
    django.setup()
    sys.exit(main())
