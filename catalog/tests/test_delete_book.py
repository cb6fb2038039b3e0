"""DELETE /books/{id}. That it leaves every cart is tested with the cart."""

import pytest

from bookstore.audit.models import AuditChange
from catalog import views
from catalog.exceptions import BookNotFound
from catalog.models import Book
from catalog.querysets import BookQuerySet
from catalog.tests.answers import FORBIDDEN, NO_BOOK, NOBODY
from tests.support.racing import meet

pytestmark = pytest.mark.django_db


def test_delete_book_answers_204_and_it_is_gone(clerk, api, emma, dracula):
    response = clerk("delete_book").delete(f"/books/{emma.pk}")

    assert response.status_code == 204
    assert response.content == b""
    assert list(Book.objects.all()) == [dracula]
    assert api.get(f"/books/{emma.pk}").json() == NO_BOOK


def test_delete_book_again_is_404_book_not_found(owner, emma):
    owner.delete(f"/books/{emma.pk}")

    response = owner.delete(f"/books/{emma.pk}")

    assert response.status_code == 404
    assert response.json() == NO_BOOK


@pytest.mark.parametrize("book_id", [0, 999, 10**30])
def test_delete_book_that_never_was_is_404_book_not_found(owner, db, book_id):
    response = owner.delete(f"/books/{book_id}")

    assert response.status_code == 404
    assert response.json() == NO_BOOK


def test_delete_book_that_changed_since_it_was_seen_is_412_and_it_stays(api, owner, emma):
    path = f"/books/{emma.pk}"
    seen = api.get(path).headers["ETag"]
    emma.set_stock(3)
    now = api.get(path)

    refused = owner.delete(path, headers={"if-match": seen})
    still_there = api.get(path)
    accepted = owner.delete(path, headers={"if-match": now.headers["ETag"]})

    assert (refused.status_code, refused.json()["code"]) == (412, "BOOK_CHANGED")
    assert still_there.json() == now.json()
    assert accepted.status_code == 204


def test_remove_of_a_book_that_somebody_else_removed_raises(emma):
    same = Book.objects.get(pk=emma.pk)
    same.remove()

    with pytest.raises(BookNotFound):
        emma.remove()


def test_delete_book_without_a_token_is_401(api, emma):
    response = api.delete(f"/books/{emma.pk}")

    assert response.status_code == 401
    assert response.json() == NOBODY


def test_delete_book_by_a_customer_is_403_auth_forbidden(customer, emma):
    response = customer.delete(f"/books/{emma.pk}")

    assert response.status_code == 403
    assert response.json() == FORBIDDEN
    assert Book.objects.count() == 1


def test_delete_book_by_staff_without_the_permission_is_403(clerk, emma):
    response = clerk("add_book", "change_book").delete(f"/books/{emma.pk}")

    assert response.status_code == 403
    assert response.json() == FORBIDDEN


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "at", [(views, "deleted"), (BookQuerySet, "select_for_update")], ids=["after the look", "before the look"]
)
def test_delete_book_records_the_book_as_it_was_deleted(owner, emma, at):
    """A colleague changes the price beside it: before the deletion, which tells the new one, or after it: too late."""
    response, changed = meet(
        lambda: owner.delete(f"/books/{emma.pk}"),
        lambda: Book.objects.filter(pk=emma.pk).update(price="11.00"),
        at=at,
    )

    assert response.status_code == 204
    told = AuditChange.objects.get().fields["price"]
    assert told == (["11.00", ""] if changed else ["9.50", ""])
