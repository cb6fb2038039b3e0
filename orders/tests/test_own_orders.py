"""GET /orders, GET /orders/{id}, POST /orders/{id}/cancel, /reorder and /paid"""

import pytest
from django.contrib.auth.models import Permission

from bookstore.accounts.tests.factories import StaffFactory
from bookstore.audit.models import AuditChange
from cart.models import Cart
from orders.checkout import CheckoutRequest, checkout
from orders.models import Order

pytestmark = pytest.mark.django_db

NOT_FOUND = {"detail": "You have no such order.", "code": "ORDER_NOT_FOUND", "field": "order_id"}


@pytest.fixture
def order(alice, cart) -> Order:
    return checkout(alice, CheckoutRequest())


@pytest.fixture
def orders(alice, emma):
    """Three, oldest first."""
    emma.set_stock(10)
    made = []
    for _ in range(3):
        Cart.objects.for_user(alice).add(emma)
        made.append(checkout(alice, CheckoutRequest()))
    return made


def test_list_orders_newest_first_with_their_number_and_links(client_for, alice, orders):
    response = client_for(alice).get("/orders?page=2&size=1")

    assert response.status_code == 200
    assert [order["id"] for order in response.json()] == [orders[1].pk]
    assert response.headers["X-Total-Count"] == "3"
    assert response.headers["Link"] == '</orders?page=1&size=1>; rel="prev", </orders?page=3&size=1>; rel="next"'


def test_list_orders_is_an_array_of_the_callers_own(client_for, alice, bob, orders):
    mine, theirs = client_for(alice).get("/orders"), client_for(bob).get("/orders")

    assert [order["id"] for order in mine.json()] == [order.pk for order in reversed(orders)]
    assert "Link" not in mine.headers
    assert (theirs.json(), theirs.headers["X-Total-Count"]) == ([], "0")


@pytest.mark.parametrize("page", [4, 10_001, 10**30])
def test_list_orders_past_the_last_page_is_empty(client_for, alice, orders, page):
    response = client_for(alice).get(f"/orders?page={page}&size=1")

    assert (response.status_code, response.json(), response.headers["X-Total-Count"]) == (200, [], "3")
    assert response.headers["Link"] == '</orders?page=3&size=1>; rel="prev"'


def test_list_orders_past_the_only_page_of_no_orders_leads_to_it(client_for, alice):
    response = client_for(alice).get("/orders?page=7")

    assert (response.json(), response.headers["Link"]) == ([], '</orders?page=1&size=20>; rel="prev"')


@pytest.mark.parametrize("query", ["page=0", "size=101", "page=x"])
def test_list_orders_with_a_bad_page_is_422(client_for, alice, query):
    response = client_for(alice).get(f"/orders?{query}")

    assert (response.status_code, response.json()["field"]) == (422, query.partition("=")[0])


def test_list_orders_with_a_page_that_is_no_utf_8_is_422(client_for, alice):
    response = client_for(alice).get("/orders?page=%ff")

    assert response.status_code == 422
    assert response.json()["detail"] == "Write it in UTF-8, percent-encoded."


def test_list_orders_costs_the_same_queries_with_1_and_3(client_for, alice, orders, django_assert_num_queries):
    client = client_for(alice)

    with django_assert_num_queries(4):  # the caller, their number, the orders, the items
        client.get("/orders?size=1")
    with django_assert_num_queries(4):
        client.get("/orders")


def test_read_order_answers_what_the_checkout_did_and_then_304(client_for, alice, cart):
    client = client_for(alice)
    made = client.post("/orders/checkout")

    response = client.get(f"/orders/{made.json()['id']}")
    again = client.get(f"/orders/{made.json()['id']}", headers={"if-none-match": response.headers["ETag"]})

    assert (response.status_code, response.content) == (200, made.content)
    assert (again.status_code, again.content) == (304, b"")
    assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "call",
    [
        lambda client, path: client.get(path),
        lambda client, path: client.post(f"{path}/cancel"),
        lambda client, path: client.post(f"{path}/reorder"),
    ],
    ids=["read", "cancel", "reorder"],
)
def test_an_order_of_another_customer_is_404_as_one_that_is_not_there(client_for, bob, order, call):
    for order_id in (order.pk, 0, 10**30):
        response = call(client_for(bob), f"/orders/{order_id}")

        assert (response.status_code, response.json()) == (404, NOT_FOUND)


@pytest.mark.parametrize("by", ["customer", "system", "olga@example.com"])
def test_cancel_of_a_cancelled_order_answers_it_and_gives_nothing_back(client_for, alice, order, emma, by):
    order.cancel(by=by)
    client = client_for(alice)

    response = client.post(f"/orders/{order.pk}/cancel")

    emma.refresh_from_db()
    assert (response.status_code, response.json()["status"]) == (200, "cancelled")
    assert response.json() == client.get(f"/orders/{order.pk}").json()
    assert (Order.objects.get().cancelled_by, emma.stock_quantity) == (by, 5)


