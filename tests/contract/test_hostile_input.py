"""Bad input to every operation, with and without a token: the right refusal each time, and never a 500."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from rest_framework.test import APIClient

from bookstore.accounts.tests.factories import UserFactory
from bookstore.api.schema import ShopSchema
from tests.support.bearer import bearer, token_of
from tests.support.calls import furnished, operations
from tests.support.hostile import (
    BAD_IDS,
    BAD_TOKENS,
    NO_IDS,
    NO_JSON,
    NO_OBJECT,
    NOT_ACCEPTED,
    NOT_JSON_TYPES,
    ODD_HEADERS,
    Operation,
)

OPERATIONS = [
    *operations(),
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
WITH_ID = [operation for operation in OPERATIONS if operation.unknown]
BAD_QUERIES = [(operation.path, query) for operation in OPERATIONS for query in operation.bad_queries]
FINE_QUERIES = [(operation.path, query) for operation in OPERATIONS for query in operation.fine_queries]
# Nobody's calls are refused, or are those of Alice without her token: asked on one database only.
WHO = ("Alice", pytest.param("nobody", marks=pytest.mark.any_database))

# Seven thousand requests.
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def there(rows_of_module):
    """The token of somebody who may do everything, and the paths of what there is."""

    def make() -> Any:
        alice = UserFactory(email="alice@example.com", is_staff=True, is_superuser=True)
        fill = furnished(alice).fill
        return token_of(alice), fill

    return rows_of_module(make)


@pytest.fixture
def shop(db, there):
    """A client that may do everything, and the paths of what there is."""
    token, fill = there
    return bearer(token, raise_request_exception=False), fill


def send(client: APIClient, method: str, path: str, body: bytes = b"", content_type: str = "", **headers: Any) -> Any:
    return client.generic(method, path, body, content_type=content_type or "application/json", **headers)


def wrong(found: Any, expected: int, code: str, about: Any) -> Iterator[str]:
    """Words for an answer that is not this error in the envelope; below 400 only the status is looked at."""
    content = found.content.decode(errors="replace")[:300]
    if found.status_code == expected < 400:
        return
    if found.status_code != expected:
        yield f"{str(about)[:120]!r}: {found.status_code}, not {expected}: {content}"
    elif found.headers["Content-Type"] != "application/json" or found.json().get("code") != code:
        yield f"{str(about)[:120]!r}: no envelope of {code}: {content}"
    elif expected == 422 and not found.json()["errors"]:
        yield f"{str(about)[:120]!r}: no errors: {content}"


def by(who: str, shop: Any) -> APIClient:
    """Alice's client, or that of nobody."""
    client: APIClient = shop[0] if who == "Alice" else APIClient(raise_request_exception=False)
    return client


def refused(who: str, operation: Operation, status: int, code: str) -> tuple[int, str]:
    """Nobody is told first that a token is needed: what else is wrong is not looked at."""
    return (401, "NOT_AUTHENTICATED") if who == "nobody" and operation.protected else (status, code)


def with_id(operation: Operation, value: str) -> str:
    return re.sub(r"\{\w+\}", lambda _: value, operation.path)


def good(operation: Operation) -> bytes:
    return json.dumps(operation.body).encode() if operation.body else b""


def test_the_operations_are_those_of_the_schema_and_its_own_pages():
    schema = ShopSchema().get_schema(request=None, public=True)
    described = {
        (method.upper(), path): "requestBody" in operation
        for path, operations in schema["paths"].items()
        for method, operation in operations.items()
    }
    beside = {("GET", "/schema"): False, ("GET", "/docs"): False}
    sent = {(operation.method, operation.path): operation.body is not None for operation in OPERATIONS}

    assert sent == described | beside


@pytest.mark.any_database
@pytest.mark.parametrize("who", WHO)
@pytest.mark.parametrize("operation", WITH_BODY, ids=str)
def test_a_body_that_is_no_json_is_400(shop, operation, who):
    client, path = by(who, shop), shop[1]
    expected = refused(who, operation, 400, "PARSE_ERROR")

    answers = [(body, send(client, operation.method, path(operation.path), body)) for body in NO_JSON]

    assert [fault for body, found in answers for fault in wrong(found, *expected, body)] == []


