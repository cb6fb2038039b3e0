"""The books of the OpenAPI examples. Their requests succeed unchanged on the demo shop of `make run`."""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter

GENRE = {"id": 1, "name": "Novel"}
BOOK = {
    "id": 1,
    "title": "Pride and Prejudice",
    "author": "Jane Austen",
    "price": "14.90",
    "currency": "USD",
    "isbn": "9780141439518",
    "genre_id": 1,
    "description": "Elizabeth Bennet and Mr Darcy each have a mistaken first opinion to give up.",
    "cover_image_url": "https://covers.example.com/9780141439518.jpg",
    "publish_date": "1813-01-28",
    "stock_quantity": 62,
    "in_stock": True,
    "is_active": True,
    "popularity": 0,
    "created_at": "2026-01-05T09:30:00Z",
    "updated_at": "2026-02-11T16:02:41Z",
}
READ_ONLY = {"id", "currency", "in_stock", "created_at", "updated_at"}
NEW_BOOK = {key: value for key, value in BOOK.items() if key not in READ_ONLY} | {
    "title": "Persuasion",
    "isbn": "0-14-143968-8",
    "description": "Eight years after Anne Elliot was persuaded to refuse him, Captain Wentworth comes back.",
    "cover_image_url": "https://covers.example.com/9780141439686.jpg",
    "publish_date": "1817-12-20",
}

A_BOOK = OpenApiExample("A book", value=BOOK, response_only=True)
PAGE = {"items": [BOOK], "total": 1, "total_is_estimate": False, "page": 1, "size": 20, "corrected": False}
A_PAGE = OpenApiExample("A page", value=PAGE, response_only=True, status_codes=["200"])
NO_BOOKS = OpenApiExample(
    "Nothing found", value=PAGE | {"items": [], "total": 0}, response_only=True, status_codes=["200"]
)
SUGGESTIONS = OpenApiExample(
    "For `aus`",
    value={
        "items": [
            {"kind": "title", "text": "Austerlitz", "book_id": 12, "author": "W. G. Sebald"},
            {"kind": "author", "text": "Jane Austen"},
        ]
    },
    response_only=True,
    status_codes=["200"],
)
CREATE_BOOK = OpenApiExample("All that is known of it", value=NEW_BOOK, request_only=True)
CREATE_SMALL_BOOK = OpenApiExample(
    "The least", value={"title": "Emma", "author": "Jane Austen", "price": "9.90"}, request_only=True
)
NEW_PRICE = OpenApiExample("Another price", value={"price": "11.00"}, request_only=True)
FORGET_ISBN = OpenApiExample("Forget the ISBN", value={"isbn": None}, request_only=True)
NEW_STOCK = OpenApiExample("Five copies", value={"quantity": 5}, request_only=True)
IF_MATCH = OpenApiParameter(
    "If-Match",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="The ETag of GET /books/{book_id} as you saw it: nothing is changed (412) unless it is still that one.",
)
MORE_STOCK = OpenApiExample("Three copies more", value={"change": 3}, request_only=True)
A_GENRE = OpenApiExample("A genre", value=GENRE, response_only=True)
CREATE_GENRE = OpenApiExample("A genre", value={"name": "Travel"}, request_only=True)
