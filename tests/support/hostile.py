"""What nobody should send, and to which operations: the corpus of test_hostile_input.py and test_wire.py."""

from dataclasses import dataclass
from typing import Any

from bookstore.accounts.tests.factories import PASSWORD

NO_JSON = [
    b" ",
    b"{",
    b"}",
    b"nul",
    b"undefined",
    b"'",
    b"{'quantity': 1}",
    b'{"quantity": 1,}',
    b'{"quantity" 1}',
    b'{"quantity": 01}',
    b'{"quantity": +1}',
    b'{"quantity": .5}',
    b'{"quantity": 0x1}',
    b'{"quantity": NaN}',
    b'{"quantity": -Infinity}',
    b'{"quantity": 1} {"quantity": 2}',
    b'{"quantity": 1} // one',
    b'{"a": "\x01"}',
    b'{"a": "\\x41"}',
    b'{"a": "\\u12"}',
    b'{"a": "\xff"}',
    b"\x80\x02}q\x00.",
    b"\xef\xbb\xbf{}",
    '{"quantity": 1}'.encode("utf-16"),
    b"quantity=1",
    b"<quantity>1</quantity>",
    b"[" * 101 + b"]" * 101,
    b'{"a":' * 5000 + b"1" + b"}" * 5000,
    b"[" * 100_000,
    b"\x00",
]
NO_OBJECT = [b"null", b"true", b"1", b'"quantity"', b"[]", b'[{"quantity": 1}]', b"1e400", b"1e99999999999999999999"]
NOT_JSON_TYPES = [
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "text/plain",
    "text/html; charset=utf-8",
    "application/xml",
    "application/octet-stream",
    "application/jsonx",
    "image/png",
    "nonsense",
    "; charset=utf-8",
    "application/json/json",
    "a" * 5000,
]
NOT_ACCEPTED = ["application/xml", "text/html;q=0.9", "image/*", "nonsense", "application/xml;q=1, text/plain"]
BAD_TOKENS = [
    "Bearer",
    "Bearer ",
    "Bearer x",
    "Bearer null",
    "Bearer undefined",
    "Bearer a.b.c",
    "Bearer ..",
    "Bearer " + "a" * 10_000,
    "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.",
    "Bearer é.é.é",
    "Bearer \x7f",
    "Bearer a b c",
    "bearer x",
    "Basic YWxpY2U6cGFzc3dvcmQ=",
    "Digest x",
    "Token x",
    "x",
    ",",
]
# A header whose value is no tag names no version: a condition that cannot hold, or none.
ODD_HEADERS = [
    {"if-match": "x"},
    {"if-match": '"'},
    {"if-match": 'W/"1"'},
    {"if-none-match": '"' * 2000},
    {"x-request-id": "../../etc/passwd"},
    {"x-forwarded-for": "'; DROP TABLE users; --"},
    {"x-forwarded-for": "1.2.3.4, " * 500},
    {"x-forwarded-proto": "gopher"},
    {"x-http-method-override": "DELETE"},
    {"accept-language": "\xff" * 500},
    {"accept-encoding": "nonsense;q=9"},
    {"origin": "null"},
    {"cookie": "sessionid=" + "x" * 5000},
    {"range": "bytes=-1"},
    {"expect": "nonsense"},
]
NOT_WHOLE = [True, False, 1.5, 1e400, "1.0", " 1 ", "１", "١", "1_0", "0x1", "", "x", "-", [], [1], {}, {"a": 1}]
NOT_TEXT = [True, 1, 1.5, [], {}, "\x00", "a\x00b", "\ud800", "a\udfffb"]
NOT_A_PRICE = [True, "NaN", "sNaN", "Infinity", "-0.01", 0, -1, "1e3", "1.001", "１", "1,50", "", " ", [], {}, 10**10]
NOT_A_DATE = [1, True, "", "x", "2020-13-01", "2020-02-30", "2020-1-1", "2020-01-01T00:00:00", "0000-00-00", [], {}]
NOT_A_URL = [1, "x", "javascript:alert(1)", "ftp://x.example/a", "http://", "http://a b", "http://x" * 500, [], "\x00"]
NOT_AN_ISBN = [1, True, "x", "9780141439588", "978-0-14-143958-8x", "０141439580", "\x00", [], {}]
NOT_AN_EMAIL = [*NOT_TEXT, "", "x", "@", "a@", "@b.example", "a b@c.example", "a@b@c.example", "x" * 300 + "@c.example"]
OUT_OF_RANGE = [0, -1, 1000, 2**15, 2**31, 2**63, 2**64, -(2**63) - 1, 10**30, 10**400, "1000", "0", "9" * 5000]
BAD_IDS = ["0", str(2**31), str(2**63), "9" * 30, "9" * 5000]
NO_IDS = [
    "x",
    "-1",
    "1.5",
    "1e3",
    "%31%00",
    "%00",
    "１",
    "١",
    "1;2",
    "1'",
    "%27%20OR%201=1",
    "..%2f",
    "null",
    "1%0a",
    "a" * 2000,
]
BAD_QUERIES = [
    *(f"page={value}" for value in ("0", "-1", "x", "1.5", "", "１", "%00", "9" * 30 + "x")),
    *(f"size={value}" for value in ("0", "-1", "101", "x", "1e1", str(2**31), str(2**63))),
    *(f"min_price={value}" for value in ("NaN", "Infinity", "x", "1e9", "-1e", "%00", "１", "1,5")),
    *(f"max_price={value}" for value in ("NaN", "-Infinity", "x", "[]")),
    *(f"genre_id={value}" for value in ("x", "1.5", "true", "%00", "١")),
    *(f"in_stock={value}" for value in ("2", "maybe", "%00")),
    *(f"sort={value}" for value in ("x", "id", "-title", "password", "title;", "%00")),
    *(f"sort_dir={value}" for value in ("up", "ASC;", "%00")),
    *("q=%00", "q=a%00b", "author=%00", "q=" + "a" * 300, "q=" + "+".join(f"w{n}" for n in range(40))),
]
FINE_QUERIES = [
    *(f"page={2**31}", f"genre_id={2**31}"),
    *("q=", "q=%27%20OR%201=1--", "q=%25", "q=_", "q=*:*", "q=%F0%9F%93%9A", "q=!!!", "q=%ED%A0%80", "q=%FF"),
    *(
        "page=999999999999999999999999",
        f"page={2**31}",
        f"genre_id={2**31}",
        f"genre_id={2**63}",
        "genre_id=0",
        "unknown=1",
        "page=1&page=2",
        "author=%25",
    ),
    *("min_price=5&max_price=1", "size=100", "q=" + "a" * 200, "%00=1", "=", "&&&", "q=%"),
]


