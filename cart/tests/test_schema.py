"""The schema of the cart where no serializer field describes it."""

import pytest

from bookstore.api.schema import ShopSchema


@pytest.fixture(scope="module")
def components():
    return ShopSchema().get_schema(request=None, public=True)["components"]["schemas"]


def test_issues_of_a_line_are_a_union_told_apart_by_code(components):
    issues = components["CartItem"]["properties"]["issues"]

    assert issues["type"] == "array"
    assert issues["items"] == {"$ref": "#/components/schemas/Issue"}
    assert set(components["Issue"]["discriminator"]["mapping"]) == {
        "BOOK_UNAVAILABLE",
        "BOOK_OUT_OF_STOCK",
        "INSUFFICIENT_STOCK",
        "PRICE_CHANGED",
    }


def test_results_of_a_merge_are_a_list_of_objects(components):
    results = components["MergedCart"]["properties"]["results"]

    assert results["type"] == "array"
    assert results["items"] == {"$ref": "#/components/schemas/MergeResult"}


def test_a_cart_that_was_never_changed_has_no_time_of_it(components):
    assert components["Cart"]["properties"]["updated_at"] == {
        "type": "string",
        "format": "date-time",
        "nullable": True,
        "description": "Last change; null as long as there is no cart.",
        "readOnly": True,
    }


def test_what_is_always_there_is_required(components):
    assert set(components["CartItem"]["required"]) == set(components["CartItem"]["properties"])
    assert set(components["Cart"]["required"]) == set(components["Cart"]["properties"])


def test_quantities_have_the_bounds_of_the_contract(components):
    for name, parts in (("AddItemRequest", 2), ("ChangeItemRequest", 1)):
        assert len(components[name]["properties"]) == parts
        assert (
            components[name]["properties"]["quantity"].items()
            >= {"type": "integer", "minimum": 1, "maximum": 999}.items()
        )
    merge = components["MergeRequest"]["properties"]["items"]
    assert (merge["minItems"], merge["maxItems"]) == (1, 100)
