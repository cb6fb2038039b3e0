"""docs/openapi.json is the schema of the code."""

import json

from bookstore.api.schema import ShopSchema
from tools.openapi import FILE, text


def schema():
    return ShopSchema().get_schema(request=None, public=True)


def test_committed_schema_is_that_of_the_code():
    assert FILE.read_text("utf-8") == text(), "run `make docs`, and look at what changed for clients"


def test_every_operation_says_whom_it_asks_for():
    said = {
        f"{method.upper()} {path}": operation["security"]
        for path, operations in schema()["paths"].items()
        for method, operation in operations.items()
    }

    assert {call for call, security in said.items() if security not in ([], [{"bearerAuth": []}])} == set()
    assert (said["GET /books"], said["POST /books"], said["POST /auth/login"]) == ([], [{"bearerAuth": []}], [])


def test_value_that_is_one_of_a_few_has_no_least_length():
    """json-schema allows both; generators of zod refuse it."""
    found = []

    def look(part):
        if isinstance(part, dict):
            found.extend([part] if "enum" in part and "minLength" in part else [])
            part = list(part.values())
        for inner in part if isinstance(part, list) else ():
            look(inner)

    look(json.loads(text()))

    assert found == []


def test_schema_names_its_server_and_its_license():
    described = schema()

    assert [server["url"] for server in described["servers"]] == ["/"]
    assert described["info"]["license"]["name"] == "MIT"


def test_public_reads_of_the_catalogue_name_the_refusal_of_a_parameter():
    paths = schema()["paths"]

    reads = {
        path: paths[path]["get"]["responses"] for path in ("/books", "/books/{book_id}", "/books/suggest", "/genres")
    }

    assert {path for path, responses in reads.items() if "422" not in responses} == set()
