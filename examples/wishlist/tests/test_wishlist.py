"""GET and POST /wishlist, the column in the admin's list of books, and the export of personal data."""

import pytest

from wishlist.models import Wish


@pytest.fixture
def customer(alice, client_for):
    return client_for(alice)


def test_post_wish_answers_201_and_get_lists_it(customer, emma):
    response = customer.post("/wishlist", {"book_id": emma.pk})

    assert response.status_code == 201
    assert customer.get("/wishlist").json() == [response.json()]
    assert response.json() == {"book_id": emma.pk, "title": "Emma", "added_at": response.json()["added_at"]}


def test_post_wish_again_is_409_wish_duplicate(customer, emma):
    customer.post("/wishlist", {"book_id": emma.pk})

    response = customer.post("/wishlist", {"book_id": emma.pk})

    assert (response.status_code, response.json()["code"]) == (409, "WISH_DUPLICATE")
    assert Wish.objects.count() == 1


def test_post_wish_for_a_withdrawn_book_is_404(customer, emma):
    emma.change(is_active=False)

    response = customer.post("/wishlist", {"book_id": emma.pk})

    assert (response.status_code, response.json()["code"]) == (404, "BOOK_NOT_FOUND")


def test_wishes_are_the_callers_own(customer, bob, client_for, emma):
    customer.post("/wishlist", {"book_id": emma.pk})

    assert client_for(bob).get("/wishlist").json() == []


def test_list_of_books_says_how_many_wish_for_each(staff, alice, bob, emma):
    Wish.objects.add(alice, emma.pk)
    Wish.objects.add(bob, emma.pk)

    page = staff.get("/admin/catalog/book/")

    assert '<td class="field-number_of_wishes">2</td>' in page.content.decode()


def test_export_of_personal_data_has_the_wishes(customer, emma):
    wish = customer.post("/wishlist", {"book_id": emma.pk}).json()

    assert customer.get("/auth/me/export").json()["wishlist"] == [wish]
