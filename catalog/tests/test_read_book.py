"""GET /books/{id}"""

import pytest

from catalog.tests.answers import NO_BOOK

pytestmark = pytest.mark.django_db


def test_get_book_answers_200_with_the_book(api, emma, body_of_emma, django_assert_num_queries):
    with django_assert_num_queries(1):
        response = api.get(f"/books/{emma.pk}")

    assert response.status_code == 200
    assert response.json() == body_of_emma


def test_get_book_with_a_bad_token_is_read_all_the_same(api, emma, body_of_emma):
    response = api.get(f"/books/{emma.pk}", headers={"Authorization": "Bearer nonsense"})

    assert response.status_code == 200
    assert response.json() == body_of_emma


def test_get_book_with_a_trailing_slash_is_served_the_same(api, emma, body_of_emma):
    response = api.get(f"/books/{emma.pk}/")

    assert response.json() == body_of_emma


@pytest.mark.parametrize("book_id", [0, 999, 2**31, 2**63, 10**30, "9" * 5000])
def test_get_book_that_does_not_exist_is_404_book_not_found(api, db, book_id):
    response = api.get(f"/books/{book_id}")

    assert response.status_code == 404
    assert response.json() == NO_BOOK


def test_get_book_by_digits_of_another_script_is_no_path(api, db):
    response = api.get("/books/１")

    assert response.status_code == 404
    assert response.json()["code"] == "NOT_FOUND"
