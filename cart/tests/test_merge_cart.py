"""POST /cart/merge"""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now

from bookstore.accounts.tests.factories import UserFactory
from cart.models import Cart, CartItem
from cart.tests.answers import line_answer, moment
from cart.tests.concurrent import in_thread
from cart.tests.factories import CartFactory, CartItemFactory
from catalog.models import Book
from catalog.tests.factories import BookFactory

pytestmark = pytest.mark.django_db


def stored():
    return list(CartItem.objects.order_by("id").values_list("book__title", "quantity"))


def test_merge_into_nothing_answers_the_cart_and_results(client_for, alice, emma, dracula):
    entries = [{"book_id": dracula.pk, "quantity": 2}, {"book_id": emma.pk}]

    response = client_for(alice).post("/cart/merge", {"items": entries})

    first, second = CartItem.objects.order_by("id")
    assert response.status_code == 200
    assert response.json() == {
        "items": [line_answer(first, line_total="24.50"), line_answer(second, line_total="9.50")],
        "total_items": 3,
        "total_price": "34.00",
        "currency": "USD",
        "updated_at": moment(Cart.objects.get().updated_at),
        "checkout_ready": True,
        "results": [{"book_id": dracula.pk, "status": "added"}, {"book_id": emma.pk, "status": "added"}],
    }


def test_merge_takes_the_larger_quantity_and_says_what_became_of_each(client_for, alice, emma, dracula, settings):
    settings.CART_MAX_LINES = 3
    cart = CartFactory(user=alice)
    CartItemFactory(cart=cart, book=emma, quantity=2)
    CartItemFactory(cart=cart, book=dracula, quantity=5)
    sold_out = BookFactory(title="Ulysses", stock_quantity=0)
    withdrawn = BookFactory(title="Dubliners", is_active=False)
    added, beyond = BookFactory(title="Persuasion"), BookFactory(title="Kim")
    entries = [
        {"book_id": emma.pk, "quantity": 3},
        {"book_id": dracula.pk, "quantity": 5},
        {"book_id": sold_out.pk, "quantity": 1},
        {"book_id": withdrawn.pk, "quantity": 1},
        {"book_id": 10**30, "quantity": 1},
        {"book_id": -(10**30), "quantity": 1},
        {"book_id": added.pk, "quantity": 7},
        {"book_id": beyond.pk, "quantity": 1},
    ]

    response = client_for(alice).post("/cart/merge", {"items": entries})

    assert response.json()["results"] == [
        {"book_id": emma.pk, "status": "updated"},
        {"book_id": dracula.pk, "status": "unchanged"},
        {"book_id": sold_out.pk, "status": "skipped", "code": "CART_BOOK_OUT_OF_STOCK"},
        {"book_id": withdrawn.pk, "status": "skipped", "code": "BOOK_NOT_FOUND"},
        {"book_id": 10**30, "status": "skipped", "code": "BOOK_NOT_FOUND"},
        {"book_id": -(10**30), "status": "skipped", "code": "BOOK_NOT_FOUND"},
        {"book_id": added.pk, "status": "added"},
        {"book_id": beyond.pk, "status": "skipped", "code": "CART_LIMIT_EXCEEDED"},
    ]
    assert stored() == [("Emma", 3), ("Dracula", 5), ("Persuasion", 7)]


@pytest.mark.parametrize(
    ("title", "copies", "changed"), [("Emma", 3, True), ("Dracula", 1, True), ("Emma", 2, False), ("Kim", 1, False)]
)
def test_merge_stamps_the_cart_when_a_line_is_added_or_changed(alice, emma, dracula, title, copies, changed):
    """Either is enough. Emma is held with 2 copies, Dracula is not, and Kim is sold out."""
    BookFactory(title="Kim", stock_quantity=0)
    cart = CartItemFactory(cart=CartFactory(user=alice), book=emma, quantity=2).cart
    yesterday = now() - timedelta(days=1)
    Cart.objects.update(updated_at=yesterday)

    cart.merge([(Book.objects.get(title=title).pk, copies)])

    assert (Cart.objects.get().updated_at > yesterday) is changed


