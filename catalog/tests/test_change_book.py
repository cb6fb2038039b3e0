"""PUT /books/{id}"""

import json

import pytest

from catalog.exceptions import BookNotFound
from catalog.models import Book
from catalog.tests.answers import FORBIDDEN, ISBN_TAKEN, NO_BOOK, NO_GENRE, NOBODY
from catalog.tests.factories import GenreFactory

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("sent", "changed"),
    [
        ({"title": "Emma, annotated"}, {"title": "Emma, annotated"}),
        ({"author": "Austen"}, {"author": "Austen"}),
        ({"price": "11"}, {"price": "11.00"}),
        ({"isbn": "0-14-143951-3"}, {"isbn": "9780141439518"}),
        ({"isbn": None}, {"isbn": None}),
        ({"genre_id": None}, {"genre_id": None}),
        ({"description": None}, {"description": None}),
        ({"cover_image_url": None}, {"cover_image_url": None}),
        ({"publish_date": None}, {"publish_date": None}),
        ({"stock_quantity": 0}, {"stock_quantity": 0, "in_stock": False}),
        ({"in_stock": False, "id": 1000}, {}),
        ({}, {}),
    ],
)
def test_put_book_changes_only_what_is_sent(clerk, api, emma, body_of_emma, sent, changed):
    response = clerk("change_book").put(f"/books/{emma.pk}", sent)

    assert response.status_code == 200
    assert response.json() == body_of_emma | changed
    assert api.get(f"/books/{emma.pk}").json() == body_of_emma | changed


def test_put_book_into_another_genre_answers_200(owner, emma, body_of_emma):
    poetry = GenreFactory(name="Poetry")

    response = owner.put(f"/books/{emma.pk}", {"genre_id": poetry.pk})

    assert response.json() == body_of_emma | {"genre_id": poetry.pk}


def test_put_book_with_a_new_title_is_found_by_it_and_not_by_the_old(owner, emma):
    owner.put(f"/books/{emma.pk}", {"title": "Perswasion"})

    assert list(Book.objects.search("emma")) == []
    assert list(Book.objects.search("perswasion austen")) == [emma]


def test_put_book_with_its_own_isbn_is_no_conflict(owner, emma, body_of_emma):
    response = owner.put(f"/books/{emma.pk}", {"isbn": "0141439580"})

    assert response.status_code == 200
    assert response.json() == body_of_emma


def test_put_book_with_the_isbn_of_another_is_409_book_isbn_conflict(owner, emma, dracula):
    response = owner.put(f"/books/{dracula.pk}", {"isbn": "0141439580", "title": "Count Dracula"})

    dracula.refresh_from_db()
    assert response.status_code == 409
    assert response.json() == ISBN_TAKEN
    assert dracula.title == "Dracula"


@pytest.mark.parametrize("book_id", [0, 999, 10**30])
def test_put_book_that_does_not_exist_is_404_book_not_found(owner, db, book_id):
    response = owner.put(f"/books/{book_id}", {"title": "Emma"})

    assert response.status_code == 404
    assert response.json() == NO_BOOK
    assert not Book.objects.exists()


def test_put_nothing_to_a_book_that_does_not_exist_is_404(owner, db):
    response = owner.put("/books/999", {})

    assert response.status_code == 404
    assert response.json() == NO_BOOK


def test_put_book_with_a_bad_body_is_422_even_when_it_does_not_exist(owner, db):
    response = owner.put("/books/999", {"price": "free"})

    assert response.status_code == 422
    assert response.json() == {
        "detail": '"free" is not an amount such as 12.50.',
        "code": "VALIDATION_ERROR",
        "field": "price",
        "errors": [{"field": "price", "code": "invalid", "detail": '"free" is not an amount such as 12.50.'}],
    }


@pytest.mark.parametrize("book_id", ["emma", 999])
def test_put_into_an_unknown_genre_is_422_for_a_missing_book_too(owner, emma, book_id):
    response = owner.put(f"/books/{emma.pk if book_id == 'emma' else book_id}", {"genre_id": 999})

    assert response.status_code == 422
    assert response.json() == NO_GENRE


@pytest.mark.parametrize("field", ["title", "author", "price", "stock_quantity"])
def test_put_book_with_null_for_what_must_be_known_is_422(owner, emma, field):
    response = owner.put(f"/books/{emma.pk}", {field: None})

    assert response.status_code == 422
    assert response.json()["errors"] == [{"field": field, "code": "null", "detail": "This field may not be null."}]


@pytest.mark.parametrize("body", ["null", "[]", '"Emma"', "7"])
def test_put_book_with_a_body_that_is_no_object_is_422(owner, emma, body):
    response = owner.generic("PUT", f"/books/{emma.pk}", body, content_type="application/json")

    assert response.status_code == 422
    assert response.json()["field"] == "body"


def test_put_book_without_a_token_is_401(api, emma):
    response = api.put(f"/books/{emma.pk}", {"price": "1.00"})

    assert response.status_code == 401
    assert response.json() == NOBODY


def test_put_book_by_a_customer_is_403_auth_forbidden(customer, emma):
    response = customer.put(f"/books/{emma.pk}", {"price": "1.00"})

    assert response.status_code == 403
    assert response.json() == FORBIDDEN


def test_put_book_by_staff_without_the_permission_is_403(clerk, emma):
    response = clerk("add_book", "delete_book").put(f"/books/{emma.pk}", {"price": "1.00"})

    assert response.status_code == 403
    assert response.json() == FORBIDDEN


def test_two_changes_of_different_fields_both_stay(emma):
    one, other = Book.objects.get(pk=emma.pk), Book.objects.get(pk=emma.pk)

    one.change(title="Emma, annotated")
    other.change(price="11.00")

    emma.refresh_from_db()
    assert (emma.title, str(emma.price)) == ("Emma, annotated", "11.00")


def test_change_of_a_deleted_book_raises_and_keeps_it_deleted(emma):
    Book.objects.filter(pk=emma.pk).delete()

    with pytest.raises(BookNotFound):
        emma.change(title="Emma again")

    assert not Book.objects.exists()


def test_put_book_with_a_price_beyond_the_column_is_422(owner, emma):
    body = json.dumps({"price": 10**20})

    response = owner.generic("PUT", f"/books/{emma.pk}", body, content_type="application/json")

    assert response.status_code == 422
