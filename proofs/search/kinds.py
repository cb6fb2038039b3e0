"""Generates queries as people type them from books, by rule. A kind returns None for a book without such a query."""

import random
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

APOSTROPHE = re.compile(r"(?<=\w)['’](?=\w)")
HYPHEN = re.compile(r"(?<=\w)-(?=\w)")
INITIALS = re.compile(r"\b(?:[A-Z]\. ?){2,}")
LETTERS = "abcdefghijklmnopqrstuvwxyz"
NOISE = ("buy", "cheap", "paperback", "used", "english", "online", "hardback", "original")


@dataclass(frozen=True)
class Printed:
    """A book as its row in the file has it."""

    title: str
    author: str
    isbn: str

    @property
    def main_title(self) -> str:
        """Without the series in brackets and the subtitle."""
        return re.split(r" \(|: ", self.title, maxsplit=1)[0]

    @property
    def first_author(self) -> str:
        return self.author.split(",")[0]


def words(text: str) -> list[str]:
    found: list[str] = re.findall(r"[^\W_]+(?:['’-][^\W_]+)*", text)
    return found


def long_words(text: str, least: int = 5) -> list[str]:
    return [word for word in words(text) if len(word) >= least and word.isalpha()]


def mistyped(word: str, chance: random.Random) -> str:
    """The word with one error: a letter left out, doubled, replaced, or changed with its neighbour; never the first."""
    while True:
        place = chance.randrange(1, len(word))
        wrong = {
            0: word[:place] + word[place + 1 :],
            1: word[:place] + word[place] + word[place:],
            2: word[:place] + chance.choice(LETTERS) + word[place + 1 :],
            3: word[: place - 1] + word[place] + word[place - 1] + word[place + 1 :],
            4: word[:place] + chance.choice(LETTERS) + word[place:],
        }[chance.randrange(5)]
        if wrong.lower() != word.lower():
            return wrong


def with_error(text: str, chance: random.Random, least: int = 5) -> str | None:
    several = long_words(text, least)
    if not several:
        return None
    word = chance.choice(several)
    return text.replace(word, mistyped(word, chance), 1)


def as_printed(book: Printed, chance: random.Random) -> str | None:
    return book.title


def main_title(book: Printed, chance: random.Random) -> str | None:
    return f"{book.main_title} {words(book.first_author)[-1]}".lower()


def words_and_name(book: Printed, chance: random.Random) -> str | None:
    several = long_words(book.main_title, 4)
    return " ".join([*chance.sample(several, 2), words(book.first_author)[-1]]).lower() if len(several) > 1 else None


def any_order(book: Printed, chance: random.Random) -> str | None:
    several = words(book.main_title)
    if len(several) < 3:
        return None
    chance.shuffle(several)
    return " ".join([*several, words(book.first_author)[-1]])


def as_typed_so_far(book: Printed, chance: random.Random) -> str | None:
    several = words(book.main_title)
    last = several[-1]
    if len(several) < 2 or len(last) < 4:
        return None
    return " ".join([words(book.first_author)[-1], *several[:-1], last[: chance.randrange(2, len(last))]])


def without_accents(book: Printed, chance: random.Random) -> str | None:
    text = f"{book.main_title} {book.first_author}"
    plain = "".join(each for each in unicodedata.normalize("NFKD", text) if not unicodedata.combining(each))
    return plain if plain != text and plain.isascii() else None


def without_apostrophe(book: Printed, chance: random.Random) -> str | None:
    text = f"{book.main_title} {book.first_author}"
    return APOSTROPHE.sub("", text).lower() if APOSTROPHE.search(text) else None


def initials_together(book: Printed, chance: random.Random) -> str | None:
    if not INITIALS.search(book.first_author):
        return None
    name = INITIALS.sub(lambda found: re.sub(r"[. ]", "", found[0]) + " ", book.first_author)
    return f"{name} {' '.join(words(book.main_title)[:3])}".lower()


def without_hyphen(book: Printed, chance: random.Random) -> str | None:
    return HYPHEN.sub("", book.main_title).lower() if HYPHEN.search(book.main_title) else None


def hyphen_as_blank(book: Printed, chance: random.Random) -> str | None:
    return HYPHEN.sub(" ", book.main_title).lower() if HYPHEN.search(book.main_title) else None


def isbn(book: Printed, chance: random.Random) -> str | None:
    if len(book.isbn) != 10:
        return None
    long = "978" + book.isbn[:9]
    long += str(-sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(long)) % 10)
    return chance.choice([book.isbn, long, f"{long[:3]}-{long[3]}-{long[4:8]}-{long[8:12]}-{long[12]}", f"ISBN {long}"])


def isbn_so_far(book: Printed, chance: random.Random) -> str | None:
    return book.isbn[:8] if len(book.isbn) == 10 else None


def typo_in_title(book: Printed, chance: random.Random) -> str | None:
    wrong = with_error(book.main_title, chance)
    return wrong.lower() if wrong and len(words(book.main_title)) > 1 else None


def typo_in_author(book: Printed, chance: random.Random) -> str | None:
    wrong = with_error(book.first_author, chance)
    return f"{' '.join(words(book.main_title)[:4])} {wrong}".lower() if wrong else None


def typo_in_both(book: Printed, chance: random.Random) -> str | None:
    title, author = with_error(book.main_title, chance), with_error(words(book.first_author)[-1], chance)
    return f"{title} {author}".lower() if title and author else None


def common_words(book: Printed, chance: random.Random) -> str | None:
    return f"the book {book.main_title} novel by {book.first_author}"


def extra_words(book: Printed, chance: random.Random) -> str | None:
    several = [*words(book.main_title), words(book.first_author)[-1]]
    return " ".join([chance.choice(NOISE), *several, chance.choice(NOISE)]).lower() if len(several) > 2 else None


def blank_left_out(book: Printed, chance: random.Random) -> str | None:
    several = long_words(book.main_title, 3)
    pairs = [(one, other) for one, other in pairwise(several) if f"{one} {other}" in book.title]
    if not pairs:
        return None
    one, other = chance.choice(pairs)
    return f"{book.main_title} {words(book.first_author)[-1]}".replace(f"{one} {other}", one + other).lower()


def blanks_left_out(book: Printed, chance: random.Random) -> str | None:
    several = words(book.main_title)
    together = "".join(several).lower()
    return together if 2 <= len(several) <= 4 and len(together) >= 8 and together.isalpha() else None


KINDS: dict[str, Callable[[Printed, random.Random], str | None]] = {
    "title as printed": as_printed,
    "title and last name": main_title,
    "two words and a name": words_and_name,
    "words in any order": any_order,
    "as typed so far": as_typed_so_far,
    "plain letters for accents": without_accents,
    "apostrophe left out": without_apostrophe,
    "initials run together": initials_together,
    "hyphen left out": without_hyphen,
    "blank for a hyphen": hyphen_as_blank,
    "ISBN": isbn,
    "first 8 digits of an ISBN": isbn_so_far,
    "typing error in the title": typo_in_title,
    "typing error in the author": typo_in_author,
    "typing errors in both": typo_in_both,
    "common words added": common_words,
    "other words added": extra_words,
    "blank left out": blank_left_out,
    "all blanks left out": blanks_left_out,
}
