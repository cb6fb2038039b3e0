"""What nobody should send, sent to every operation, signed in and not: the right refusal each time, and never a 500."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.apps import apps
from rest_framework.test import APIClient

from bookstore.accounts.tests.factories import UserFactory

PASSWORD = "correct horse battery"

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
    *(f"size={value}" for value in ("0", "-1", "101", "x", "1e1", str(2**63))),
    *(f"min_price={value}" for value in ("NaN", "Infinity", "x", "1e9", "-1e", "%00", "１", "1,5")),
    *(f"max_price={value}" for value in ("NaN", "-Infinity", "x", "[]")),
    *(f"genre_id={value}" for value in ("x", "1.5", "true", "%00", "١")),
    *(f"in_stock={value}" for value in ("2", "maybe", "%00")),
    *(f"sort={value}" for value in ("x", "id", "-title", "password", "title;", "%00")),
    *(f"sort_dir={value}" for value in ("up", "ASC;", "%00")),
    *("q=%00", "q=a%00b", "author=%00", "q=" + "a" * 300, "q=" + "+".join(f"w{n}" for n in range(40))),
]
FINE_QUERIES = [
    *("q=", "q=%27%20OR%201=1--", "q=%25", "q=_", "q=*:*", "q=%F0%9F%93%9A", "q=!!!", "q=%ED%A0%80", "q=%FF"),
    *("page=999999999999999999999999", f"genre_id={2**63}", "genre_id=0", "unknown=1", "page=1&page=2", "author=%25"),
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
]
READS = ["/books", "/books/{book}", "/genres", "/health", "/ready"]
WITH_BODY = [operation for operation in OPERATIONS if operation.body is not None]
PROTECTED = [operation for operation in OPERATIONS if operation.protected]
WITH_ID = [operation for operation in OPERATIONS if "{" in operation.path]


@pytest.fixture
def shop(db, client_for):
    """A client that may do everything, and the paths of what there is."""
    alice = UserFactory(email="alice@example.com", is_staff=True, is_superuser=True)
    book = apps.get_model("catalog", "Book").objects.create(
        title="Emma", author="Jane Austen", price="9.50", stock_quantity=5
    )
    cart = apps.get_model("cart", "Cart").objects.create(user=alice)
    line = apps.get_model("cart", "CartItem").objects.create(cart=cart, book=book, quantity=1, price_at_add="9.50")
    client = client_for(alice)
    client.raise_request_exception = False

    def path(template: str) -> str:
        return template.format(book=book.pk, item=line.pk)

    return client, path


def send(client: APIClient, method: str, path: str, body: bytes = b"", content_type: str = "", **headers: Any) -> Any:
    return client.generic(method, path, body, content_type=content_type or "application/json", **headers)


def wrong(found: Any, expected: int, code: str, about: Any) -> Iterator[str]:
    """Words for an answer that is not this error in the envelope."""
    content = found.content.decode(errors="replace")[:300]
    if found.status_code != expected:
        yield f"{str(about)[:120]!r}: {found.status_code}, not {expected}: {content}"
    elif found.headers["Content-Type"] != "application/json" or found.json().get("code") != code:
        yield f"{str(about)[:120]!r}: no envelope of {code}: {content}"
    elif expected == 422 and not found.json()["errors"]:
        yield f"{str(about)[:120]!r}: no errors: {content}"


@pytest.mark.parametrize("operation", WITH_BODY, ids=str)
def test_a_body_that_is_no_json_is_400(shop, operation):
    client, path = shop
    answers = [(body, send(client, operation.method, path(operation.path), body)) for body in NO_JSON]

    assert [fault for body, found in answers for fault in wrong(found, 400, "PARSE_ERROR", body)] == []


@pytest.mark.parametrize("operation", WITH_BODY, ids=str)
def test_a_body_that_is_no_object_is_422(shop, operation):
    client, path = shop
    answers = [(body, send(client, operation.method, path(operation.path), body)) for body in NO_OBJECT]

    assert [fault for body, found in answers for fault in wrong(found, 422, "VALIDATION_ERROR", body)] == []


@pytest.mark.parametrize("operation", WITH_BODY, ids=str)
def test_a_body_of_another_type_is_415(shop, operation):
    client, path = shop
    body = json.dumps(operation.body).encode()
    answers = [(kind, send(client, operation.method, path(operation.path), body, kind)) for kind in NOT_JSON_TYPES]

    assert [f for kind, found in answers for f in wrong(found, 415, "UNSUPPORTED_MEDIA_TYPE", kind)] == []


@pytest.mark.parametrize("operation", WITH_BODY, ids=str)
def test_a_body_over_the_limit_is_413(shop, operation, settings):
    client, path = shop
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    body = json.dumps({**operation.body, "padding": "x" * 1000}).encode()

    assert list(wrong(send(client, operation.method, path(operation.path), body), 413, "CONTENT_TOO_LARGE", "")) == []


@pytest.mark.parametrize("operation", WITH_BODY, ids=str)
def test_a_field_that_is_wrong_is_422_and_named(shop, operation):
    client, path = shop
    faults = []
    for name, values in operation.bad:
        for value in values:
            body = json.dumps({**operation.body, name: value}).replace("Infinity", "1e400").encode()
            found = send(client, operation.method, path(operation.path), body)
            faults += wrong(found, 422, "VALIDATION_ERROR", (name, value))
            if found.status_code == 422 and found.json()["field"].split(".")[0] != name:
                faults.append(f"{name}={value!r}: blamed {found.json()['field']}")
    assert faults == []


@pytest.mark.parametrize("operation", WITH_BODY, ids=str)
def test_a_field_that_is_missing_is_422(shop, operation):
    client, path = shop
    if operation.path == "/books/{book}":
        return  # each is optional: only what is sent changes

    assert list(wrong(send(client, operation.method, path(operation.path), b"{}"), 422, "VALIDATION_ERROR", "{}")) == []


@pytest.mark.parametrize("operation", WITH_ID, ids=str)
def test_an_id_that_no_row_has_is_404(shop, operation):
    client, _ = shop
    body = json.dumps(operation.body).encode() if operation.body else b""
    code = "BOOK_NOT_FOUND" if "{book}" in operation.path else "CART_ITEM_NOT_FOUND"
    faults = []
    for bad in BAD_IDS:
        faults += wrong(send(client, operation.method, operation.path.format(book=bad, item=bad), body), 404, code, bad)
    for bad in NO_IDS:
        found = send(client, operation.method, operation.path.format(book=bad, item=bad), body)
        faults += wrong(found, 404, "NOT_FOUND", bad)
    assert faults == []


@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
def test_an_accept_that_excludes_json_is_406(shop, operation):
    client, path = shop
    body = json.dumps(operation.body).encode() if operation.body else b""
    answers = [
        (accept, send(client, operation.method, path(operation.path), body, headers={"accept": accept}))
        for accept in NOT_ACCEPTED
    ]

    assert [fault for accept, found in answers for fault in wrong(found, 406, "NOT_ACCEPTABLE", accept)] == []


@pytest.mark.parametrize("operation", PROTECTED, ids=str)
def test_a_token_that_is_none_is_401_whatever_else_is_wrong(shop, operation):
    _, path = shop
    client = APIClient(raise_request_exception=False)
    faults = []
    for token in ["", *BAD_TOKENS]:
        headers = {"authorization": token} if token else {}
        for body in (b"", b"{", b"[]", b'{"quantity": "x"}'):
            found = send(client, operation.method, path(operation.path), body, headers=headers)
            if (
                found.status_code != 401
                or found.headers.get("WWW-Authenticate") != "Bearer"
                or "code" not in found.json()
            ):
                faults.append(f"{token[:40]!r} {body!r}: {found.status_code} {found.content[:200]!r}")
    assert faults == []


@pytest.mark.parametrize("path", READS)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_bad_token_does_not_fail_what_everybody_may_read(shop, method, path):
    _, path_of = shop
    client = APIClient(raise_request_exception=False)

    found = [client.generic(method, path_of(path), headers={"authorization": token}) for token in BAD_TOKENS]

    assert {answer.status_code for answer in found} == {200}
    assert method == "GET" or {answer.content for answer in found} == {b""}


@pytest.mark.parametrize("query", BAD_QUERIES)
def test_a_bad_query_is_422_and_names_its_parameter(shop, query):
    client, _ = shop

    found = client.get(f"/books?{query}")

    assert list(wrong(found, 422, "VALIDATION_ERROR", query)) == []
    assert found.json()["field"] == query.partition("=")[0]


@pytest.mark.parametrize("query", FINE_QUERIES)
def test_an_odd_query_is_served(shop, query):
    client, _ = shop

    assert client.get(f"/books?{query}").status_code == 200


@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
def test_odd_headers_break_nothing(shop, operation):
    client, path = shop
    body = json.dumps(operation.body).encode() if operation.body else b""
    for headers in ODD_HEADERS:
        found = send(client, operation.method, path(operation.path), body, headers=headers)
        assert found.status_code < 500, (headers, found.content)
        if found.status_code >= 400:
            assert found.json().keys() >= {"detail", "code"}, headers


@pytest.mark.parametrize("path", READS)
def test_head_has_the_headers_of_get_and_no_body(shop, path):
    client, path_of = shop

    get, head = client.get(path_of(path)), client.head(path_of(path))

    assert (head.status_code, head.content) == (get.status_code, b"")
    assert head.headers["Content-Type"] == get.headers["Content-Type"]


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "PROPFIND", "get", "G E T", "X" * 100])
def test_a_method_that_nobody_knows_is_405(shop, method):
    client, _ = shop

    for path in ("/books", "/cart", "/health"):
        assert client.generic(method, path).status_code in {200, 405} if method == "get" else 405


def test_the_corpus_has_at_least_five_hundred_different_requests():
    of_fields = sum(len(values) for operation in WITH_BODY for _, values in operation.bad)
    of_bodies = len(WITH_BODY) * (len(NO_JSON) + len(NO_OBJECT) + len(NOT_JSON_TYPES) + 2)
    of_paths = len(WITH_ID) * (len(BAD_IDS) + len(NO_IDS))
    of_tokens = len(PROTECTED) * len(BAD_TOKENS) * 4
    others = len(OPERATIONS) * (len(NOT_ACCEPTED) + len(ODD_HEADERS)) + len(BAD_QUERIES) + len(FINE_QUERIES)

    assert of_fields + of_bodies + of_paths + of_tokens + others > 2400
