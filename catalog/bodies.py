"""The bodies of the catalogue's public reads, as bytes, by the query string and the parameters of the path.

The views answer with them, and so does bookstore/server/direct.py, without the views (`direct_reads` in apps.py).
"""

from functools import lru_cache
from typing import Any

from bookstore.api.pagination import exactly
from bookstore.api.query import no_parameters, read_query
from catalog import reading
from catalog.models import Book, Genre
from catalog.parameters import MAX_IDS, BookQuery, SuggestionQuery
from catalog.representation import book_json, dump, page_json
from catalog.search.facets import facets_of
from catalog.search.suggestions import suggest
from catalog.serializers import BookPageSerializer, BookSerializer, GenreSerializer

QUERIES = 1024  # cached results, some hundred bytes each


@lru_cache(maxsize=QUERIES)
def validated_query(raw: str) -> dict[str, Any]:
    """The parameters of GET /books, by `BookQuery`. Raises ValidationError. Cached: copy it before changing it."""
    return read_query(BookQuery, raw)


def page(raw: str) -> bytes:
    """GET /books. Queries: those of `reading.page`, and one for each facet or less. Raises ValidationError."""
    wanted = dict(validated_query(raw))
    number, size, count = wanted.pop("page"), wanted.pop("size"), wanted.pop("count") != "none"
    facets = wanted.pop("facets", ())
    if "ids" in wanted:
        found = page_json(reading.books_of(wanted["ids"]), exactly(len(wanted["ids"])), page=1, size=MAX_IDS)
        found["total"] = len(found["items"])
    elif reading.is_possible():
        books, total, corrected = reading.page(wanted, number=number, size=size, count=count)
        found = page_json(books, total, page=number, size=size, corrected=corrected)
    else:
        found = BookPageSerializer(reading.page_by_models(wanted, number=number, size=size, count=count)).data
    if facets:
        found["facets"] = facets_of(Book.objects.on_sale(), wanted, facets)
    return dump(found)


def suggestions(raw: str) -> bytes:
    """GET /books/suggest. Queries: those of `suggest`. Raises ValidationError."""
    wanted = read_query(SuggestionQuery, raw)
    return dump({"items": suggest(Book.objects.on_sale(), wanted["q"], limit=wanted["limit"])})


def book(raw: str, book_id: int) -> bytes:
    """GET /books/{book_id}, also of a withdrawn book. 1 query. Raises BookNotFound, ValidationError."""
    no_parameters(raw)
    if reading.is_possible():
        return dump(book_json(reading.book(book_id)))
    return dump(BookSerializer(Book.objects.find(book_id)).data)


def genres(raw: str) -> bytes:
    """GET /genres. 1 query. Raises ValidationError."""
    no_parameters(raw)
    if reading.is_possible():
        return dump(reading.genres())
    return dump(GenreSerializer(Genre.objects.by_name(), many=True).data)
