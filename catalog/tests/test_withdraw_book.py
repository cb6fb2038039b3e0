"""A withdrawn book (`is_active` false) leaves the list and the search, and can be put back."""

import pytest

from catalog.tests.factories import BookFactory

pytestmark = pytest.mark.django_db


def test_a_withdrawn_book_is_in_no_list_and_no_search(api):
    BookFactory(title="Emma")
    BookFactory(title="Emma, withdrawn", is_active=False)

    for parameters in ({}, {"q": "emma"}, {"author": "austen"}, {"sort": "price"}):
        page = api.get("/books", parameters).json()
        assert ([book["title"] for book in page["items"]], page["total"]) == (["Emma"], 1)


def test_a_withdrawn_book_is_read_by_its_id_as_withdrawn(api):
    book = BookFactory(is_active=False)

    response = api.get(f"/books/{book.pk}")

    assert response.status_code == 200
    assert response.json()["is_active"] is False


def test_staff_withdraw_a_book_and_put_it_back(api, clerk):
    book = BookFactory(title="Emma")
    client = clerk("change_book")

    withdrawn = client.put(f"/books/{book.pk}", {"is_active": False})
    total = api.get("/books").json()["total"]
    put_back = client.put(f"/books/{book.pk}", {"is_active": True})

    assert (withdrawn.status_code, withdrawn.json()["is_active"], total) == (200, False, 0)
    assert (put_back.status_code, put_back.json()["is_active"]) == (200, True)
    assert api.get("/books").json()["total"] == 1


@pytest.mark.parametrize("value", [None, 0, 1, "false", "yes", []])
def test_a_flag_that_is_no_boolean_is_422(clerk, value):
    book = BookFactory()

    response = clerk("change_book").put(f"/books/{book.pk}", {"is_active": value})

    assert response.status_code == 422
    assert response.json()["field"] == "is_active"
