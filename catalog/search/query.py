"""Parses the text of a search box into a Query. No database query."""

import re
from dataclasses import dataclass, replace
from functools import cached_property

from django.core.exceptions import ValidationError

from catalog.folding import words
from catalog.isbn import clean_isbn
from catalog.search.conditions import Condition, Word, all_of, any_of
from catalog.search.spellings import (
    MAX_RUN,
    UNSPACED,
    Token,
    compounds,
    joined,
    partly_joined,
    tokens,
    with_two_letters,
)

# Bounds of a query: each word costs one look-up in the index, and one comparison for each ranked book.
MAX_QUERY = 200  # characters
MAX_QUERY_WORDS = 32  # different words

# Words of nearly every query. They never exclude a book; they only rank the books found.
COMMON = frozenset({
    *("the", "a", "an", "and", "or", "of", "in", "on", "at", "to", "by", "for", "from", "with"),
    *("book", "books", "novel", "novels", "author", "edition", "paperback", "hardcover", "hardback"),
    *("ebook", "ebooks", "audiobook", "kindle", "pdf", "buy", "cheap", "online", "please"),
})  # fmt: skip
ARTICLE = re.compile(r"(the|a|an) ")

ISBN_LABEL = re.compile(r"\s*isbn(-?1[03])?[:\s]*", re.IGNORECASE)
BETWEEN_DIGITS = re.compile(r"[\s\u2010-\u2013-]")
ISBN_DIGITS = re.compile(r"[0-9]{4,13}|[0-9]{9}[xX]", re.ASCII)
LETTERS_THEN_DIGITS = re.compile(r"[^0-9]{3,}[0-9]+")  # catch22, but not 3d
LETTERS_OR_DIGITS = re.compile(r"[0-9]+|[^0-9]+")


def wanted_words(text: str) -> tuple[str, ...]:
    """The different words of a query, in its order. Callers bound their number."""
    return tuple(dict.fromkeys(words(text)))


@dataclass(frozen=True)
class IsbnWanted:
    """An ISBN, or its first digits, as ISBN-13 and as ISBN-10."""

    beginnings: tuple[str, ...]
    is_whole: bool

    @property
    def comes_first(self) -> bool:
        """Whether the digits must be an ISBN: "1984" may be a title."""
        return self.is_whole or any(
            beginning.startswith(("978", "979")) and len(beginning) > 6 for beginning in self.beginnings[:1]
        )

    @classmethod
    def of(cls, text: str) -> "IsbnWanted | None":
        digits = BETWEEN_DIGITS.sub("", ISBN_LABEL.sub("", text, count=1))
        if not ISBN_DIGITS.fullmatch(digits):
            return None
        beginnings = [digits] if digits.startswith(("978", "979")) else []
        try:
            whole = clean_isbn(digits)
        except ValidationError:
            whole = ""
        if whole and beginnings and len(digits) == 10:  # the first digits of every eleventh ISBN-13 are an ISBN-10
            return cls((digits, whole), is_whole=False)
        if whole:
            return cls((whole,), is_whole=True)
        if len(digits) <= 10:  # the ISBN-13 of an ISBN-10 has the same digits except the check digit
            beginnings.append(f"978{digits[:9]}")
        return cls(tuple(beginnings), is_whole=False) if beginnings else None


@dataclass(frozen=True)
class Query:
    """A parsed query: a book must meet each condition of `required`; those of `optional` only rank.

    Each part of the text between blanks is one condition: a word, or a compound in each of its spellings.
    """

    text: str
    found: tuple[Token, ...]
    required: tuple[Condition, ...]
    optional: tuple[Condition, ...]
    isbn: IsbnWanted | None

    @classmethod
    def of(cls, text: str) -> "Query":
        """Parses a text. Ignores words after the first MAX_QUERY_WORDS different ones."""
        found = first_words(tokens(text))
        other = tokens(with_two_letters(text))[: len(found)]
        twins = [token.word for token in other] if len(other) == len(found) else [token.word for token in found]
        required: list[Condition] = []
        optional: list[Condition] = []
        place = 0
        for group in compounds(found):
            twin = twins[place : place + len(group)]
            place += len(group)
            common = len(group) == 1 and group[0].word in COMMON
            (optional if common else required).append(condition_of(group, twin))
        if not required:
            required, optional = optional, []
        isbn = IsbnWanted.of(text)
        return cls(text, tuple(found), tuple(dict.fromkeys(required)), tuple(dict.fromkeys(optional)), isbn)

    def __bool__(self) -> bool:
        return bool(self.required)

    @cached_property
    def folded(self) -> str:
        """The query, folded as `title_folded` is."""
        return " ".join(token.word for token in self.found)

    @cached_property
    def bare(self) -> str:
        """Without a leading article and without blanks: equal for catch22 and Catch-22."""
        return bare(self.folded)

    def with_every_word(self) -> "Query":
        """With the common words required, too, for filters, which require all words."""
        return replace(self, required=(*self.required, *self.optional), optional=())

    @cached_property
    def every(self) -> Condition:
        return all_of(self.required)


def first_words(found: list[Token]) -> list[Token]:
    """The text up to the MAX_QUERY_WORDS-th different word."""
    different: set[str] = set()
    for place, token in enumerate(found):
        different.add(token.word)
        if len(different) > MAX_QUERY_WORDS:
            return found[:place]
    return found[:MAX_QUERY]


def bare(folded: str) -> str:
    return ARTICLE.sub("", folded, count=1).replace(" ", "") if ARTICLE.match(folded) else folded.replace(" ", "")


def condition_of(group: list[Token], twins: list[str]) -> Condition:
    """The condition of one word or compound: o'brien means o and brien, or obrien."""
    parts = all_of([Word(one_run(token.word)) for token in group])
    ways: list[Condition] = [parts]
    if len(group) > 1:
        ways.append(Word(joined(group)))
        partly = partly_joined(group)
        if 1 < len(partly) < len(group):
            ways.append(all_of([Word(part) for part in partly]))
    elif group[0].word != twins[0]:
        ways.append(Word(twins[0]))
    elif LETTERS_THEN_DIGITS.fullmatch(group[0].word):
        ways.append(all_of([Word(part) for part in LETTERS_OR_DIGITS.findall(group[0].word)]))
    return any_of(ways)


def one_run(word: str) -> str:
    return word[:MAX_RUN] if not word.isascii() and UNSPACED.search(word) else word