@pytest.mark.any_database
@pytest.mark.parametrize("who", WHO)
@pytest.mark.parametrize("operation", WITH_BODY, ids=str)
def test_a_body_that_is_no_object_is_422(shop, operation, who):
    client, path = by(who, shop), shop[1]
    expected = refused(who, operation, 422, "VALIDATION_ERROR")

    answers = [(body, send(client, operation.method, path(operation.path), body)) for body in NO_OBJECT]

    assert [fault for body, found in answers for fault in wrong(found, *expected, body)] == []


@pytest.mark.any_database
@pytest.mark.parametrize("who", WHO)
@pytest.mark.parametrize("operation", WITH_BODY, ids=str)
def test_a_body_of_another_type_is_415(shop, operation, who):
    client, path = by(who, shop), shop[1]
    expected = refused(who, operation, 415, "UNSUPPORTED_MEDIA_TYPE")

    answers = [
        (kind, send(client, operation.method, path(operation.path), good(operation), kind)) for kind in NOT_JSON_TYPES
    ]

    assert [fault for kind, found in answers for fault in wrong(found, *expected, kind)] == []


@pytest.mark.any_database
@pytest.mark.parametrize("who", WHO)
@pytest.mark.parametrize("operation", WITH_BODY, ids=str)
def test_a_body_over_the_limit_is_413(shop, operation, who, settings):
    client, path = by(who, shop), shop[1]
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    body = json.dumps({**operation.body, "padding": "x" * 1000}).encode()

    found = send(client, operation.method, path(operation.path), body)

    assert list(wrong(found, *refused(who, operation, 413, "CONTENT_TOO_LARGE"), "")) == []


def test_a_body_of_exactly_the_limit_is_read(db):
    body = json.dumps({"email": "erin@example.com", "password": "correct horse battery"}).encode().ljust(1_000_000)

    accepted = send(APIClient(), "POST", "/auth/register", body)
    one_more = send(APIClient(), "POST", "/auth/register", body + b" ")

    assert (accepted.status_code, one_more.status_code) == (201, 413)


@pytest.mark.parametrize("who", WHO)
@pytest.mark.parametrize("operation", WITHOUT_BODY, ids=str)
def test_a_body_that_no_operation_reads_changes_no_answer(shop, operation, who):
    """A book or line that is not there: the same request can be sent again."""
    client, path = by(who, shop), with_id(operation, "0")

    without = send(client, operation.method, path)
    answers = [send(client, operation.method, path, body) for body in (*NO_JSON, *NO_OBJECT)]

    assert without.status_code < 500
    assert {found.status_code for found in answers} == {without.status_code}


@pytest.mark.parametrize("who", WHO)
@pytest.mark.parametrize("operation", WITH_BODY, ids=str)
def test_a_field_that_is_wrong_is_422_and_named(shop, operation, who):
    client, path = by(who, shop), shop[1]
    expected = refused(who, operation, 422, "VALIDATION_ERROR")
    faults = []
    for name, values in operation.bad:
        for value in values:
            body = json.dumps({**operation.body, name: value}).replace("Infinity", "1e400").encode()
            found = send(client, operation.method, path(operation.path), body)
            faults += wrong(found, *expected, (name, value))
            if found.status_code == 422 and found.json()["field"].split(".")[0] != name:
                faults.append(f"{name}={value!r}: blamed {found.json()['field']}")
    assert faults == []


@pytest.mark.parametrize("who", WHO)
@pytest.mark.parametrize("operation", WITH_BODY, ids=str)
def test_a_field_that_is_missing_is_422(shop, operation, who):
    client, path = by(who, shop), shop[1]
    expected = refused(who, operation, 422, "VALIDATION_ERROR")
    if who == "Alice" and operation.takes_nothing:
        expected = (operation.takes_nothing, "")

    assert list(wrong(send(client, operation.method, path(operation.path), b"{}"), *expected, "{}")) == []


@pytest.mark.parametrize("who", WHO)
@pytest.mark.parametrize("operation", WITH_ID, ids=str)
def test_an_id_that_no_row_has_is_404(shop, operation, who):
    client = by(who, shop)
    faults = []
    for slash in ("", "/"):
        for bad in BAD_IDS:
            found = send(client, operation.method, with_id(operation, bad) + slash, good(operation))
            faults += wrong(found, *refused(who, operation, 404, operation.unknown), bad)
        for bad in NO_IDS:
            found = send(client, operation.method, with_id(operation, bad) + slash, good(operation))
            faults += wrong(found, 404, "NOT_FOUND", bad)
    assert faults == []


