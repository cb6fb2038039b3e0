"""POST /books"""

import json

import pytest

from catalog.models import Book
from catalog.tests.answers import ANY_TIME, FORBIDDEN, ISBN_TAKEN, NO_GENRE, NOBODY
from catalog.tests.factories import BookFactory

pytestmark = pytest.mark.django_db

EMMA = {"title": "Emma", "author": "Jane Austen", "price": "9.50"}


def test_post_book_with_everything_answers_201_with_the_book(clerk, novel):
    sent = {
        "title": "  Emma ",
        "author": "Jane Austen",
        "price": "9.50",
        "isbn": "0-14-143958-0",
        "genre_id": novel.pk,
        "description": "A clever young woman meddles.",
        "cover_image_url": "https://covers.example/emma.jpg",
        "publish_date": "1815-12-23",
        "stock_quantity": "5",
    }

    response = clerk("add_book").post("/books", sent)

    assert response.status_code == 201
    assert response.json() == {
        "id": Book.objects.get().pk,
        "title": "Emma",
        "author": "Jane Austen",
        "price": "9.50",
        "currency": "USD",
        "isbn": "9780141439587",
        "genre_id": novel.pk,
        "description": "A clever young woman meddles.",
        "cover_image_url": "https://covers.example/emma.jpg",
        "publish_date": "1815-12-23",
        "stock_quantity": 5,
        "in_stock": True,
        "is_active": True,
        "popularity": 0,
        "created_at": ANY_TIME,
        "updated_at": ANY_TIME,
    }


def test_post_book_with_the_least_answers_201_and_the_rest_is_null(owner, api):
    response = owner.post("/books", {"title": "Emma", "author": "Jane Austen", "price": 10})

    book = Book.objects.get()
    assert response.status_code == 201
    assert response.json() == {
        "id": book.pk,
        "title": "Emma",
        "author": "Jane Austen",
        "price": "10.00",
        "currency": "USD",
        "isbn": None,
        "genre_id": None,
        "description": None,
        "cover_image_url": None,
        "publish_date": None,
        "stock_quantity": 0,
        "in_stock": False,
        "is_active": True,
        "popularity": 0,
        "created_at": ANY_TIME,
        "updated_at": ANY_TIME,
    }
    assert api.get(f"/books/{book.pk}").json() == response.json()


@pytest.mark.parametrize(
    ("sent", "answered"),
    [("10", "10.00"), ("10.5", "10.50"), ("99999999.99", "99999999.99"), ("0.01", "0.01"), (7, "7.00")],
)
def test_post_book_price_answers_with_two_places(owner, sent, answered):
    response = owner.post("/books", EMMA | {"price": sent})

    assert response.json()["price"] == answered


def test_post_book_price_as_a_json_number_is_not_rounded(owner):
    body = '{"title": "Emma", "author": "Jane Austen", "price": 19.99}'

    response = owner.generic("POST", "/books", body, content_type="application/json")

    assert response.json()["price"] == "19.99"


def test_post_book_isbn_10_of_a_known_isbn_13_is_409_conflict(owner):
    BookFactory(title="Emma", isbn="9780141439587")

    response = owner.post("/books", EMMA | {"isbn": "0 14 143958 0"})

    assert response.status_code == 409
    assert response.json() == ISBN_TAKEN
    assert Book.objects.count() == 1


def test_post_two_books_without_isbn_is_no_conflict(owner):
    owner.post("/books", EMMA | {"isbn": None})

    response = owner.post("/books", EMMA | {"isbn": None})

    assert response.status_code == 201


@pytest.mark.parametrize("genre_id", [0, 999, 10**30])
def test_post_book_of_an_unknown_genre_is_422(owner, genre_id):
    response = owner.post("/books", EMMA | {"genre_id": genre_id})

    assert response.status_code == 422
    assert response.json() == NO_GENRE
    assert not Book.objects.exists()


def test_post_book_without_a_token_is_401(api):
    response = api.post("/books", EMMA)

    assert response.status_code == 401
    assert response.json() == NOBODY


def test_post_book_by_a_customer_is_403_whatever_its_body(customer):
    response = customer.post("/books", {})

    assert response.status_code == 403
    assert response.json() == FORBIDDEN


