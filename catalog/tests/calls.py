"""The calls of the catalogue, as the tests of the whole shop need to know them: tests/support/calls.py."""

from catalog.tests.factories import BookFactory
from tests.support.calls import BODY, EVERYBODY, QUERY, STAFF, Answers, Row, Shop, only, staff
from tests.support.hostile import NOT_TEXT, NOT_WHOLE, Operation, fields

ACCESS: dict[str, Row] = {
    "books": only(GET=EVERYBODY, HEAD=EVERYBODY, POST=staff(201)),
    "books/suggest": only(GET=EVERYBODY, HEAD=EVERYBODY),
    "books/<id:book_id>": only(GET=EVERYBODY, HEAD=EVERYBODY, PUT=staff(200), DELETE=staff(204)),
    "books/<id:book_id>/stock": only(PATCH=staff(200)),
    "genres": only(GET=EVERYBODY, HEAD=EVERYBODY, POST=staff(201)),
}

NO_BOOK: Answers = {404: {"BOOK_NOT_FOUND", "NOT_FOUND"}}
SEEN: Answers = {412: {"BOOK_CHANGED"}}
CONTRACT: dict[tuple[str, str], Answers] = {
    ("GET", "/books"): {200: None, 304: None, **QUERY},
    ("GET", "/books/suggest"): {200: None, 304: None, **QUERY},
    ("GET", "/books/{book_id}"): {200: None, 304: None, **NO_BOOK, **QUERY},
    ("POST", "/books"): {201: None, 409: {"BOOK_ISBN_CONFLICT"}, **BODY, **STAFF},
    ("PUT", "/books/{book_id}"): {200: None, **NO_BOOK, 409: {"BOOK_ISBN_CONFLICT"}, **SEEN, **BODY, **STAFF},
    ("DELETE", "/books/{book_id}"): {204: None, **NO_BOOK, **SEEN, **STAFF},
    ("PATCH", "/books/{book_id}/stock"): {
        200: None,
        **NO_BOOK,
        409: {"BOOK_STOCK_OUT_OF_RANGE"},
        **SEEN,
        **BODY,
        **STAFF,
    },
    ("GET", "/genres"): {200: None, 304: None, **QUERY},
    ("POST", "/genres"): {201: None, 409: {"GENRE_CONFLICT"}, **BODY, **STAFF},
}

