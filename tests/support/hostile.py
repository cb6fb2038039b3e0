"""Bad input for any call. Each app declares bad input for its own calls in `tests/calls.py`."""

from dataclasses import dataclass
from typing import Any

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
# Conditional headers without a valid tag, and odd request ids.
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


@dataclass(frozen=True)
class Operation:
    method: str
    path: str
    body: dict[str, Any] | None = None
    protected: bool = True
    # bad values of each field, all refused with 422
    bad: tuple[tuple[str, tuple[Any, ...]], ...] = ()
    unknown: str = ""  # the code of the 404 for an unknown id
    takes_nothing: int = 0  # the status for an empty object, if that is valid
    query: str = ""  # its required parameters
    bad_queries: tuple[str, ...] = ()  # 422 that names the first parameter
    fine_queries: tuple[str, ...] = ()  # unusual but valid

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def fields(**bad: list[Any]) -> tuple[tuple[str, tuple[Any, ...]], ...]:
    return tuple((name, tuple(values)) for name, values in bad.items())
