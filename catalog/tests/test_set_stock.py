"""PATCH /books/{id}/stock"""

from decimal import Decimal

import pytest

from catalog.exceptions import BookNotFound
from catalog.models import Book
from catalog.querysets import BookQuerySet
from catalog.tests.answers import FORBIDDEN, NO_BOOK, NOBODY
from tests.support.racing import meet

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("sent", "stock", "in_stock"),
    [(0, 0, False), (7, 7, True), ("7", 7, True), (2**31 - 1, 2**31 - 1, True)],
)
def test_patch_stock_sets_it_absolutely(clerk, api, emma, body_of_emma, sent, stock, in_stock):
    response = clerk("change_book").patch(f"/books/{emma.pk}/stock", {"quantity": sent})

    assert response.status_code == 200
    assert response.json() == body_of_emma | {"stock_quantity": stock, "in_stock": in_stock}
    assert api.get(f"/books/{emma.pk}").json() == response.json()


@pytest.mark.parametrize("quantity", [None, -1, 1.5, "1.0", " 1 ", "", True, "x", "١", 2**31, 10**30, []])
def test_patch_stock_with_a_bad_quantity_is_422(owner, emma, quantity):
    response = owner.patch(f"/books/{emma.pk}/stock", {"quantity": quantity})

    emma.refresh_from_db()
    assert response.status_code == 422
    assert response.json()["field"] == "quantity"
    assert emma.stock_quantity == 5


def test_patch_stock_without_a_quantity_is_422(owner, emma):
    response = owner.patch(f"/books/{emma.pk}/stock", {})

    assert response.status_code == 422
    detail = "Send quantity, the copies in stock from now on, or change, the copies to add or take away."
    assert response.json() == {
        "detail": detail,
        "code": "VALIDATION_ERROR",
        "field": "quantity",
        "errors": [{"field": "quantity", "code": "required", "detail": detail}],
    }


def test_patch_stock_with_a_quantity_and_a_change_is_422(owner, emma):
    response = owner.patch(f"/books/{emma.pk}/stock", {"quantity": 1, "change": 1})

    assert (response.status_code, response.json()["field"]) == (422, "change")


@pytest.mark.parametrize(("change", "stock"), [(3, 8), (-5, 0), (0, 5)])
def test_patch_stock_with_a_change_adds_or_takes_copies(owner, emma, body_of_emma, change, stock):
    response = owner.patch(f"/books/{emma.pk}/stock", {"change": change})

    assert response.status_code == 200
    assert response.json() == body_of_emma | {"stock_quantity": stock, "in_stock": stock > 0}


@pytest.mark.parametrize("change", [-6, 2**31 - 1])
def test_patch_stock_with_a_change_that_cannot_be_is_409(owner, emma, change):
    response = owner.patch(f"/books/{emma.pk}/stock", {"change": change})

    emma.refresh_from_db()
    assert response.status_code == 409
    assert response.json() == {
        "detail": "There are not that many copies in stock, or it would be more than a stock can be.",
        "code": "BOOK_STOCK_OUT_OF_RANGE",
        "field": "change",
        "available": 5,
    }
    assert emma.stock_quantity == 5


WRITES = [
    lambda client, path, etag: client.patch(f"{path}/stock", {"quantity": 105}, headers={"if-match": etag}),
    lambda client, path, etag: client.patch(f"{path}/stock", {"change": 100}, headers={"if-match": etag}),
    lambda client, path, etag: client.put(path, {"stock_quantity": 105}, headers={"if-match": etag}),
]


@pytest.mark.parametrize("write", WRITES, ids=["quantity", "change", "put"])
def test_stock_with_the_etag_of_the_book_is_written_once(api, owner, emma, write):
    path = f"/books/{emma.pk}"
    etag = api.get(path).headers["ETag"]

    first, again = write(owner, path, etag), write(owner, path, etag)

    assert (first.status_code, first.json()["stock_quantity"]) == (200, 105)
    assert again.status_code == 412
    assert again.json() == {
        "detail": "The book is not as your If-Match names it: read it again. Nothing was changed.",
        "code": "BOOK_CHANGED",
    }


