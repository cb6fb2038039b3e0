"""POST /cart/preview"""

import pytest

from cart.models import Cart
from cart.serializers import PreviewedLineSerializer
from cart.tests.factories import CartFactory, CartItemFactory
from catalog.tests.factories import BookFactory

pytestmark = pytest.mark.django_db


def previewed(book, *, quantity, line_total, price_at_add, issues=()):
    return {
        "id": None,
        "book_id": book.pk,
        "quantity": quantity,
        "book": {
            "id": book.pk,
            "title": book.title,
            "author": book.author,
            "price": str(book.price),
            "cover_image_url": book.cover_image_url,
        },
        "line_total": line_total,
        "added_at": None,
        "price_at_add": price_at_add,
        "available_quantity": book.stock_quantity,
        "issues": list(issues),
    }


def test_preview_answers_the_cart_that_a_guest_would_have(api, emma, dracula, django_assert_num_queries):
    entries = [{"book_id": dracula.pk, "quantity": 2, "price_seen": "12.00"}, {"book_id": emma.pk}]

    with django_assert_num_queries(1):
        response = api.post("/cart/preview", {"items": entries})

    assert response.status_code == 200
    assert response.json() == {
        "items": [
            previewed(
                dracula,
                quantity=2,
                line_total="24.50",
                price_at_add="12.00",
                issues=[{"code": "PRICE_CHANGED", "from": "12.00", "to": "12.25"}],
            ),
            previewed(emma, quantity=1, line_total="9.50", price_at_add="9.50"),
        ],
        "total_items": 3,
        "total_price": "34.00",
        "currency": "USD",
        "updated_at": None,
        "checkout_ready": True,
        "results": [{"book_id": dracula.pk, "status": "listed"}, {"book_id": emma.pk, "status": "listed"}],
    }
    assert response.headers["Cache-Control"] == "no-store"
    assert not Cart.objects.exists()


def test_preview_shows_the_lines_of_a_cart_as_get_does(api, client_for, alice, emma, dracula):
    emma.change(stock_quantity=0)
    withdrawn = BookFactory(title="Dubliners", is_active=False)
    cart = CartFactory(user=alice)
    for book in (emma, dracula, withdrawn):
        CartItemFactory(cart=cart, book=book, quantity=3, price_at_add="5.00")
    entries = [{"book_id": book.pk, "quantity": 3, "price_seen": "5.00"} for book in (emma, dracula, withdrawn)]

    guests = api.post("/cart/preview", {"items": entries}).json()
    stored = client_for(alice).get("/cart").json()

    results = guests.pop("results")
    for item in stored["items"]:
        item |= {"id": None, "added_at": None}
    assert guests == stored | {"updated_at": None}
    assert (guests["checkout_ready"], {each["status"] for each in results}) == (False, {"listed"})


def test_preview_skips_what_cannot_be_a_line(api, emma, dracula, settings):
    settings.CART_MAX_LINES = 1
    entries = [{"book_id": 10**30}, {"book_id": emma.pk, "quantity": 0}, {"book_id": emma.pk}, {"book_id": emma.pk}]

    response = api.post("/cart/preview", {"items": [*entries, {"book_id": dracula.pk}, None]})

    results = response.json()["results"]
    assert [item["book_id"] for item in response.json()["items"]] == [emma.pk]
    assert [(each["status"], each.get("code")) for each in results] == [
        ("skipped", "BOOK_NOT_FOUND"),
        ("skipped", "VALIDATION_ERROR"),
        ("listed", None),
        ("skipped", "CART_ITEM_DUPLICATE"),
        ("skipped", "CART_LIMIT_EXCEEDED"),
        ("skipped", "VALIDATION_ERROR"),
    ]


@pytest.mark.parametrize("items", [None, [], "x", [{}] * 101])
def test_preview_without_a_list_of_entries_is_422(api, items):
    response = api.post("/cart/preview", {"items": items})

    assert (response.status_code, response.json()["field"]) == (422, "items")


def test_preview_does_not_look_at_a_token(api, emma):
    """A guest's page may still hold one that is over."""
    response = api.post("/cart/preview", {"items": [{"book_id": emma.pk}]}, headers={"authorization": "Bearer x"})

    assert response.status_code == 200


def test_preview_documents_the_fields_that_it_answers(api, emma):
    [line] = api.post("/cart/preview", {"items": [{"book_id": emma.pk}]}).json()["items"]

    assert list(line) == list(PreviewedLineSerializer().fields)