@dataclass(frozen=True)
class Operation:
    method: str
    path: str
    body: dict[str, Any] | None = None
    protected: bool = True
    # what may stand in each field instead, all of it refused with 422
    bad: tuple[tuple[str, tuple[Any, ...]], ...] = ()

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def fields(**bad: list[Any]) -> tuple[tuple[str, tuple[Any, ...]], ...]:
    return tuple((name, tuple(values)) for name, values in bad.items())


BOOK = {"title": "Dracula", "author": "Bram Stoker", "price": "9.50"}
BAD_BOOK = {
    "title": [*NOT_TEXT, "", " ", "a" * 501, None],
    "author": [*NOT_TEXT, "", "a" * 256, None],
    "price": [*NOT_A_PRICE, None],
    "isbn": NOT_AN_ISBN,
    "genre_id": [*NOT_WHOLE, 0, 2**31, 2**63, 10**30],
    "description": NOT_TEXT,
    "cover_image_url": NOT_A_URL,
    "publish_date": NOT_A_DATE,
    "stock_quantity": [*NOT_WHOLE, -1, 2**31, 2**63, 10**30],
    "is_active": [0, 1, "true", "yes", [], {}],
}
QUANTITY = {"quantity": [*NOT_WHOLE, *OUT_OF_RANGE, None]}
OPERATIONS = [
    Operation(
        "POST",
        "/auth/register",
        {"email": "erin@example.com", "password": PASSWORD},
        protected=False,
        bad=fields(email=[*NOT_AN_EMAIL, None], password=[*NOT_TEXT, "", "short", "1234567890", "a" * 129, None]),
    ),
    Operation(
        "POST",
        "/auth/login",
        {"email": "alice@example.com", "password": PASSWORD},
        protected=False,
        bad=fields(email=[*NOT_TEXT, "", "a" * 400, None], password=[*NOT_TEXT, "", "a" * 129, None]),
    ),
    Operation(
        "POST", "/auth/refresh", {"refresh_token": "x"}, protected=False, bad=fields(refresh_token=[*NOT_TEXT, None])
    ),
    # Ends what there is to end, and says 204 of anything else, too.
    Operation("POST", "/auth/logout", {"refresh_token": "x"}, protected=False),
    Operation("GET", "/books", protected=False),
    Operation("GET", "/books/{book}", protected=False),
    Operation("GET", "/genres", protected=False),
    Operation("POST", "/books", BOOK, bad=fields(**BAD_BOOK)),
    Operation("PUT", "/books/{book}", {"price": "8.50"}, bad=fields(**BAD_BOOK)),
    Operation("DELETE", "/books/{book}"),
    Operation(
        "PATCH", "/books/{book}/stock", {"quantity": 3}, bad=fields(quantity=[*NOT_WHOLE, -1, 2**31, 10**30, None])
    ),
    Operation("POST", "/genres", {"name": "Gothic"}, bad=fields(name=[*NOT_TEXT, "", " ", "a" * 101, None])),
    Operation("GET", "/cart"),
    Operation(
        "POST",
        "/cart/merge",
        {"items": [{"book_id": 1}]},
        bad=fields(
            items=[
                *(None, True, 1, "x", {}, [], [None], [1], ["x"], [[]], [{}], [{"quantity": 1}], [{"book_id": "x"}]),
                *([{"book_id": 1}] * 2, [{"book_id": n + 1} for n in range(101)], [{"book_id": None}]),
                *([{"book_id": 1, "quantity": value}] for value in (*NOT_WHOLE, *OUT_OF_RANGE, None)),
            ]
        ),
    ),
    Operation("POST", "/cart/items", {"book_id": 1}, bad=fields(book_id=[*NOT_WHOLE, None], **QUANTITY)),
    Operation("DELETE", "/cart/items"),
    Operation("PUT", "/cart/items/{item}", {"quantity": 2}, bad=fields(**QUANTITY)),
    Operation("PATCH", "/cart/items/{item}", {"quantity": 2}, bad=fields(**QUANTITY)),
    Operation("DELETE", "/cart/items/{item}"),
    Operation("GET", "/health", protected=False),
    Operation("GET", "/ready", protected=False),
    # Beside the schema, which does not describe itself.
    Operation("GET", "/schema", protected=False),
    Operation("GET", "/docs", protected=False),
]
READS = [operation for operation in OPERATIONS if operation.method == "GET" and not operation.protected]
WITH_BODY = [operation for operation in OPERATIONS if operation.body is not None]
WITHOUT_BODY = [operation for operation in OPERATIONS if operation.body is None]
PROTECTED = [operation for operation in OPERATIONS if operation.protected]
WITH_ID = [operation for operation in OPERATIONS if "{" in operation.path]
