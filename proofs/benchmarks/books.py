"""Generates a million books from some thousand: titles of their words, with the same frequencies."""

import csv
import random
import sys
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from pathlib import Path

from proofs.benchmarks.data import FIRST_NAMES, NAMES, WORDS

COLUMNS = ("title", "author", "price", "genre_id", "publish_date", "stock_quantity", "cover_image_url")
GENRES = 24
FIRST_DAY = date(1900, 1, 1)


def sample(path: Path | None) -> list[tuple[list[str], list[str]]]:
    """The words of titles and of authors: of a CSV with columns `title` and `author`, else of the list built in."""
    if path is None:
        return [
            ([word.capitalize() for word in WORDS.split()], [first, last])
            for first, last in zip(FIRST_NAMES.split(), NAMES.split(), strict=True)
        ]
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = [(row["title"].split(), row["author"].split()) for row in csv.DictReader(file)]
    except (OSError, KeyError) as error:
        sys.exit(f"error: BOOKS={path} cannot be used: {error!r}. It is a CSV with the columns title and author.")
    return [(title, author) for title, author in rows if title and author]


def generate(count: int, source: Iterable[tuple[list[str], list[str]]]) -> Iterator[tuple[object, ...]]:
    """Rows of COLUMNS. A title has the length of one that there is, and each of its words is any word of any title,
    drawn as often as it occurs; so do the authors. The same every time."""
    source = list(source)
    chance = random.Random(5)
    titles = [word for title, _ in source for word in title]
    authors = [word for _, author in source for word in author]
    for number in range(count):
        title, author = source[number % len(source)]
        yield (
            " ".join(chance.choices(titles, k=max(1, min(len(title), 10))))[:500],
            " ".join(chance.choices(authors, k=min(len(author), 6)))[:255],
            f"{chance.randrange(199, 6000) / 100:.2f}",
            chance.randrange(1, GENRES + 1),
            FIRST_DAY + timedelta(days=chance.randrange(45_000)) if chance.random() < 0.9 else None,
            0 if chance.random() < 0.08 else chance.randrange(1, 200),
            f"https://covers.example/{number:07d}.jpg",
        )