def test_post_book_by_staff_without_the_permission_is_403(clerk):
    response = clerk("change_book", "delete_book", "add_genre").post("/books", EMMA)

    assert response.status_code == 403
    assert response.json() == FORBIDDEN


def test_post_book_names_every_fault(owner):
    response = owner.post("/books", {"title": " ", "price": "0"})

    assert response.status_code == 422
    assert response.json() == {
        "detail": "This field may not be blank.",
        "code": "VALIDATION_ERROR",
        "field": "title",
        "errors": [
            {"field": "title", "code": "blank", "detail": "This field may not be blank."},
            {"field": "author", "code": "required", "detail": "This field is required."},
            {
                "field": "price",
                "code": "min_value",
                "detail": "0.00 is too small: send at least 0.01.",
            },
        ],
    }


BAD = [
    *(("title", value) for value in (None, "", "   ", "E" * 501, 7, True, ["Emma"], "Em\0ma", "Em\ud800ma")),
    *(("author", value) for value in (None, "", "A" * 256, 7)),
    *(("price", value) for value in (None, "", "0", 0, -1, "-0.01", "9.999", 9.999, True, "NaN", "Infinity", "1e2")),
    *(("price", value) for value in ("١٢", " 9.50 ", "1_0", "9,50", "100000000", 10**30, "1" * 2000, [], "9.")),
    *(("isbn", value) for value in ("", "9780141439588", "0141439581", "014143958", "x", "9780141439587" * 2, 7)),
    *(("isbn", value) for value in ("٩٧٨٠١٤١٤٣٩٥٨٧", "９７８０１４１４３９５８７", "9770141439580", 9780141439587)),
    *(("genre_id", value) for value in ("x", 1.5, True, "1.0", " 1 ", "١", "", [])),
    *(("description", value) for value in (7, "a\0b", {})),
    *(("cover_image_url", value) for value in ("", "emma.jpg", "javascript:alert(1)", "ftp://a.example/e.jpg", 7)),
    ("cover_image_url", "https://covers.example/" + "e" * 2048),
    *(("publish_date", value) for value in ("", "1815", "23.12.1815", "1815-02-30", "0000-01-01", "10000-01-01")),
    *(("publish_date", value) for value in ("18151223", "1815-W51-6", "1815-12-23T00:00:00Z", "١٨١٥-١٢-٢٣", 1815)),
    *(("popularity", value) for value in (None, -1, "x", 1.5, True, 2**31)),
    *(("stock_quantity", value) for value in (None, -1, "x", 1.5, True, "1.0", " 1 ", "١", 2**31, 10**30)),
]


@pytest.mark.parametrize(("field", "value"), BAD)
def test_post_book_with_a_bad_field_is_422_and_names_it(owner, field, value):
    body = json.dumps(EMMA | {field: value})

    response = owner.generic("POST", "/books", body, content_type="application/json")

    assert response.status_code == 422
    assert response.json()["code"] == "VALIDATION_ERROR"
    assert {fault["field"] for fault in response.json()["errors"]} == {field}
    assert not Book.objects.exists()


@pytest.mark.parametrize("price", ["NaN", "Infinity"])
def test_post_book_with_a_price_that_is_no_json_is_400(owner, price):
    body = f'{{"title": "Emma", "author": "Jane Austen", "price": {price}}}'

    response = owner.generic("POST", "/books", body, content_type="application/json")

    assert response.status_code == 400
    assert response.json()["code"] == "PARSE_ERROR"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", "Ł" * 500),
        ("author", "ﷺ" * 255),
        ("title", "﷽" * 500),
        ("title", "!?"),
        ("price", "12345678.90"),
        ("isbn", "978\u20110\u201114\u2011143958\u20117"),
        ("publish_date", "0001-01-01"),
        ("publish_date", "9999-12-31"),
        ("stock_quantity", 2**31 - 1),
        ("description", ""),
        ("cover_image_url", "http://covers.example/émma.jpg?x=1"),
    ],
)
def test_post_book_at_the_bound_of_a_field_is_201(owner, field, value):
    response = owner.post("/books", EMMA | {field: value})

    assert response.status_code == 201
