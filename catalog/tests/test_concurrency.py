"""Writes at the same moment, through the whole API, on connections of their own."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import IntegrityError, connection
from rest_framework.test import APIClient

from bookstore.accounts import tokens
from bookstore.accounts.models import LoginSession
from bookstore.accounts.tests.factories import SuperuserFactory
from catalog.models import Book, Genre
from catalog.tests.factories import BookFactory, GenreFactory

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]

ROUNDS = 10
EMMA = {"title": "Emma", "author": "Jane Austen", "price": "9.50"}


@pytest.fixture
def bearer():
    session = LoginSession.objects.begin(SuperuserFactory(email="olga@example.com"))
    return f"Bearer {tokens.issue(session)['access_token']}"


def at_once(*calls):
    """The answers of these calls, which all begin at the same moment."""
    barrier = Barrier(len(calls))

    def run(call):
        try:
            barrier.wait(timeout=10)
            return call()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def request(bearer, method, path, body=None):
    client = APIClient(raise_request_exception=False)
    client.credentials(HTTP_AUTHORIZATION=bearer)
    return lambda: getattr(client, method)(path, body)


def statuses(responses):
    return sorted(response.status_code for response in responses)


def test_one_isbn_added_at_once_makes_one_book(bearer):
    for _ in range(ROUNDS):
        Book.objects.all().delete()
        forms = ["9780141439587", "0141439580"] * 4

        answers = at_once(*(request(bearer, "post", "/books", EMMA | {"isbn": isbn}) for isbn in forms))

        assert statuses(answers) == [201] + [409] * 7
        assert Book.objects.count() == 1


def test_one_genre_added_at_once_makes_one_genre(bearer):
    for _ in range(ROUNDS):
        Genre.objects.all().delete()
        names = ["Poésie", "POESIE"] * 4

        answers = at_once(*(request(bearer, "post", "/genres", {"name": name}) for name in names))

        assert statuses(answers) == [201] + [409] * 7
        assert Genre.objects.count() == 1


def test_one_book_deleted_at_once_goes_once(bearer):
    for _ in range(ROUNDS):
        book = BookFactory()

        answers = at_once(*(request(bearer, "delete", f"/books/{book.pk}") for _ in range(4)))

        assert statuses(answers) == [204, 404, 404, 404]


def test_put_and_patch_against_delete_never_bring_a_book_back(bearer):
    for _ in range(ROUNDS):
        book = BookFactory()
        path = f"/books/{book.pk}"

        answers = at_once(
            request(bearer, "put", path, {"title": "Emma", "isbn": "9780141439587"}),
            request(bearer, "patch", f"{path}/stock", {"quantity": 3}),
            request(bearer, "delete", path),
            request(bearer, "put", path, {"price": "1.00"}),
        )

        assert [answer.status_code for answer in answers if answer.status_code not in {200, 404}] == [204]
        assert not Book.objects.exists()


def test_puts_of_different_fields_at_once_both_stay(bearer):
    for _ in range(ROUNDS):
        book = BookFactory(title="Emma", price="9.50")
        path = f"/books/{book.pk}"

        answers = at_once(
            request(bearer, "put", path, {"title": "Emma, annotated"}),
            request(bearer, "put", path, {"price": "1.00"}),
            request(bearer, "patch", f"{path}/stock", {"quantity": 77}),
        )

        book.refresh_from_db()
        assert statuses(answers) == [200, 200, 200]
        assert (book.title, str(book.price), book.stock_quantity) == ("Emma, annotated", "1.00", 77)
        assert list(Book.objects.search("annotated")) == [book]
        book.remove()


def test_book_put_into_a_genre_that_vanishes_is_201_or_422(bearer):
    for _ in range(ROUNDS):
        genre = GenreFactory()

        def delete_genre(pk=genre.pk):
            return Genre.objects.filter(pk=pk)._raw_delete("default")

        added, changed, _ = at_once(
            request(bearer, "post", "/books", EMMA | {"genre_id": genre.pk}),
            request(bearer, "put", f"/books/{BookFactory().pk}", {"genre_id": genre.pk}),
            lambda: swallow(delete_genre),
        )

        assert added.status_code in {201, 422}
        assert changed.status_code in {200, 422}
        assert not Book.objects.exclude(genre=None).exclude(genre__in=Genre.objects.all()).exists()


def swallow(delete):
    """A deletion that comes too late is refused by the foreign key: that is the other right outcome."""
    try:
        return delete()
    except IntegrityError:
        return 0
