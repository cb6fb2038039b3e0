"""The one statement of each common call: its cost, and that it does and refuses the same as the verb."""

import json

import pytest
from django.db import IntegrityError, connection
from django.test.utils import CaptureQueriesContext

from bookstore.accounts.caller import Caller
from bookstore.accounts.models import LoginSession, User
from bookstore.accounts.tests.factories import UserFactory
from cart import merge_statement, statements
from cart.merging import Entry
from cart.models import Cart, CartItem
from cart.tests.factories import CartFactory, CartItemFactory
from catalog.models import Book
from catalog.tests.factories import BookFactory
from tests.support.bearer import caller_of

pytestmark = pytest.mark.fast_path


@pytest.fixture
def caller(alice) -> Caller:
    return caller_of(alice)


@pytest.fixture
def line(alice, emma):
    return CartItemFactory(cart=CartFactory(user=alice), book=emma, quantity=2)


def stored():
    return list(CartItem.objects.order_by("id").values_list("book__title", "quantity"))


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("call", "status"),
    [
        (lambda client, line, book: client.get("/cart"), 200),
        (lambda client, line, book: client.put(f"/cart/items/{line.pk}", {"quantity": 3}), 200),
        (lambda client, line, book: client.patch(f"/cart/items/{line.pk}", {"quantity": 3}), 200),
        (lambda client, line, book: client.delete(f"/cart/items/{line.pk}"), 204),
        (lambda client, line, book: client.post("/cart/items", {"book_id": book.pk}), 201),
        (lambda client, line, book: client.post("/cart/merge", {"items": [{"book_id": book.pk}]}), 200),
    ],
    ids=["GET", "PUT", "PATCH", "DELETE", "add", "merge"],
)
def test_each_common_call_is_one_statement_begin_and_commit_included(client_for, alice, line, dracula, call, status):
    client = client_for(alice)

    with CaptureQueriesContext(connection) as statements_sent:
        response = call(client, line, dracula)

    assert response.status_code == status
    assert len(statements_sent) == 1


@pytest.mark.postgres
@pytest.mark.django_db
def test_add_answers_the_line_as_the_verb_does(caller, alice, bob, line, dracula):
    by_statement = statements.add(caller, dracula.pk, 3).line_of_book(dracula.pk)

    by_verb = Cart.objects.for_user(bob).add(dracula, 3).facts
    differing = {"id": None, "added_at": None}
    assert by_statement._replace(**differing) == by_verb._replace(**differing)


@pytest.mark.postgres
@pytest.mark.django_db
def test_change_quantity_answers_the_line_and_settles_the_price(caller, emma, line):
    Book.objects.filter(pk=emma.pk).update(price="11.00")

    answer = statements.change_quantity(caller, line.pk, 7).line(line.pk)

    assert answer == CartItem.objects.with_book().get().facts
    assert (answer.quantity, str(answer.price_at_add), str(answer.line_total)) == (7, "11.00", "77.00")


@pytest.mark.postgres
@pytest.mark.django_db
@pytest.mark.parametrize(
    "change",
    [
        lambda caller, line, book: statements.change_quantity(caller, line.pk, 3),
        lambda caller, line, book: statements.remove(caller, line.pk),
        lambda caller, line, book: statements.add(caller, book.pk, 3),
        lambda caller, line, book: statements.clear(caller),
    ],
    ids=["change", "remove", "add", "clear"],
)
def test_a_change_returns_the_whole_cart_as_it_is_then(caller, alice, line, dracula, change):
    CartItemFactory(cart=line.cart, book=BookFactory(title="Kim"), quantity=5)

    after = change(caller, line, dracula)

    assert after == statements.read(caller) == Cart.objects.facts(line.cart_id)
    assert after.updated_at > line.cart.updated_at


@pytest.mark.postgres
@pytest.mark.django_db
def test_changes_stamp_the_cart_and_refusals_do_not(caller, emma, dracula, line):
    def stamp():
        return Cart.objects.get().updated_at

    before = stamp()
    assert statements.change_quantity(caller, 0, 3) is None
    assert statements.remove(caller, 0) is None
    assert statements.add(caller, 0, 1) is None
    assert statements.add(caller, emma.pk, 1) is None  # it is in the cart
    assert stamp() == before

    for change in (
        lambda: statements.change_quantity(caller, line.pk, 3),
        lambda: statements.add(caller, dracula.pk, 1),
        lambda: statements.remove(caller, line.pk),
        lambda: statements.clear(caller),
    ):
        before = stamp()
        assert change()
        assert stamp() > before


