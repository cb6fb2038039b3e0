"""Staff's calls of the API are recorded in the history, with both values and the address."""

import pytest

from bookstore.audit.models import AuditChange, AuditEvent
from catalog.models import Book

pytestmark = pytest.mark.django_db


def history():
    """The one event, and its change: (who, by, from, what), (kind, name, done, fields)."""
    event, change = AuditEvent.objects.get(), AuditChange.objects.get()
    return (
        (event.actor, event.channel, event.address, event.summary),
        (change.kind, change.name, change.action, change.fields),
    )


def test_book_that_is_added_is_recorded(owner):
    owner.post("/books", {"title": "Emma", "author": "Jane Austen", "price": "9.50"}, format="json")

    who, change = history()
    assert who == ("olga@example.com", "api", "127.0.0.1", "Added the book “Emma”.")
    assert change[:3] == ("catalog.book", "Emma", "add")
    assert change[3]["price"] == ["", "9.50"]


def test_book_that_is_changed_is_recorded_with_both_values(owner, emma):
    owner.put(f"/books/{emma.pk}", {"price": "12.00", "genre_id": None, "title": "Emma"}, format="json")

    who, change = history()
    assert who[3] == "Changed price and genre of the book “Emma”."
    assert change == ("catalog.book", "Emma", "change", {"price": ["9.50", "12.00"], "genre": ["Novel", ""]})


def test_stock_that_is_set_is_recorded(owner, emma):
    owner.patch(f"/books/{emma.pk}/stock", {"quantity": 12}, format="json")

    assert history()[1][3] == {"stock_quantity": ["5", "12"]}


@pytest.mark.parametrize("body", [{"price": "9.50"}, {}])
def test_call_that_changes_nothing_is_not_recorded(owner, emma, body):
    answer = owner.put(f"/books/{emma.pk}", body, format="json")

    assert answer.status_code == 200
    assert not AuditEvent.objects.exists()


def test_book_that_is_deleted_is_recorded_with_what_it_was(owner, emma):
    key = emma.pk

    owner.delete(f"/books/{key}")

    assert not Book.objects.exists()
    assert AuditChange.objects.get().object_id == key
    assert history()[1][3]["title"] == ["Emma", ""]


def test_genre_that_is_added_is_recorded(owner):
    owner.post("/genres", {"name": "Gothic"}, format="json")

    assert history()[1] == ("catalog.genre", "Gothic", "add", {"name": ["", "Gothic"]})


def test_call_that_is_refused_is_not_recorded(owner, emma):
    body = {"title": "Emma", "author": "Jane Austen", "price": "9.50", "isbn": emma.isbn}

    answer = owner.post("/books", body, format="json")

    assert answer.status_code == 409
    assert not AuditEvent.objects.exists()