def test_merge_sent_again_changes_nothing(client_for, alice, emma, dracula):
    body = {"items": [{"book_id": emma.pk, "quantity": 3}, {"book_id": dracula.pk, "quantity": 1}]}
    client = client_for(alice)
    before = client.post("/cart/merge", body)
    emma.set_stock(0)
    emma.change(is_active=False)
    seen = client.get("/cart").json()

    after = client.post("/cart/merge", body)

    assert [result["status"] for result in after.json().pop("results")] == ["unchanged", "unchanged"]
    assert {key: value for key, value in after.json().items() if key != "results"} == seen
    assert after.json()["updated_at"] == before.json()["updated_at"]


def test_merge_leaves_a_changed_price_to_be_confirmed(client_for, alice, emma, dracula):
    cart = CartFactory(user=alice)
    raised = CartItemFactory(cart=cart, book=emma, quantity=1, price_at_add="5.00")
    CartItemFactory(cart=cart, book=dracula, quantity=3, price_at_add="5.00")
    entries = [{"book_id": emma.pk, "quantity": 2}, {"book_id": dracula.pk, "quantity": 2}]

    merged = client_for(alice).post("/cart/merge", {"items": entries}).json()
    confirmed = client_for(alice).put(f"/cart/items/{raised.pk}", {"quantity": 2}).json()

    assert [item["issues"] for item in merged["items"]] == [
        [{"code": "PRICE_CHANGED", "from": "5.00", "to": "9.50"}],
        [
            {"code": "INSUFFICIENT_STOCK", "available": 2},
            {"code": "PRICE_CHANGED", "from": "5.00", "to": "12.25"},
        ],
    ]
    assert [item["price_at_add"] for item in merged["items"]] == ["5.00", "5.00"]
    assert (confirmed["issues"], confirmed["price_at_add"]) == ([], "9.50")


def test_merge_adds_at_the_price_that_the_guest_saw(client_for, alice, emma, dracula):
    entries = [{"book_id": emma.pk, "price_seen": "9.00"}, {"book_id": dracula.pk, "price_seen": "12.25"}]

    merged = client_for(alice).post("/cart/merge", {"items": entries}).json()

    assert [(item["price_at_add"], item["issues"]) for item in merged["items"]] == [
        ("9.00", [{"code": "PRICE_CHANGED", "from": "9.00", "to": "9.50"}]),
        ("12.25", []),
    ]
    assert merged["total_price"] == "21.75"


def test_merge_of_a_price_that_is_null_adds_at_todays(client_for, alice, emma):
    merged = client_for(alice).post("/cart/merge", {"items": [{"book_id": emma.pk, "price_seen": None}]}).json()

    assert [(item["price_at_add"], item["issues"]) for item in merged["items"]] == [("9.50", [])]


def test_merge_of_a_seen_price_leaves_the_price_of_a_line_alone(client_for, alice, emma):
    CartItemFactory(cart=CartFactory(user=alice), book=emma, quantity=1, price_at_add="5.00")

    merged = client_for(alice).post("/cart/merge", {"items": [{"book_id": emma.pk, "price_seen": "9.50"}]}).json()

    assert merged["items"][0]["price_at_add"] == "5.00"


def test_merge_takes_the_largest_price_of_a_book_as_seen(client_for, alice, emma):
    entry = {"book_id": emma.pk, "price_seen": "99999999.99"}

    merged = client_for(alice).post("/cart/merge", {"items": [entry]}).json()

    assert merged["results"] == [{"book_id": emma.pk, "status": "added"}]
    assert merged["items"][0]["price_at_add"] == "99999999.99"