@pytest.mark.any_database
@pytest.mark.parametrize("who", WHO)
@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
def test_an_accept_that_excludes_json_is_406_for_whom_the_call_is(shop, operation, who):
    """After it is asked who calls, as everything else."""
    status, code = (406, "NOT_ACCEPTABLE")
    if who == "nobody" and operation in PROTECTED:
        status, code = (401, "NOT_AUTHENTICATED")
    client, path = by(who, shop), shop[1]
    excluding = [accept for accept in NOT_ACCEPTED if operation.path != "/docs" or "text/html" not in accept]

    answers = [
        (accept, send(client, operation.method, path(operation.path), good(operation), headers={"accept": accept}))
        for accept in excluding
    ]

    assert [fault for accept, found in answers for fault in wrong(found, status, code, accept)] == []


@pytest.mark.any_database
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


@pytest.mark.parametrize("operation", READS, ids=str)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_bad_token_does_not_fail_what_everybody_may_read(shop, method, operation):
    _, path = shop
    client = APIClient(raise_request_exception=False)
    address = f"{path(operation.path)}?{operation.query}"

    found = [client.generic(method, address, headers={"authorization": token}) for token in BAD_TOKENS]

    assert {answer.status_code for answer in found} == {200}


@pytest.mark.parametrize(("path", "query"), BAD_QUERIES)
def test_a_bad_query_is_422_and_names_its_parameter(shop, path, query):
    client, fill = shop

    found = client.get(f"{fill(path)}?{query}")

    assert list(wrong(found, 422, "VALIDATION_ERROR", query)) == []
    assert found.json()["field"] == query.partition("=")[0]


@pytest.mark.parametrize(("path", "query"), FINE_QUERIES)
def test_an_odd_query_is_served(shop, path, query):
    client, fill = shop

    assert client.get(f"{fill(path)}?{query}").status_code == 200


@pytest.mark.parametrize("who", WHO)
@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
def test_odd_headers_break_nothing(shop, operation, who):
    client, path = by(who, shop), shop[1]
    for headers in ODD_HEADERS:
        found = send(client, operation.method, path(operation.path), good(operation), headers=headers)
        assert found.status_code < 500, (headers, found.content)
        if found.status_code >= 400:
            assert found.json().keys() >= {"detail", "code"}, headers


@pytest.mark.parametrize("operation", READS, ids=str)
def test_head_has_the_status_and_the_headers_of_get(shop, operation):
    """That it has no body is seen on the wire only: test_wire.py."""
    client, path = shop

    get, head = client.get(path(operation.path)), client.head(path(operation.path))

    assert head.status_code == get.status_code
    for name in ("Content-Type", "Content-Length"):
        assert head.headers[name] == get.headers[name]


@pytest.mark.any_database
@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "PROPFIND", "get", "G E T", "X" * 100])
@pytest.mark.parametrize("path", ["/books", "/cart", "/health"])
def test_a_method_that_nobody_knows_is_405(shop, path, method):
    client, _ = shop

    found = client.generic(method, path)

    if method == "get":  # as a server passes it on; Django knows it as GET
        assert found.status_code == 200
    else:
        assert list(wrong(found, 405, "METHOD_NOT_ALLOWED", method)) == []
        assert found.headers["Allow"]


def test_the_corpus_has_at_least_five_hundred_different_requests():
    of_fields = sum(len(values) for operation in WITH_BODY for _, values in operation.bad)
    of_bodies = len(WITH_BODY) * (len(NO_JSON) + len(NO_OBJECT) + len(NOT_JSON_TYPES) + 2)
    of_paths = len(WITH_ID) * (len(BAD_IDS) + len(NO_IDS))
    of_tokens = len(PROTECTED) * len(BAD_TOKENS) * 4
    others = len(OPERATIONS) * (len(NOT_ACCEPTED) + len(ODD_HEADERS)) + len(BAD_QUERIES) + len(FINE_QUERIES)

    assert of_fields + of_bodies + of_paths + of_tokens + others > 2500
