"""A merge in one statement beside other changes: each may come first, and both answers are true."""

import pytest
from django.db import OperationalError, connection

from bookstore.database.locks import lock
from cart.models import Cart, CartItem
from cart.tests.concurrent import in_thread
from cart.tests.factories import CartFactory, CartItemFactory
from catalog.models import Book
from tests.support.racing import answer_beside

pytestmark = [pytest.mark.postgres, pytest.mark.fast_path, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def line(alice, emma):
    return CartItemFactory(cart=CartFactory(user=alice), book=emma, quantity=2)


@pytest.fixture
def merge(client_for, alice, line, emma, dracula):
    """Merges 3 copies of Dracula, which the cart lacks, and 5 of Emma, of which it has 2."""
    client = client_for(alice)
    entries = [{"book_id": dracula.pk, "quantity": 3}, {"book_id": emma.pk, "quantity": 5}]
    return lambda: client.post("/cart/merge", {"items": entries})


@pytest.fixture
def others(client_for, alice, line, emma, dracula):
    """What another device of Alice's does meanwhile, or the staff."""
    client = client_for(alice)
    entries = [{"book_id": emma.pk, "quantity": 4}, {"book_id": dracula.pk, "quantity": 7}]
    return {
        "add": lambda: client.post("/cart/items", {"book_id": dracula.pk, "quantity": 1}).status_code,
        "remove": lambda: client.delete(f"/cart/items/{line.pk}").status_code,
        "clear": lambda: client.delete("/cart/items").status_code,
        "merge": lambda: client.post("/cart/merge", {"items": entries}).status_code,
        "deletion": lambda: Book.objects.get(pk=emma.pk).remove(),
    }


def results_of(response):
    return [result.get("code") or result["status"] for result in response.json()["results"]]


def stored():
    return list(CartItem.objects.order_by("id").values_list("book__title", "quantity"))


@pytest.mark.parametrize(
    ("other", "results", "left"),
    [
        ("add", ["updated", "updated"], [("Emma", 5), ("Dracula", 3)]),
        ("remove", ["added", "added"], [("Dracula", 3), ("Emma", 5)]),
        ("clear", ["added", "added"], [("Dracula", 3), ("Emma", 5)]),
        ("merge", ["unchanged", "updated"], [("Emma", 5), ("Dracula", 7)]),
        ("deletion", ["added", "BOOK_NOT_FOUND"], [("Dracula", 3)]),
    ],
)
def test_a_merge_after_another_change_sees_what_that_left(client_for, alice, merge, others, other, results, left):
    response = answer_beside(others[other], merge)

    assert results_of(response) == results
    assert stored() == left
    assert response.headers["ETag"] == client_for(alice).get("/cart").headers["ETag"]


@pytest.mark.parametrize(
    ("other", "answer", "left"),
    [
        ("add", 409, [("Emma", 5), ("Dracula", 3)]),
        ("remove", 204, [("Dracula", 3)]),
        ("clear", 204, []),
        ("merge", 200, [("Emma", 5), ("Dracula", 7)]),
        ("deletion", None, [("Dracula", 3)]),
    ],
)
def test_another_change_after_a_merge_sees_what_that_left(merge, others, other, answer, left):
    assert answer_beside(merge, others[other]) == answer
    assert stored() == left


def test_a_merge_after_one_that_changed_nothing_goes_on(client_for, alice, merge, emma):
    """That one did not stamp the cart, so the statement that waited for it merges."""
    client = client_for(alice)

    response = answer_beside(lambda: client.post("/cart/merge", {"items": [{"book_id": emma.pk}]}), merge)

    assert results_of(response) == ["added", "updated"]
    assert stored() == [("Emma", 5), ("Dracula", 3)]


@pytest.mark.parametrize("held", ["nothing", "cart", "book"])
def test_a_price_that_changes_beside_a_merge_shows_as_changed_after_it(client_for, alice, merge, dracula, rival, held):
    """Whether the merge waits for somebody meanwhile or not, its answer knows one price: that of its start."""
    locked = {"cart": lambda: lock(Cart.objects.all()), "book": lambda: lock(Book.objects.filter(pk=dracula.pk))}
    change_price = ("UPDATE books SET price = 15 WHERE id = %s", dracula.pk)

    if held == "nothing":
        rival("BEGIN", *change_price)
        response = merge()
        rival("COMMIT")
    else:
        response = answer_beside(locked[held], merge, then=lambda: execute(*change_price))

    told, seen = (answer.json()["items"][1] for answer in (response, client_for(alice).get("/cart")))
    short_of_stock = {"code": "INSUFFICIENT_STOCK", "available": 2}
    assert (told["price_at_add"], told["book"]["price"], told["issues"]) == ("12.25", "12.25", [short_of_stock])
    assert seen["issues"] == [short_of_stock, {"code": "PRICE_CHANGED", "from": "12.25", "to": "15.00"}]


def execute(statement, *parameters):
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)


@pytest.mark.parametrize(
    ("statement", "results", "left"),
    [
        (
            "INSERT INTO cart_items (cart_id, book_id) SELECT carts.id, books.id FROM carts, books"
            " WHERE title = 'Dracula'",
            ["updated", "updated"],
            [("Emma", 5), ("Dracula", 3)],
        ),
        ("UPDATE cart_items SET quantity = 9", ["added", "unchanged"], [("Emma", 9), ("Dracula", 3)]),
        ("UPDATE cart_items SET quantity = 4", ["added", "updated"], [("Emma", 5), ("Dracula", 3)]),
        ("DELETE FROM cart_items", ["added", "added"], [("Dracula", 3), ("Emma", 5)]),
    ],
    ids=["insert", "more copies", "fewer copies", "delete"],
)
def test_a_writer_without_the_carts_lock_makes_no_answer_untrue(client_for, alice, merge, statement, results, left):
    response = answer_beside(lambda: execute(statement), merge)

    assert results_of(response) == results
    assert stored() == left
    assert response.json()["items"] == client_for(alice).get("/cart").json()["items"]


def test_merge_locks_the_cart_then_books_by_id_then_lines(merge, emma, dracula, rival):
    rival("BEGIN", "SELECT FROM books WHERE id = %s FOR UPDATE", emma.pk)
    thread, raised = in_thread(merge)
    thread.join(0.5)
    assert thread.is_alive()

    # Of what comes after Emma nothing is locked; the cart is.
    rival("SELECT FROM books WHERE id = %s FOR UPDATE NOWAIT", dracula.pk)
    rival("SELECT FROM cart_items FOR UPDATE NOWAIT")
    with pytest.raises(OperationalError, match="could not obtain lock"):
        rival("SELECT FROM carts FOR UPDATE NOWAIT")
    rival("ROLLBACK")
    thread.join(5)

    assert raised == []
    assert stored() == [("Emma", 5), ("Dracula", 3)]