@pytest.mark.parametrize(
    ("entry", "result"),
    [
        (1, {"book_id": None, "field": "body"}),
        (None, {"book_id": None, "field": "body"}),
        ({"quantity": 2}, {"book_id": None, "field": "book_id"}),
        ({"book_id": "abc"}, {"book_id": None, "field": "book_id"}),
        ({"book_id": True}, {"book_id": None, "field": "book_id"}),
        ({"book_id": [1]}, {"book_id": None, "field": "book_id"}),
        ({"book_id": 7, "quantity": 0}, {"book_id": 7, "field": "quantity"}),
        ({"book_id": "7", "quantity": 1000}, {"book_id": 7, "field": "quantity"}),
        ({"book_id": 7, "quantity": None}, {"book_id": 7, "field": "quantity"}),
        ({"book_id": 7, "quantity": 1.5}, {"book_id": 7, "field": "quantity"}),
        ({"book_id": 7, "price_seen": "0.00"}, {"book_id": 7, "field": "price_seen"}),
        ({"book_id": 7, "price_seen": "1.234"}, {"book_id": 7, "field": "price_seen"}),
        ({"book_id": 7, "price_seen": "100000000.00"}, {"book_id": 7, "field": "price_seen"}),
        ({"book_id": 7, "price_seen": "NaN"}, {"book_id": 7, "field": "price_seen"}),
    ],
)
def test_merge_skips_an_entry_that_cannot_be_read_and_takes_the_rest(client_for, alice, emma, entry, result):
    response = client_for(alice).post("/cart/merge", {"items": [entry, {"book_id": emma.pk, "quantity": 2}]})

    bad, good = response.json()["results"]
    assert response.status_code == 200
    assert bad.pop("detail")
    assert bad == result | {"status": "skipped", "code": "VALIDATION_ERROR"}
    assert good == {"book_id": emma.pk, "status": "added"}
    assert stored() == [("Emma", 2)]


def test_merge_of_a_book_twice_takes_the_first_entry(client_for, alice, emma):
    entries = [{"book_id": emma.pk, "quantity": 2}, {"book_id": str(emma.pk), "quantity": 5}]

    response = client_for(alice).post("/cart/merge", {"items": entries})

    assert response.json()["results"] == [
        {"book_id": emma.pk, "status": "added"},
        {"book_id": emma.pk, "status": "skipped", "code": "CART_ITEM_DUPLICATE"},
    ]
    assert stored() == [("Emma", 2)]


def test_merge_takes_a_good_entry_after_a_bad_one_of_the_same_book(client_for, alice, emma):
    entries = [{"book_id": emma.pk, "quantity": 0}, {"book_id": emma.pk, "quantity": 2}]

    response = client_for(alice).post("/cart/merge", {"items": entries})

    assert [each["status"] for each in response.json()["results"]] == ["skipped", "added"]
    assert stored() == [("Emma", 2)]


@pytest.mark.parametrize(
    ("items", "code"),
    [
        ([], "min_length"),
        ([{"book_id": 1}] * 101, "max_length"),
        ([{}] * 9_000, "max_length"),
        ({"book_id": 1}, "not_a_list"),
        ("x", "not_a_list"),
        (None, "null"),
    ],
)
def test_merge_without_a_list_of_entries_is_422_and_changes_nothing(client_for, alice, items, code):
    response = client_for(alice).post("/cart/merge", {"items": items})

    assert response.status_code == 422
    assert [(fault["field"], fault["code"]) for fault in response.json()["errors"]] == [("items", code)]
    assert not Cart.objects.exists()


@pytest.mark.parametrize(("max_lines", "entries"), [(3, 100), (120, 120)])
def test_merge_takes_as_many_entries_as_a_cart_has_lines(client_for, alice, settings, max_lines, entries):
    settings.CART_MAX_LINES = max_lines
    items = [{"book_id": 0}] * entries

    taken = client_for(alice).post("/cart/merge", {"items": items})
    refused = client_for(alice).post("/cart/merge", {"items": [*items, {"book_id": 0}]})

    assert (taken.status_code, len(taken.json()["results"])) == (200, entries)
    assert (refused.status_code, refused.json()["detail"]) == (422, f"Send at most {entries} entries.")


