"""Every change sends the cart's new ETag, and answers the whole cart where `?return=cart` asks for it."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cart import statements
from cart.models import Cart
from cart.tests.factories import CartFactory, CartItemFactory

pytestmark = pytest.mark.django_db

CALLS = {
    "add": lambda client, line, book, **options: client.post(with_query("/cart/items", options), {"book_id": book.pk}),
    "put": lambda client, line, book, **options: client.put(
        with_query(f"/cart/items/{line.pk}", options), {"quantity": 3}
    ),
    "patch": lambda client, line, book, **options: client.patch(
        with_query(f"/cart/items/{line.pk}", options), {"quantity": 3}
    ),
    "delete": lambda client, line, book, **options: client.delete(with_query(f"/cart/items/{line.pk}", options)),
    "clear": lambda client, line, book, **options: client.delete(with_query("/cart/items", options)),
    "merge": lambda client, line, book, **options: client.post(
        with_query("/cart/merge", options), {"items": [{"book_id": book.pk}]}
    ),
}
STATUSES = {"add": 201, "put": 200, "patch": 200, "delete": 204, "clear": 204, "merge": 200}


def with_query(path, options):
    return f"{path}?return={options['wanted']}" if options else path


@pytest.fixture
def line(alice, emma):
    return CartItemFactory(cart=CartFactory(user=alice), book=emma, quantity=2)


@pytest.fixture(params=["statement", "verb"])
def either_way(request, monkeypatch):
    if request.param == "verb":
        monkeypatch.setattr(statements, "run", lambda *args, **values: [])


@pytest.mark.usefixtures("either_way")
@pytest.mark.parametrize("call", CALLS)
def test_a_change_sends_the_etag_of_the_cart_that_it_leaves(client_for, alice, line, dracula, call):
    client = client_for(alice)

    response = CALLS[call](client, line, dracula)

    assert response.status_code == STATUSES[call]
    assert response.headers["ETag"] == client.get("/cart").headers["ETag"]


@pytest.mark.usefixtures("either_way")
@pytest.mark.parametrize("call", CALLS)
def test_a_change_with_return_cart_answers_the_cart_as_get_does(client_for, alice, line, dracula, call):
    client = client_for(alice)

    response = CALLS[call](client, line, dracula, wanted="cart")

    seen = client.get("/cart")
    answer = response.json()
    answer.pop("results", None)  # of a merge
    assert response.status_code == (201 if call == "add" else 200)
    assert answer == seen.json()
    assert response.headers["ETag"] == seen.headers["ETag"]


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("wanted", ["", "line", "Cart"])
def test_a_change_with_another_return_is_422_and_changes_nothing(client_for, alice, line, dracula, call, wanted):
    client = client_for(alice)
    before = client.get("/cart").content

    response = CALLS[call](client, line, dracula, wanted=wanted)

    assert (response.status_code, response.json()["field"]) == (422, "return")
    assert client.get("/cart").content == before


@pytest.mark.usefixtures("either_way")
def test_quick_clicks_of_one_tab_each_send_the_last_clicks_etag(client_for, alice, line, dracula):
    client = client_for(alice)
    token = client._credentials
    etag = client.get("/cart").headers["ETag"]
    statuses = []

    for call in ("put", "add", "delete", "clear"):
        client.credentials(**token, HTTP_IF_MATCH=etag)
        response = CALLS[call](client, line, dracula)
        statuses.append(response.status_code)
        etag = response.headers["ETag"]

    assert statuses == [200, 201, 204, 204]


def test_clear_of_no_cart_answers_the_empty_cart(client_for, alice):
    client = client_for(alice)

    response = client.delete("/cart/items?return=cart")

    assert response.json() == client.get("/cart").json()
    assert not Cart.objects.exists()


@pytest.mark.fast_path
@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("call", ["add", "put", "patch", "delete", "clear", "merge"])
def test_a_change_that_answers_the_cart_is_one_statement(client_for, alice, line, dracula, call):
    client = client_for(alice)

    with CaptureQueriesContext(connection) as sent:
        CALLS[call](client, line, dracula, wanted="cart")

    assert len(sent) == 1