def test_a_change_that_cannot_be_of_a_book_that_changed_is_412(api, owner, emma):
    etag = api.get(f"/books/{emma.pk}").headers["ETag"]
    emma.set_stock(3)

    response = owner.patch(f"/books/{emma.pk}/stock", {"change": -4}, headers={"if-match": etag})

    assert (response.status_code, response.json()["code"]) == (412, "BOOK_CHANGED")


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("write", WRITES, ids=["quantity", "change", "put"])
def test_stock_read_before_copies_were_taken_is_412(api, owner, emma, write):
    path = f"/books/{emma.pk}"
    etag = api.get(path).headers["ETag"]

    response, _ = meet(
        lambda: write(owner, path, etag),
        lambda: Book.objects.get(pk=emma.pk).add_stock(-2),
        at=(BookQuerySet, "select_for_update"),
    )

    assert (response.status_code, response.json()["code"]) == (412, "BOOK_CHANGED")
    assert Book.objects.get().stock_quantity == 3


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_change_of_a_stock_keeps_what_is_taken_meanwhile(owner, emma):
    response, _ = meet(
        lambda: owner.patch(f"/books/{emma.pk}/stock", {"change": 100}),
        lambda: Book.objects.get(pk=emma.pk).add_stock(-2),
        at=(BookQuerySet, "select_for_update"),
    )

    assert (response.status_code, response.json()["stock_quantity"]) == (200, 103)


@pytest.mark.parametrize("book_id", [0, 999, 10**30])
def test_patch_stock_of_a_missing_book_is_404_book_not_found(owner, db, book_id):
    response = owner.patch(f"/books/{book_id}/stock", {"quantity": 1})

    assert response.status_code == 404
    assert response.json() == NO_BOOK


def test_patch_stock_without_a_token_is_401(api, emma):
    response = api.patch(f"/books/{emma.pk}/stock", {"quantity": 1})

    assert response.status_code == 401
    assert response.json() == NOBODY


def test_patch_stock_by_a_customer_is_403_auth_forbidden(customer, emma):
    response = customer.patch(f"/books/{emma.pk}/stock", {"quantity": 1})

    assert response.status_code == 403
    assert response.json() == FORBIDDEN


def test_patch_stock_by_staff_without_the_permission_is_403(clerk, emma):
    response = clerk("add_book", "delete_book").patch(f"/books/{emma.pk}/stock", {"quantity": 1})

    assert response.status_code == 403
    assert response.json() == FORBIDDEN


def test_set_stock_leaves_the_rest_and_reads_it(emma, django_assert_num_queries):
    Book.objects.filter(pk=emma.pk).update(title="Emma, annotated")

    with django_assert_num_queries(5):  # SELECT FOR UPDATE, UPDATE, SELECT, and the transaction's own two
        emma.set_stock(3)

    assert (emma.title, emma.stock_quantity) == ("Emma, annotated", 3)


def test_set_stock_of_a_deleted_book_raises_and_keeps_it_deleted(emma):
    Book.objects.filter(pk=emma.pk).delete()

    with pytest.raises(BookNotFound):
        emma.set_stock(3)

    assert not Book.objects.exists()


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_patch_stock_answers_no_price_older_than_its_own_change(owner, emma, body_of_emma):
    """A colleague changes the price just before the book is locked."""
    path = f"/books/{emma.pk}/stock"

    response, _ = meet(
        lambda: owner.patch(path, {"quantity": 7}),
        lambda: Book.objects.filter(pk=emma.pk).update(price="11.00"),
        at=(BookQuerySet, "select_for_update"),
    )

    assert response.json() == body_of_emma | {"stock_quantity": 7, "price": "11.00"}


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_patch_stock_answers_no_price_newer_than_its_own_change(owner, emma, body_of_emma):
    """A colleague changes the price once the book is locked: after the answer."""
    path = f"/books/{emma.pk}/stock"

    response, _ = meet(
        lambda: owner.patch(path, {"quantity": 7}),
        lambda: Book.objects.filter(pk=emma.pk).update(price="11.00"),
        at=(BookQuerySet, "update"),
    )

    assert response.json() == body_of_emma | {"stock_quantity": 7, "price": "9.50"}
    assert Book.objects.values_list("stock_quantity", "price").get() == (7, Decimal("11.00"))
