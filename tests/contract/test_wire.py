"""What only bytes on the wire show: Django's test client sends no half bodies, and empties answers to HEAD itself."""

import json
import socket
from typing import NamedTuple
from urllib.parse import quote

import pytest

from bookstore.accounts.models import User
from bookstore.server.admission import LONGEST_CONTENT_TYPE
from tests.support.calls import contract, operations
from tests.support.hostile import NO_IDS, NO_JSON, NO_OBJECT, NOT_JSON_TYPES
from tests.support.server import running_server

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]

ERIN = json.dumps({"email": "erin@example.com", "password": "correct horse battery"}).encode()


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def code(self) -> str:
        return str(json.loads(self.body)["code"])


class Wire:
    """One connection, on which bytes are sent as they are."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self.stream = self.socket.makefile("rb")

    def __enter__(self) -> "Wire":
        return self

    def __exit__(self, *error: object) -> None:
        self.stream.close()
        self.socket.close()

    def send(self, method: str, path: str, *headers: str, body: bytes = b"", host: str = "localhost") -> None:
        lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", *headers, "", ""]
        self.socket.sendall("\r\n".join(lines).encode() + body)

    def no_more(self) -> None:
        """Half a close: the server sees the end, and can still answer."""
        self.socket.shutdown(socket.SHUT_WR)

    def answer(self, *, with_body: bool = True) -> Answer:
        """The next answer. Without a body nothing after the blank line is read: it would be the next answer's start."""
        status = self.stream.readline()
        assert status.startswith(b"HTTP/1.1 "), status
        headers = {}
        while (line := self.stream.readline().decode("latin-1").strip()) != "":
            name, _, value = line.partition(": ")
            headers[name.lower()] = value
        body = self.stream.read(int(headers["content-length"])) if with_body else b""
        return Answer(int(status.split()[1]), headers, body)

    def call(self, method: str, path: str, *headers: str, body: bytes = b"", host: str = "localhost") -> Answer:
        length = [f"Content-Length: {len(body)}"] if body else []
        self.send(method, path, *length, *headers, body=body, host=host)
        return self.answer(with_body=method != "HEAD")


@pytest.fixture(scope="module")
def port(django_db_setup):
    """Of one server for all tests here."""
    with running_server(workers=1, AUTH_THROTTLE_RATE="100000/min") as port:
        yield port


def test_head_has_the_status_and_length_of_get_and_no_body(port):
    cases = [
        (200, "/books", "localhost"),
        (200, "/health", "localhost"),
        (401, "/cart", "localhost"),
        (404, "/nothing", "localhost"),
        (404, "/books/0", "localhost"),
        (422, "/books?page=0", "localhost"),
        (400, "/books", "evil.example"),
        (302, "/admin/", "localhost"),
    ]
    found = []

    for _, path, host in cases:
        with Wire(port) as wire:
            get = wire.call("GET", path, host=host)
            head = wire.call("HEAD", path, host=host)
            # A byte too many would stand before this answer.
            after = wire.call("GET", "/health")
        with Wire(port) as wire:
            wire.send("HEAD", path, "Connection: close", host=host)
            wire.answer(with_body=False)
            stray = wire.stream.read()
        lengths = (get.headers["content-length"], head.headers["content-length"])
        found.append((get.status, head.status, len(set(lengths)), after.status, stray))

    assert found == [(status, status, 1, 200, b"") for status, _, _ in cases]