def test_merge_answers_the_cart_that_its_results_are_about(client_for, alice, emma, dracula, monkeypatch):
    """Somebody else's change, right after the merge is committed, is in neither."""
    merge = Cart.merge

    def merge_then_another_device(cart, *args, **options):
        results = merge(cart, *args, **options)
        Cart.objects.of(alice).add(dracula)
        return results

    monkeypatch.setattr(Cart, "merge", merge_then_another_device)

    response = client_for(alice).post("/cart/merge", {"items": [{"book_id": emma.pk}]})

    assert [item["book_id"] for item in response.json()["items"]] == [emma.pk]
    assert response.headers["ETag"] != client_for(alice).get("/cart").headers["ETag"]


def test_merge_without_items_is_422(client_for, alice):
    response = client_for(alice).post("/cart/merge", {})

    assert response.json()["errors"][0]["field"] == "items"


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_merge_keeps_its_books_in_the_order_of_their_ids(alice, emma, dracula, rival):
    rival("BEGIN", "SELECT 1 FROM books WHERE id = %s FOR UPDATE", emma.pk)
    thread, raised = in_thread(lambda: Cart.objects.for_user(alice).merge([(dracula.pk, 1), (emma.pk, 2)]))
    thread.join(0.5)
    assert thread.is_alive()

    # Did the merge keep this one before it asked for the other, each would wait for the other for ever.
    rival("SELECT 1 FROM books WHERE id = %s FOR UPDATE NOWAIT", dracula.pk)
    rival("ROLLBACK")
    thread.join(5)

    assert raised == []
    assert stored() == [("Dracula", 1), ("Emma", 2)]


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_merge_skips_a_book_whose_deletion_it_waited_for(alice, emma, dracula, rival):
    results = []
    rival("BEGIN", "DELETE FROM books WHERE id = %s", emma.pk)
    entries = [(emma.pk, 1), (dracula.pk, 2)]
    thread, raised = in_thread(lambda: results.extend(Cart.objects.for_user(alice).merge(entries)))
    thread.join(0.5)
    assert thread.is_alive()
    rival("COMMIT")
    thread.join(5)

    assert raised == []
    assert results == [
        {"book_id": emma.pk, "status": "skipped", "code": "BOOK_NOT_FOUND"},
        {"book_id": dracula.pk, "status": "added"},
    ]
    assert stored() == [("Dracula", 2)]


def test_merge_that_adds_nothing_makes_no_cart(client_for, alice):
    before = client_for(alice).get("/cart").headers["ETag"]

    response = client_for(alice).post("/cart/merge", {"items": [{"book_id": 10**9}]})

    assert response.json()["results"] == [{"book_id": 10**9, "status": "skipped", "code": "BOOK_NOT_FOUND"}]
    assert client_for(alice).get("/cart").headers["ETag"] == before == response.headers["ETag"]
    assert not Cart.objects.exists()


def test_a_cart_that_a_merge_did_not_make_can_be_added_to(alice, emma):
    cart = Cart.objects.of(alice)

    cart.merge([(10**9, 1)])
    was_stored = cart.is_stored
    cart.add(emma)

    assert was_stored is False
    assert stored() == [("Emma", 1)]


@pytest.mark.parametrize("fast_path", [True, False])
def test_merge_costs_the_same_queries_with_2_and_100_entries(client_for, settings, fast_path):
    settings.FAST_PATH = fast_path
    counts = []
    for size in (2, 100):
        user = UserFactory()
        books = BookFactory.create_batch(size)
        cart = CartFactory(user=user)
        for book in books[: size // 2]:
            CartItemFactory(cart=cart, book=book)
        client = client_for(user)
        with CaptureQueriesContext(connection) as queries:
            response = client.post("/cart/merge", {"items": [{"book_id": b.pk, "quantity": 2} for b in books]})
        assert {result["status"] for result in response.json()["results"]} == {"updated", "added"}
        counts.append(len(queries))

    assert counts[0] == counts[1]


def test_merge_without_a_token_is_401(api):
    assert api.post("/cart/merge", {"items": [{"book_id": 1}]}).status_code == 401