# Zero width, controls, overrides of the direction of writing, blanks of other scripts: nothing that anybody sees.
UNSEEN = ["\u200b", "\u200e\u202e\u2066", "\x07\x1b", "\u2800", "\u3164", "\u00ad", "\ufe0f", "\u3000 \u2003"]
NOT_A_PRICE = [True, "NaN", "sNaN", "Infinity", "-0.01", 0, -1, "1e3", "1.001", "１", "1,50", "", " ", [], {}, 10**10]
NOT_A_DATE = [1, True, "", "x", "2020-13-01", "2020-02-30", "2020-1-1", "2020-01-01T00:00:00", "0000-00-00", [], {}]
NOT_A_URL = [1, "x", "javascript:alert(1)", "ftp://x.example/a", "http://", "http://a b", "http://x" * 500, [], "\x00"]
NOT_AN_ISBN = [1, True, "x", "9780141439588", "978-0-14-143958-8x", "０141439580", "\x00", [], {}]
BOOK = {"title": "Dracula", "author": "Bram Stoker", "price": "9.50"}
BAD_BOOK = {
    "title": [*NOT_TEXT, *UNSEEN, "", " ", "a" * 501, None],
    "author": [*NOT_TEXT, *UNSEEN, "", "a" * 256, None],
    "price": [*NOT_A_PRICE, None],
    "isbn": NOT_AN_ISBN,
    "genre_id": [*NOT_WHOLE, 0, 2**31, 2**63, 10**30],
    "description": NOT_TEXT,
    "cover_image_url": NOT_A_URL,
    "publish_date": NOT_A_DATE,
    "stock_quantity": [*NOT_WHOLE, -1, 2**31, 2**63, 10**30],
    "is_active": [0, 1, "true", "yes", [], {}],
}
BAD_QUERIES = (
    *(f"page={value}" for value in ("0", "-1", "x", "1.5", "", "１", "%00", "9" * 30 + "x")),
    *(f"size={value}" for value in ("0", "-1", "101", "x", "1e1", str(2**31), str(2**63))),
    *(f"min_price={value}" for value in ("NaN", "Infinity", "x", "1e9", "-1e", "%00", "１", "1,5")),
    *(f"max_price={value}" for value in ("NaN", "-Infinity", "x", "[]")),
    *(f"genre_id={value}" for value in ("x", "1.5", "true", "%00", "١")),
    *(
        f"{name}={value}"
        for name in ("ids", "isbn", "published_from", "published_to", "facets")
        for value in ("x", "%00")
    ),
    *(f"in_stock={value}" for value in ("2", "maybe", "%00")),
    *(f"sort={value}" for value in ("x", "id", "-title", "password", "title;", "%00")),
    *(f"sort_dir={value}" for value in ("up", "ASC;", "%00")),
    *("q=%00", "q=a%00b", "author=%00", "q=" + "a" * 300, "q=" + "+".join(f"w{n}" for n in range(40))),
    *("unknown=1", "utm_source=mail&q=emma"),  # STRICT_QUERY
    *("q=%FF", "q=%ED%A0%80", "author=caf%E9", "sort=%C3%28", "q=emma%C3"),  # no UTF-8
)
FINE_QUERIES = (
    *(f"page={2**31}", f"genre_id={2**31}"),
    *("q=", "q=%27%20OR%201=1--", "q=%25", "q=_", "q=*:*", "q=%F0%9F%93%9A", "q=!!!", "q=%EF%BF%BD", "q=caf%C3%A9"),
    *(
        "page=999999999999999999999999",
        f"page={2**31}",
        f"genre_id={2**31}",
        f"genre_id={2**63}",
        "genre_id=0",
        "page=1&page=2",
        "author=%25",
    ),
    *("min_price=5&max_price=1", "size=100", "q=" + "a" * 200, "&&&", "q=%"),
)
OPERATIONS = [
    Operation("GET", "/books", protected=False, bad_queries=BAD_QUERIES, fine_queries=FINE_QUERIES),
    Operation("GET", "/books/{book_id}", protected=False, unknown="BOOK_NOT_FOUND"),
    Operation(
        "GET",
        "/books/suggest",
        protected=False,
        query="q=emma",
        bad_queries=(
            "q=%00",
            "q=%FF",
            "q=" + "a" * 201,
            *(f"limit={value}&q=a" for value in ("0", "21", "x", "")),
            "unknown=1&q=a",
        ),
        fine_queries=("q=", "q=a", "q=%25", "q=!", "q=" + "a" * 200, "limit=20&q=emma"),
    ),
    Operation("GET", "/genres", protected=False),
    Operation("POST", "/books", BOOK, bad=fields(**BAD_BOOK)),
    Operation(
        "PUT",
        "/books/{book_id}",
        {"price": "8.50"},
        bad=fields(**BAD_BOOK),
        unknown="BOOK_NOT_FOUND",
        takes_nothing=200,  # each field is optional: only what is sent changes
    ),
    Operation("DELETE", "/books/{book_id}", unknown="BOOK_NOT_FOUND"),
    Operation(
        "PATCH",
        "/books/{book_id}/stock",
        {"quantity": 3},
        bad=fields(quantity=[*NOT_WHOLE, -1, 2**31, 10**30, None]),
        unknown="BOOK_NOT_FOUND",
    ),
    Operation("POST", "/genres", {"name": "Gothic"}, bad=fields(name=[*NOT_TEXT, *UNSEEN, "", " ", "a" * 101, None])),
]


def furnish(shop: Shop) -> None:
    book = BookFactory(title="Emma", author="Jane Austen", price="9.50", stock_quantity=5)
    shop.ids["book_id"] = book.pk
    shop.queries["books/suggest"] = "q=em"
    shop.bodies |= {
        "books": BOOK,
        "books/<id:book_id>": {"price": "8.50"},
        "books/<id:book_id>/stock": {"quantity": 3},
        "genres": {"name": "Gothic"},
    }
