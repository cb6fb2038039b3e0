"""Concurrent writes through the API, each on its own connection."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import IntegrityError, OperationalError, connection, transaction
from rest_framework.test import APIClient

from bookstore.accounts import tokens
from bookstore.accounts.models import LoginSession
from bookstore.accounts.tests.factories import SuperuserFactory
from catalog.models import Book, Genre
from catalog.querysets import GenreQuerySet
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


@pytest.mark.parametrize("method", ["post", "put"])
def test_genre_of_a_book_that_is_being_written_cannot_vanish(bearer, monkeypatch, method):
    genre, book = GenreFactory(name="Novel"), BookFactory()
    lock = GenreQuerySet.lock_existing
    refusals = []

    def lock_while_somebody_deletes(self, genre_id):
        lock(self, genre_id)
        refusals.append(at_once(delete_at_most_briefly(genre))[0])

    monkeypatch.setattr(GenreQuerySet, "lock_existing", lock_while_somebody_deletes)
    path = "/books" if method == "post" else f"/books/{book.pk}"
    answer = request(bearer, method, path, EMMA | {"genre_id": genre.pk})()

    assert answer.status_code == (201 if method == "post" else 200)
    assert [type(refusal) for refusal in refusals] == [OperationalError]
    assert Book.objects.filter(genre=genre).count() == 1


def delete_at_most_briefly(genre):
    """Deletes the genre by SQL alone, or gives the error of waiting longer than a moment for its lock."""

    def delete():
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout = '200ms'")
                cursor.execute("DELETE FROM genres WHERE id = %s", [genre.pk])
        except (OperationalError, IntegrityError) as error:
            return error

    return delete


def test_genre_that_vanishes_before_the_book_is_written_is_422(bearer):
    for _ in range(ROUNDS):
        genre = GenreFactory()

        added, _ = at_once(
            request(bearer, "post", "/books", EMMA | {"genre_id": genre.pk}), delete_at_most_briefly(genre)
        )

        assert added.status_code in {201, 422}
        assert not Book.objects.exclude(genre=None).exclude(genre__in=Genre.objects.all()).exists()
        Book.objects.all().delete()
