"""The OpenAPI schema has the paths, methods and statuses of the contract."""

import pytest
from openapi_spec_validator import validate
from rest_framework.views import APIView

from bookstore.api.errors import NotAuthenticated
from bookstore.api.schema import EnvelopeAutoSchema, ShopSchema
from tests.support.calls import EVERY, contract

# What a client can rely on, one row for each call: the statuses with the codes of its errors. Apps declare theirs.
CONTRACT = contract() | {("GET", "/health"): {200: None}, ("GET", "/ready"): {200: None}}


@pytest.fixture(scope="module")
def schema():
    return ShopSchema().get_schema(request=None, public=True)


def operations(schema):
    return {
        (method.upper(), path): operation
        for path, methods in schema["paths"].items()
        for method, operation in methods.items()
        if method != "parameters"
    }


def codes(schema, response):
    """The error codes that a documented response can carry."""
    content = response.get("content", {}).get("application/json", {}).get("schema", {})
    found = set()
    for option in content.get("oneOf", [content]):
        name = option.get("$ref", "").rpartition("/")[2]
        component = schema["components"]["schemas"].get(name, {})
        found |= set(component.get("properties", {}).get("code", {}).get("enum", []))
    return found


def test_schema_is_valid_openapi(schema):
    validate(schema)


def test_schema_has_exactly_the_contracts_calls(schema):
    assert operations(schema).keys() == CONTRACT.keys()


@pytest.mark.parametrize("call", CONTRACT, ids=" ".join)
def test_schema_documents_the_contracts_statuses_and_codes(schema, call):
    every = {406: EVERY[406]} if call == ("GET", "/health") else EVERY
    responses = operations(schema)[call]["responses"]

    documented = {
        int(status): codes(schema, response) if int(status) >= 400 else None for status, response in responses.items()
    }

    assert documented == {**CONTRACT[call], **every}


@pytest.mark.parametrize("call", CONTRACT, ids=" ".join)
def test_schema_of_a_call_reads_well(schema, call):
    operation = operations(schema)[call]

    assert operation["summary"]
    assert operation["description"]
    assert len(operation["tags"]) == 1
    assert bool(operation["security"]) == ("NOT_AUTHENTICATED" in (CONTRACT[call].get(401) or ()))


def test_schema_of_a_book_tells_text_from_money_and_numbers(schema):
    properties = schema["components"]["schemas"]["Book"]["properties"]

    shapes = {
        name: {key: value for key, value in shape.items() if key != "description"} for name, shape in properties.items()
    }

    assert shapes == {
        "id": {"type": "integer"},
        "title": {"type": "string"},
        "author": {"type": "string"},
        "price": {"type": "string", "format": "decimal", "pattern": r"^[0-9]+\.[0-9]{2}$"},
        "currency": {"type": "string"},
        "isbn": {"type": "string", "nullable": True},
        "genre_id": {"type": "integer", "nullable": True},
        "description": {"type": "string", "nullable": True},
        "cover_image_url": {"type": "string", "format": "uri", "nullable": True},
        "publish_date": {"type": "string", "format": "date", "nullable": True},
        "stock_quantity": {"type": "integer"},
        "in_stock": {"type": "boolean"},
        "is_active": {"type": "boolean"},
        "popularity": {"type": "integer"},
        "created_at": {"type": "string", "format": "date-time"},
        "updated_at": {"type": "string", "format": "date-time"},
    }


def test_schema_of_a_lines_book_allows_it_to_have_no_cover(schema):
    cover = schema["components"]["schemas"]["LineBook"]["properties"]["cover_image_url"]

    assert cover == {"type": "string", "format": "uri", "nullable": True}


def test_schema_of_the_cart_requires_every_field_that_is_always_there(schema):
    components = schema["components"]["schemas"]

    optional = {
        name: set(components[name]["properties"]) - set(components[name].get("required", ()))
        for name in ("Cart", "MergedCart", "CartItem", "LineBook", "Book", "BookPage", "Tokens", "MergeResult")
    }

    assert {name: fields for name, fields in optional.items() if fields} == {
        "BookPage": {"facets"},
        "MergeResult": {"code", "field", "detail"},
    }


@pytest.mark.parametrize("call", CONTRACT, ids=" ".join)
def test_schema_has_examples_of_bodies_and_texts_of_statuses(schema, call):
    operation = operations(schema)[call]
    texts = {status: response["description"] for status, response in operation["responses"].items()}
    bodies = {"request": operation["requestBody"]} if "requestBody" in operation else {}
    bodies |= {status: response for status, response in operation["responses"].items() if "content" in response}

    assert [of for of, body in bodies.items() if not body["content"]["application/json"].get("examples")] == []
    assert [status for status, text in texts.items() if len(text) <= 5 or text == "No response body"] == []


@pytest.mark.parametrize("call", CONTRACT, ids=" ".join)
def test_schema_shows_a_validation_error_that_the_call_can_give(schema, call):
    operation = operations(schema)[call]
    if "422" not in operation["responses"]:
        return
    known = {parameter["name"] for parameter in operation.get("parameters", ())}
    if "requestBody" in operation:
        name = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
        known |= set(schema["components"]["schemas"][name]["properties"])

    example = operation["responses"]["422"]["content"]["application/json"]["examples"]["VALIDATION_ERROR"]

    is_unknown = example["value"]["errors"][0]["code"] == "unknown"
    assert (example["value"]["field"] in known) is not is_unknown
    assert example["value"]["errors"][0]["field"] == example["value"]["field"]


def test_a_view_that_does_not_say_who_may_call_is_described_with_401():
    """By the default permission, as a view of a new app would be."""
    inspector = EnvelopeAutoSchema()
    inspector.view, inspector.path, inspector.method = APIView(), "/wishlist", "GET"

    assert NotAuthenticated in inspector.general_errors()


def test_schema_introduces_its_tags_in_the_order_of_its_calls(schema):
    tags = [tag["name"] for tag in schema["tags"]]

    assert list(dict.fromkeys(operation["tags"][0] for operation in operations(schema).values())) == tags
    assert all(tag["description"] for tag in schema["tags"])


def test_schema_is_served_as_json(client):
    response = client.get("/schema", headers={"accept": "*/*"})

    assert response.status_code == 200
    assert response.headers["Content-Type"] == "application/json"
    assert response.json()["info"]["title"] == "Bookstore API"


def test_docs_load_every_asset_from_here(client):
    page = client.get("/docs", headers={"accept": "text/html"}).content.decode()

    assert "swagger-ui-bundle.js" in page
    assert 'src="http' not in page
    assert 'href="http' not in page


def test_docs_are_the_same_for_everybody_and_set_no_cookie(client):
    pages = [client.get("/docs", headers={"accept": "text/html"}) for _ in range(2)]

    assert pages[0].content == pages[1].content
    assert [dict(page.cookies) for page in pages] == [{}, {}]
    assert pages[0].headers["Cache-Control"] == "no-cache"


def test_docs_refused_are_kept_by_no_cache(client):
    refused = client.get("/docs", headers={"accept": "application/xml"})

    assert (refused.status_code, refused.headers["Cache-Control"]) == (406, "no-store")