@pytest.mark.parametrize(
    "spoil",
    [
        lambda alice, session: User.objects.filter(pk=alice.pk).update(is_active=False),
        lambda alice, session: User.objects.filter(pk=alice.pk).update(password="md5$other$" + "0" * 32),
        lambda alice, session: LoginSession.objects.filter(pk=session).end(),
        lambda alice, session: LoginSession.objects.filter(pk=session).delete(),
        lambda alice, session: LoginSession.objects.filter(pk=session).update(
            user=UserFactory(email="carol@example.com")
        ),
    ],
    ids=["deactivated", "password changed", "logged out", "session gone", "session of somebody else"],
)
@pytest.mark.django_db
def test_nobody_is_let_in_whose_session_is_not_good(caller, alice, emma, dracula, line, spoil):
    spoil(alice, caller.claims.session_id)

    assert statements.read(caller) is None
    assert statements.add(caller, dracula.pk, 1) is None
    assert statements.change_quantity(caller, line.pk, 3) is None
    assert statements.remove(caller, line.pk) is None
    assert merge_statement.merge(caller, [Entry(emma.pk, 3), Entry(dracula.pk)]) is None
    assert stored() == [("Emma", 2)]


@pytest.mark.django_db
def test_a_line_of_somebody_else_is_left_alone(caller, bob, emma):
    other = CartItemFactory(cart=CartFactory(user=bob), book=emma, quantity=2)

    assert statements.change_quantity(caller, other.pk, 3) is None
    assert statements.remove(caller, other.pk) is None
    assert stored() == [("Emma", 2)]


@pytest.mark.django_db
def test_add_leaves_to_the_verb_what_it_cannot_do(caller, alice, emma, dracula, line, settings):
    sold_out = BookFactory(stock_quantity=0)
    withdrawn = BookFactory(is_active=False)

    assert [statements.add(caller, book.pk, 1) for book in (emma, sold_out, withdrawn)] == [None, None, None]
    assert statements.add(caller, 10**30, 1) is None
    settings.CART_MAX_LINES = 1
    assert statements.add(caller, dracula.pk, 1) is None
    assert stored() == [("Emma", 2)]


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_add_that_waited_leaves_the_count_of_lines_to_the_verb(caller, alice, line, dracula, settings):
    """Two adds at the bound of lines: the one that waits must not count what it saw before."""
    from threading import Thread

    settings.CART_MAX_LINES = 2
    kim = BookFactory(title="Kim", stock_quantity=5)
    answers = []
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute("UPDATE carts SET updated_at = statement_timestamp() WHERE user_id = %s", [alice.pk])
        cursor.execute(
            "INSERT INTO cart_items (cart_id, book_id) SELECT id, %s FROM carts WHERE user_id = %s", [kim.pk, alice.pk]
        )

        def add():
            try:
                answers.append(statements.add(caller, dracula.pk, 1))
            finally:
                connection.close()

        waiting = Thread(target=add)
        waiting.start()
        waiting.join(0.5)
        assert waiting.is_alive()
        cursor.execute("COMMIT")
        waiting.join(5)
    other.close()

    assert answers == [None]
    assert stored() == [("Emma", 2), ("Kim", 1)]


@pytest.mark.django_db
def test_a_bad_body_of_somebody_who_is_not_let_in_is_401_before_422(api, client_for, alice, line):
    client = client_for(alice)
    User.objects.filter(pk=alice.pk).update(is_active=False)

    for response in (
        client.put(f"/cart/items/{line.pk}", {"quantity": 0}),
        client.post("/cart/items", {}),
        client.post("/cart/merge", {}),
        client.put("/cart/items/0", {"quantity": 1}),
        client.delete("/cart/items/0"),
        client.delete("/cart/items"),
        client.get("/cart"),
        client.generic("POST", "/cart/items", b"{", content_type="application/json"),
        client.generic("POST", "/cart/items", b"x=1", content_type="text/plain"),
    ):
        assert (response.status_code, json.loads(response.content)["code"]) == (401, "AUTH_USER_INACTIVE")


@pytest.mark.postgres
@pytest.mark.django_db
def test_add_and_merge_leave_a_violated_constraint_to_the_verb(caller, alice, line, dracula, monkeypatch):
    def violate(*args, **options):
        raise IntegrityError("the book was deleted meanwhile")

    monkeypatch.setattr(statements, "run", violate)

    assert statements.add(caller, dracula.pk, 1) is None
    assert merge_statement.merge(caller, [Entry(dracula.pk)]) is None


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("book_id", [0, -1, 2**63 - 1, 2**63, -(2**63), -(2**63) - 1, 10**30, -(10**30)])
def test_an_id_that_no_book_has_is_not_found_whatever_its_size(client_for, alice, book_id):
    """Outside of a transaction, as it is served: there PostgreSQL reads the number by itself."""
    CartFactory(user=alice)

    response = client_for(alice).post("/cart/items", {"book_id": book_id})
    merged = client_for(alice).post("/cart/merge", {"items": [{"book_id": book_id}]})

    assert response.status_code == 404
    assert response.json()["code"] == "BOOK_NOT_FOUND"
    assert (merged.status_code, merged.json()["results"][0]["code"]) == (200, "BOOK_NOT_FOUND")
