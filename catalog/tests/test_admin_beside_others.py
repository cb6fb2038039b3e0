"""The pages of books and genres while somebody else deletes what they need."""

from functools import partial

import pytest
from django.contrib.messages import get_messages
from django.test import Client

from bookstore.accounts.tests.factories import SuperuserFactory
from bookstore.audit.models import AuditEvent
from catalog.models import Book, Genre
from catalog.tests.factories import BookFactory
from tests.support.racing import answer_beside

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]

BOOKS = "/admin/catalog/book/"
GENRES = "/admin/catalog/genre/"
NEEDED = "Nothing was deleted: something that needs it was added meanwhile."


@pytest.fixture
def site(db):
    client = Client(raise_request_exception=False)
    client.force_login(SuperuserFactory(email="olga@example.com"))
    return client


def told(response) -> list[str]:
    assert response.status_code == 302, response.status_code
    return [str(message) for message in get_messages(response.wsgi_request)]


def putting_a_book_into(genre):
    return partial(Book.objects.add, title="Emma", author="Jane Austen", price="9.50", genre_id=genre.pk)


def test_genre_that_a_book_is_being_put_into_is_not_deleted(site, novel):
    path = f"{GENRES}{novel.pk}/delete/"

    response = answer_beside(putting_a_book_into(novel), lambda: site.post(path, {"post": "yes"}))

    assert told(response) == [NEEDED]
    assert [book.title for book in novel.books.all()] == ["Emma"]
    assert not AuditEvent.objects.exists()


def test_action_leaves_a_genre_that_a_book_is_being_put_into(site, novel):
    asked = site.post(GENRES, {"action": "delete_selected", "_selected_action": novel.pk})

    response = answer_beside(putting_a_book_into(novel), lambda: site.post(asked["Location"], {"step": "run"}))

    reason = "1 book is in it: move it to another genre first."
    assert told(response) == [f"Left 1 genre alone. “Novel”: {reason}"]
    assert [book.title for book in novel.books.all()] == ["Emma"]
    assert not AuditEvent.objects.exists()


def test_genre_that_is_being_deleted_is_not_renamed(site, novel):
    path = f"{GENRES}{novel.pk}/change/"

    key = novel.pk
    response = answer_beside(novel.delete, lambda: site.post(path, {"name": "Roman"}))

    assert told(response) == [f"There is no genre with the number {key} any more. Nothing was changed."]
    assert not Genre.objects.exists()


def test_book_is_not_added_to_a_genre_that_is_being_deleted(site, novel):
    emma = {
        "title": "Emma",
        "author": "Jane Austen",
        "price": "9.50",
        "stock_quantity": "1",
        "popularity": "0",
        "genre": str(novel.pk),
    }

    response = answer_beside(novel.delete, lambda: site.post(f"{BOOKS}add/", emma))

    assert told(response) == ["This genre was deleted meanwhile."]
    assert not Book.objects.exists()


def rows_of_the_list(*books):
    """What the list's form sends for these, each with a price of 1.00."""
    sent = {"form-TOTAL_FORMS": len(books), "form-INITIAL_FORMS": len(books), "_save": "Save"}
    for number, book in enumerate(books):
        shown = {"price": book.price, "stock_quantity": book.stock_quantity, "is_active": book.is_active}
        sent |= {f"initial-form-{number}-{name}": value for name, value in shown.items()}
        sent |= {f"form-{number}-{name}": value for name, value in shown.items()}
        sent |= {f"form-{number}-id": book.pk, f"form-{number}-price": "1.00"}
    return sent


def test_list_and_action_locking_the_same_books_never_deadlock(site):
    persuasion = BookFactory(title="Persuasion", price=5)
    emma = BookFactory(title="Emma", price=9)
    locked = Book.objects.select_for_update(no_key=True)

    response = answer_beside(
        lambda: locked.get(pk=persuasion.pk),
        lambda: site.post(BOOKS, rows_of_the_list(emma, persuasion)),
        then=lambda: locked.get(pk=emma.pk),  # had the list begun with it, this would be a deadlock
    )

    assert told(response) == ["2 books were changed successfully."]
    assert [str(price) for price in Book.objects.values_list("price", flat=True)] == ["1.00", "1.00"]


@pytest.mark.parametrize("named", ["99999999999999999999", "x", "\0"])
def test_list_that_names_what_no_book_is_called_changes_nothing(site, emma, named):
    response = site.post(BOOKS, rows_of_the_list(emma) | {"form-0-id": named})

    assert response.status_code == 302
    assert str(Book.objects.get().price) == "9.50"