def test_cancel_of_a_shipped_order_is_409(client_for, alice, order):
    order.mark_paid("pi_1")
    order.ship()

    response = client_for(alice).post(f"/orders/{order.pk}/cancel")

    assert (response.status_code, response.json()["code"]) == (409, "ORDER_NOT_CANCELLABLE")


def test_reorder_puts_the_books_into_the_cart_by_a_merge(client_for, alice, order, emma, dracula):
    dracula.set_stock(0)
    client = client_for(alice)

    response = client.post(f"/orders/{order.pk}/reorder")

    assert response.status_code == 200
    assert response.json()["results"] == [
        {"book_id": emma.pk, "status": "added"},
        {"book_id": dracula.pk, "status": "skipped", "code": "CART_BOOK_OUT_OF_STOCK"},
    ]
    assert response.headers["ETag"] == client.get("/cart").headers["ETag"]


def test_reorder_into_a_cart_that_changed_since_is_412_and_changes_nothing(client_for, alice, order, dracula):
    client = client_for(alice)
    seen = client.get("/cart").headers["ETag"]
    Cart.objects.for_user(alice).add(dracula)
    now = client.get("/cart")

    refused = client.post(f"/orders/{order.pk}/reorder", headers={"If-Match": seen})
    unchanged = client.get("/cart")
    accepted = client.post(f"/orders/{order.pk}/reorder", headers={"If-Match": now.headers["ETag"]})

    assert (refused.status_code, refused.json()["code"]) == (412, "CART_CHANGED")
    assert unchanged.json() == now.json()
    assert accepted.status_code == 200


def test_items_keep_the_order_of_the_cart_after_every_call(client_for, alice, emma, dracula):
    cart = Cart.objects.for_user(alice)
    for book in (dracula, emma):  # not in the order of their ids, in which they are locked
        cart.add(book)
    placed = checkout(alice, CheckoutRequest())
    customer, accountant = client_for(alice), client_for(StaffFactory(is_superuser=True))

    paid = accountant.post(f"/orders/{placed.pk}/paid", {"reference": "pi_1"}).json()
    cancelled = customer.post(f"/orders/{placed.pk}/cancel").json()
    read = customer.get(f"/orders/{placed.pk}").json()
    [listed] = customer.get("/orders").json()

    titles = [[item["book"]["title"] for item in answer["items"]] for answer in (paid, cancelled, read, listed)]
    assert titles == 4 * [["Dracula", "Emma"]]


def test_paid_is_for_staff_who_may_change_orders(api, client_for, alice, order):
    clerk, desk = StaffFactory(), StaffFactory()
    desk.user_permissions.add(Permission.objects.get(codename="change_order"))
    path, body = f"/orders/{order.pk}/paid", {"reference": "pi_1"}

    statuses = [client.post(path, body).status_code for client in (api, client_for(alice), client_for(clerk))]
    paid = client_for(desk).post(path, body)

    assert statuses == [401, 403, 403]
    assert (paid.status_code, paid.json()["status"], paid.json()["expires_at"]) == (200, "paid", None)


def test_paid_is_in_the_history_once(client_for, order):
    desk = StaffFactory(is_superuser=True, email="hook@example.com")

    for _ in range(2):
        client_for(desk).post(f"/orders/{order.pk}/paid", {"reference": "pi_1"})

    assert list(AuditChange.objects.values_list("name", "fields", "event__actor", "event__channel")) == [
        (order.number, {"status": ["placed", "paid"]}, "hook@example.com", "api")
    ]


def test_paid_of_no_order_is_404_and_of_a_cancelled_one_409(client_for, alice, order):
    desk = StaffFactory(is_superuser=True)
    order.cancel(by="customer")

    missing = client_for(desk).post("/orders/0/paid", {"reference": "pi_1"})
    cancelled = client_for(desk).post(f"/orders/{order.pk}/paid", {"reference": "pi_1"})

    assert (missing.status_code, cancelled.status_code, cancelled.json()["code"]) == (404, 409, "ORDER_NOT_PAYABLE")


def test_paid_again_by_its_reference_after_a_cancellation_changes_nothing(client_for, alice, order):
    desk = client_for(StaffFactory(is_superuser=True))
    desk.post(f"/orders/{order.pk}/paid", {"reference": "pi_1"})
    order.cancel(by="staff")

    again = desk.post(f"/orders/{order.pk}/paid", {"reference": "pi_1"})
    other = desk.post(f"/orders/{order.pk}/paid", {"reference": "pi_2"})

    assert (again.status_code, again.json()["status"]) == (200, "cancelled")
    assert (other.status_code, other.json()["code"]) == (409, "ORDER_NOT_PAYABLE")


def test_the_calls_of_orders_are_401_without_a_token(api):
    for response in (api.get("/orders"), api.get("/orders/1"), api.post("/orders/1/cancel")):
        assert response.status_code == 401
