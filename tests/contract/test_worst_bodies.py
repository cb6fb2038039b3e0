"""The cost of a body of up to 1 MB is bounded before it is parsed, in every call."""

import json
from contextlib import nullcontext
from io import BytesIO
from typing import Any

import pytest

from bookstore.accounts.tests.factories import UserFactory
from bookstore.api import parsers
from bookstore.api.errors import ParseError, ValidationError
from bookstore.api.parsers import MAX_SEPARATORS, check_size
from tests.support.bearer import bearer, token_of
from tests.support.calls import furnished, operations
from tests.support.worst_bodies import MB, ONE_VALUE, TOO_MANY_VALUES

PROTECTED = [operation for operation in operations() if operation.body is not None]


@pytest.fixture(scope="module")
def there(rows_of_module):
    def make() -> Any:
        alice = UserFactory(email="alice@example.com", is_staff=True, is_superuser=True)
        furniture = furnished(alice)
        return token_of(alice), furniture

    return rows_of_module(make)


@pytest.fixture
def shop(db, there):
    token, furniture = there
    return bearer(token), furniture


@pytest.mark.parametrize("body", TOO_MANY_VALUES.values(), ids=TOO_MANY_VALUES)
def test_too_many_values_are_refused_before_any_is_made(body, monkeypatch):
    assert len(body) <= MB
    monkeypatch.setattr(parsers.DECODER, "decode", None)

    with pytest.raises(ValidationError) as refused:
        check_size(body)

    assert refused.value.envelope() == {
        "detail": "Send at most 20,000 commas, colons and brackets.",
        "code": "VALIDATION_ERROR",
        "field": "body",
        "errors": [
            {"field": "body", "code": "max_length", "detail": "Send at most 20,000 commas, colons and brackets."}
        ],
    }


@pytest.mark.parametrize("body", ONE_VALUE.values(), ids=ONE_VALUE)
def test_what_stands_inside_of_a_text_is_no_value(body):
    check_size(body)


@pytest.mark.parametrize("values", [MAX_SEPARATORS, MAX_SEPARATORS + 1])
def test_as_many_values_as_are_read_are_read(values):
    body = b"[" + b",".join([b"1"] * values) + b"]"

    with nullcontext() if values == MAX_SEPARATORS else pytest.raises(ValidationError):
        check_size(body)


@pytest.mark.slow
@pytest.mark.any_database
@pytest.mark.parametrize("name", [*TOO_MANY_VALUES, *ONE_VALUE])
@pytest.mark.parametrize("operation", PROTECTED, ids=str)
def test_worst_body_is_refused_by_every_call(shop, operation, name):
    client, there = shop
    body = (TOO_MANY_VALUES | ONE_VALUE)[name]

    found = client.generic(operation.method, there.fill(operation.path), body, content_type="application/json")

    if operation.takes_nothing and found.status_code == operation.takes_nothing:
        assert name in ONE_VALUE  # of a field that it does not read, or of one that may be long
    elif operation.takes_nothing == 204 and name in ONE_VALUE:  # none of its fields is in there
        assert found.status_code == 204
    else:
        assert (found.status_code, found.json()["code"]) == (422, "VALIDATION_ERROR")
        assert len(found.content) < 10_000


@pytest.mark.slow
def test_only_the_length_of_a_long_text_is_looked_at(shop, monkeypatch):
    client, there = shop
    looked_at: list[Any] = []
    monkeypatch.setattr("bookstore.api.fields.can_be_seen", looked_at.append)

    found = client.put(there.fill("/books/{book_id}"), {"title": "x" * 900_000})

    assert (found.status_code, found.json()["errors"][0]["code"], looked_at) == (422, "max_length", [])


@pytest.mark.slow
def test_merge_of_many_bad_entries_lists_no_more_than_it_takes(shop):
    client, _ = shop

    found = client.post("/cart/merge", {"items": [{}] * 9_000})

    assert (found.status_code, found.json()["field"]) == (422, "items")


def test_deep_body_is_refused_as_before():
    body = json.dumps({"x": 1}).encode().replace(b"1", b"[" * 101 + b"]" * 101)

    with pytest.raises(ParseError):
        parsers.StrictJSONParser().parse(BytesIO(body))