def test_a_body_shorter_than_its_length_is_400_and_changes_nothing(port):
    json_body = "Content-Type: application/json"
    answers = []

    for method, path in (("POST", "/auth/register"), ("DELETE", "/cart/items"), ("PUT", "/cart/items/7")):
        with Wire(port) as wire:
            wire.send(method, path, json_body, "Content-Length: 400", "X-Request-ID: erin-7", body=ERIN)
            wire.no_more()
            answers.append(wire.answer())
    with Wire(port) as wire:
        whole = wire.call("POST", "/auth/login", json_body, body=ERIN)

    told = f"The body was cut short: 400 bytes were announced, {len(ERIN)} came."
    assert [(found.status, json.loads(found.body)) for found in answers] == [
        (400, {"detail": told, "code": "PARSE_ERROR"})
    ] * 3
    assert {found.headers["x-request-id"] for found in answers} == {"erin-7"}
    assert {found.headers["cache-control"] for found in answers} == {"no-store"}
    assert (whole.status, whole.code) == (401, "AUTH_INVALID_CREDENTIALS")
    assert not User.objects.exists()


def test_a_chunked_body_cut_short_is_taken_only_when_it_is_whole(port):
    """The server does not tell that the last chunk is missing: docs/decisions/0005-errors.md."""
    half = ERIN[: len(ERIN) // 2]
    sent = [
        b"%x\r\n%s\r\n" % (len(half), half),
        b"%x\r\n%s\r\nzz" % (len(half), half),
        b"%x\r\n%s" % (len(ERIN), half),
        b"zz",
        b"",
    ]
    answers = []

    for body in sent:
        with Wire(port) as wire:
            chunked = ("Transfer-Encoding: chunked", "Content-Type: application/json")
            wire.send("POST", "/auth/register", *chunked, body=body)
            wire.no_more()
            found = wire.answer()
            answers.append((found.status, found.code))

    assert answers == [(400, "PARSE_ERROR")] * 3 + [(422, "VALIDATION_ERROR")] * 2
    assert not User.objects.exists()


@pytest.mark.slow
def test_corpus_is_refused_on_the_wire_as_in_the_other_tests(port):
    as_json = "Content-Type: application/json"
    requests = [
        *(("POST", "/auth/register", (as_json,), body, 400, "PARSE_ERROR") for body in NO_JSON),
        *(("POST", "/auth/login", (as_json,), body, 422, "VALIDATION_ERROR") for body in NO_OBJECT),
        *(
            ("POST", "/auth/refresh", (f"Content-Type: {kind}",), b"{}", 415, "UNSUPPORTED_MEDIA_TYPE")
            for kind in NOT_JSON_TYPES
            if len(kind) <= LONGEST_CONTENT_TYPE
        ),
        *(
            ("GET", f"{each.path}?{quote(query, safe='%=&+')}", (), b"", 422, "VALIDATION_ERROR")
            for each in operations()
            if not each.protected
            for query in each.bad_queries
            if not contract()[each.method, each.path].get(401)  # without a token there is no further look
        ),
        *(("GET", f"/books/{quote(no_id, safe='%')}", (), b"", 404, "NOT_FOUND") for no_id in NO_IDS),
        *(("DELETE", f"/cart/items/{quote(no_id, safe='%')}", (), b"", 404, "NOT_FOUND") for no_id in NO_IDS),
        *(("GET", f"/books/{quote(no_id, safe='%')}/", (), b"", 404, "NOT_FOUND") for no_id in NO_IDS),
        ("POST", "/auth/register", (as_json,), b'"' + b"a" * 1_000_000 + b'"', 413, "CONTENT_TOO_LARGE"),
        ("POST", "/health", (), b"", 405, "METHOD_NOT_ALLOWED"),
        ("PROPFIND", "/health", (), b"", 405, "METHOD_NOT_ALLOWED"),
        ("GET", "/health", ("Accept: text/html",), b"", 406, "NOT_ACCEPTABLE"),
        ("GET", "/cart", (), b"", 401, "NOT_AUTHENTICATED"),
    ]
    faults = []

    for method, path, headers, body, status, code in requests:
        with Wire(port) as wire:
            found = wire.call(method, path, *headers, body=body)
            kind = found.headers["content-type"]
            if (found.status, kind) != (status, "application/json") or found.code != code:
                faults.append(f"{method} {path[:80]} {body[:40]!r}: {found.status} {found.body[:200]!r}")

    assert faults == []
    assert len(requests) > 130
