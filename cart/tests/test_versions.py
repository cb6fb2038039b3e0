"""ETag, If-None-Match and If-Match: cheap polling, and no lost update of two devices."""

from decimal import Decimal

import pytest
from django.db import OperationalError

from bookstore.accounts.tests.factories import UserFactory
from cart.models import Cart, CartItem
from cart.tests.factories import CartFactory, CartItemFactory

pytestmark = pytest.mark.django_db

CHANGED = {
    "detail": "The cart has changed since you read it: read it again, then decide.",
    "code": "CART_CHANGED",
}


@pytest.fixture
def line(alice, emma):
    return CartItemFactory(cart=CartFactory(user=alice), book=emma, quantity=2)


def etag_of(client):
    return client.get("/cart").headers["ETag"]


def test_get_cart_with_its_etag_is_304_without_a_body(client_for, alice, line):
    client = client_for(alice)
    etag = etag_of(client)

    response = client.get("/cart", headers={"if-none-match": etag})

    assert (response.status_code, response.content) == (304, b"")
    assert response.headers["ETag"] == etag


@pytest.mark.parametrize("sent", ['W/{}, "x"', '"x", {}', "*"])
def test_if_none_match_takes_lists_weak_tags_and_any(client_for, alice, line, sent):
    client = client_for(alice)

    response = client.get("/cart", headers={"if-none-match": sent.format(etag_of(client))})

    assert response.status_code == 304


@pytest.mark.parametrize("sent", ['"x"', "garbage", ""])
def test_if_none_match_of_another_cart_is_200(client_for, alice, line, sent):
    assert client_for(alice).get("/cart", headers={"if-none-match": sent}).status_code == 200


def test_the_etag_changes_with_everything_that_the_customer_sees(client_for, alice, emma, dracula, line):
    client = client_for(alice)
    seen = [etag_of(client)]
    steps = [
        lambda: client.post("/cart/items", {"book_id": dracula.pk}),
        lambda: client.put(f"/cart/items/{line.pk}", {"quantity": 3}),
        lambda: emma.change(price=Decimal("10.00")),
        lambda: emma.change(title="Emma, annotated"),
        lambda: emma.set_stock(1),
        lambda: emma.change(is_active=False),
        lambda: client.delete("/cart/items"),
    ]

    for step in steps:
        step()
        seen.append(etag_of(client))

    assert len(set(seen)) == len(steps) + 1


def test_the_etag_of_two_reads_is_the_same(client_for, alice, line):
    client = client_for(alice)

    assert etag_of(client) == etag_of(client)


def calls(client, line, dracula, **options):
    """Every call that takes If-Match."""
    return {
        "PUT": lambda: client.put(f"/cart/items/{line.pk}", {"quantity": 9}, **options),
        "PATCH": lambda: client.patch(f"/cart/items/{line.pk}", {"quantity": 9}, **options),
        "DELETE": lambda: client.delete(f"/cart/items/{line.pk}", **options),
        "clear": lambda: client.delete("/cart/items", **options),
        "merge": lambda: client.post("/cart/merge", {"items": [{"book_id": dracula.pk}]}, **options),
        "add": lambda: client.post("/cart/items", {"book_id": dracula.pk}, **options),
    }


CALLS = ("PUT", "PATCH", "DELETE", "clear", "merge", "add")


@pytest.mark.parametrize("call", CALLS)
def test_if_match_of_the_cart_as_it_is_goes_through(client_for, alice, line, dracula, call):
    client = client_for(alice)

    response = calls(client, line, dracula, headers={"if-match": etag_of(client)})[call]()

    assert response.status_code in {200, 201, 204}
    assert list(CartItem.objects.values_list("book__title", "quantity")) != [("Emma", 2)]


@pytest.mark.parametrize("call", CALLS)
def test_if_match_of_an_older_cart_is_412_and_changes_nothing(client_for, alice, line, emma, dracula, call):
    client = client_for(alice)
    etag = etag_of(client)
    line.change_quantity(4)  # the other device

    response = calls(client, line, dracula, headers={"if-match": etag})[call]()

    assert response.status_code == 412
    assert response.json() == CHANGED
    assert list(CartItem.objects.values_list("book__title", "quantity")) == [("Emma", 4)]


@pytest.mark.parametrize("sent", ["garbage", 'W/"weak"', ""])
def test_if_match_that_names_no_version_is_412(client_for, alice, line, sent):
    response = client_for(alice).put(f"/cart/items/{line.pk}", {"quantity": 9}, headers={"if-match": sent})

    assert response.status_code == 412


def test_if_match_of_any_goes_through(client_for, alice, line):
    response = client_for(alice).put(f"/cart/items/{line.pk}", {"quantity": 9}, headers={"if-match": "*"})

    assert response.status_code == 200


def test_if_match_of_no_cart_lets_the_first_merge_through(client_for, alice, emma):
    client = client_for(alice)

    response = client.post("/cart/merge", {"items": [{"book_id": emma.pk}]}, headers={"if-match": etag_of(client)})

    assert response.status_code == 200
    assert response.headers["ETag"] == etag_of(client)


def test_if_match_of_a_cart_that_was_emptied_goes_through(client_for, alice, emma, line):
    """It is there, with a last change: not the one that a newcomer reads."""
    client = client_for(alice)
    newcomers = etag_of(client_for(UserFactory()))
    client.delete("/cart/items")
    emptied = etag_of(client)
    body = {"items": [{"book_id": emma.pk}]}

    refused = client.post("/cart/merge", body, headers={"if-match": newcomers})
    merged = client.post("/cart/merge", body, headers={"if-match": emptied})

    assert (refused.status_code, refused.json()) == (412, CHANGED)
    assert (merged.status_code, merged.json()["total_items"]) == (200, 1)


def test_if_match_of_a_cart_that_was_never_there_is_412(client_for, alice):
    response = client_for(alice).delete("/cart/items", headers={"if-match": '"old"'})

    assert response.status_code == 412


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_the_books_of_a_cart_stay_as_they_were_compared(alice, emma, line, rival):
    """Otherwise the customer would agree to a price that the version did not show."""
    version, tried = Cart.objects.with_lines().of(alice).version, []
    rival("SET lock_timeout = '50ms'")

    class Seen:
        def __contains__(self, now):
            with pytest.raises(OperationalError, match="lock timeout") as refused:
                rival("UPDATE books SET price = 99 WHERE id = %s", emma.pk)
            tried.append(refused.value)
            return now == version

    line.change_quantity(7, if_match=Seen())

    assert len(tried) == 1
    assert line.price_at_add == Decimal(emma.price)


def test_if_match_is_compared_after_404_403_and_422(client_for, alice, bob, line):
    stale = {"if-match": '"old"'}

    assert client_for(alice).put("/cart/items/0", {"quantity": 1}, headers=stale).status_code == 404
    assert client_for(bob).put(f"/cart/items/{line.pk}", {"quantity": 1}, headers=stale).status_code == 403
    assert client_for(alice).put(f"/cart/items/{line.pk}", {"quantity": 0}, headers=stale).status_code == 422
