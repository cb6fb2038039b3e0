"""The pages of books and genres while somebody else deletes what they need."""

from functools import partial

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.messages import get_messages
from django.test import Client

from bookstore.accounts.models import User
from bookstore.accounts.tests.factories import SuperuserFactory
from bookstore.tests.racing import answer_beside
from catalog.models import Book, Genre

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]

BOOKS = "/admin/catalog/book/"
GENRES = "/admin/catalog/genre/"
NEEDED = "Nothing was deleted: something that needs it was added meanwhile."
FASTER = "Something that belongs to this was added or deleted meanwhile: nothing was changed."


@pytest.fixture
def site(db):
    client = Client(raise_request_exception=False)
    client.force_login(SuperuserFactory(email="olga@example.com"))
    return client


def told(response) -> list[str]:
    assert response.status_code == 302, response.status_code
    return [str(message) for message in get_messages(response.wsgi_request)]


@pytest.mark.parametrize("where", ["page", "list"])
def test_genre_that_a_book_is_being_put_into_is_not_deleted(site, novel, where):
    add = partial(Book.objects.add, title="Emma", author="Jane Austen", price="9.50", genre_id=novel.pk)
    path, fields = {
        "page": (f"{GENRES}{novel.pk}/delete/", {"post": "yes"}),
        "list": (GENRES, {"action": "delete_selected", "_selected_action": novel.pk, "post": "yes"}),
    }[where]

    response = answer_beside(add, lambda: site.post(path, fields))

    assert told(response) == [NEEDED]
    assert [book.title for book in novel.books.all()] == ["Emma"]
    assert not LogEntry.objects.exists()


def test_genre_that_is_being_deleted_is_not_renamed(site, novel):
    path = f"{GENRES}{novel.pk}/change/"

    response = answer_beside(novel.delete, lambda: site.post(path, {"name": "Roman"}))

    assert told(response) == ["The genre “Roman” was deleted meanwhile: nothing was changed."]
    assert not Genre.objects.exists()


def test_book_is_not_added_to_a_genre_that_is_being_deleted(site, novel):
    emma = {"title": "Emma", "author": "Jane Austen", "price": "9.50", "stock_quantity": "1", "genre": str(novel.pk)}

    response = answer_beside(novel.delete, lambda: site.post(f"{BOOKS}add/", emma))

    assert told(response) == ["There is no genre with this id."]
    assert not Book.objects.exists()


def test_action_of_staff_who_are_being_deleted_changes_nothing(site, emma):
    action = {"action": "withdraw", "_selected_action": emma.pk}

    response = answer_beside(User.objects.get().delete, lambda: site.post(BOOKS, action))

    assert told(response) == [FASTER]
    assert Book.objects.get().is_active


def test_book_that_staff_who_are_being_deleted_add_is_not_said_to_be_there(site):
    emma = {"title": "Emma", "author": "Jane Austen", "price": "9.50", "stock_quantity": "1"}

    response = answer_beside(User.objects.get().delete, lambda: site.post(f"{BOOKS}add/", emma))

    assert told(response) == [FASTER]
    assert not Book.objects.exists()
