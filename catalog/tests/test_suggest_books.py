"""GET /books/suggest"""

import pytest

from catalog.search import suggestions as suggestions_of
from catalog.tests.factories import BookFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def shelf(db):
    rows = [
        ("Austerlitz", "W. G. Sebald", 0),
        ("Emma", "Jane Austen", 5),
        ("Persuasion", "Jane Austen", 3),
        ("The New York Trilogy", "Paul Auster", 4),
        ("Dracula", "Bram Stoker", 9),
    ]
    return {title: BookFactory(title=title, author=author, popularity=number) for title, author, number in rows}


def suggestions(api, **sent):
    response = api.get("/books/suggest", sent)
    assert response.status_code == 200, response.json()
    return response.json()["items"]


def test_suggest_offers_titles_then_authors_of_what_was_typed(api, shelf):
    found = suggestions(api, q="aus")

    assert found == [
        {"kind": "title", "text": "Austerlitz", "book_id": shelf["Austerlitz"].pk, "author": "W. G. Sebald"},
        {"kind": "title", "text": "Emma", "book_id": shelf["Emma"].pk, "author": "Jane Austen"},
        {
            "kind": "title",
            "text": "The New York Trilogy",
            "book_id": shelf["The New York Trilogy"].pk,
            "author": "Paul Auster",
        },
        {"kind": "title", "text": "Persuasion", "book_id": shelf["Persuasion"].pk, "author": "Jane Austen"},
        {"kind": "author", "text": "Jane Austen"},
        {"kind": "author", "text": "Paul Auster"},
    ]


def test_suggest_offers_at_most_so_many_with_room_for_authors(api, shelf):
    found = suggestions(api, q="aus", limit=3)

    assert [(each["kind"], each["text"]) for each in found] == [
        ("title", "Austerlitz"),
        ("title", "Emma"),
        ("author", "Jane Austen"),
    ]


@pytest.mark.parametrize("text", ["9780141439587", "978-0-14-143958-7", "0141439580", "97801414"])
def test_suggest_offers_the_book_of_an_isbn(api, emma, dracula, text):
    found = suggestions(api, q=text)

    assert found == [{"kind": "isbn", "text": "9780141439587", "book_id": emma.pk, "author": "Jane Austen"}]


def test_suggest_offers_no_withdrawn_book(api, shelf):
    shelf["Dracula"].change(is_active=False)

    assert suggestions(api, q="drac") == []
    assert suggestions(api, q="stoker") == []


def test_suggest_offers_one_title_once(api, db):
    BookFactory.create_batch(3, title="Emma", author="Jane Austen")

    assert len(suggestions(api, q="emma")) == 1


@pytest.mark.parametrize("text", ["", " ", "!?", "zzz"])
def test_suggest_offers_nothing_for_what_has_no_match(api, shelf, text):
    assert suggestions(api, q=text) == []


@pytest.mark.parametrize(("field", "value"), [("limit", "0"), ("limit", "21"), ("limit", "x"), ("q", "a" * 201)])
def test_suggest_with_a_bad_parameter_is_422_and_names_it(api, db, field, value):
    response = api.get("/books/suggest", {"q": "a", field: value})

    assert response.status_code == 422
    assert response.json()["field"] == field


def test_suggest_without_q_is_422_and_names_it(api, db):
    response = api.get("/books/suggest")

    assert response.status_code == 422
    assert response.json()["field"] == "q"


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer nonsense"}, {"Cookie": "sessionid=abc"}])
def test_suggest_is_cached_for_a_minute_whoever_asks(api, shelf, headers):
    first = api.get("/books/suggest?q=aus", headers=headers)
    again = api.get("/books/suggest?q=aus", headers={"If-None-Match": first["ETag"], **headers})

    kept = "public, max-age=60, stale-while-revalidate=1, stale-if-error=86400"
    assert (first["Cache-Control"], first["Vary"], first["X-Accel-Expires"]) == (kept, "origin", "58")
    assert (again.status_code, again["Cache-Control"]) == (304, kept)


@pytest.mark.postgres
def test_suggest_of_a_frequent_word_walks_the_popular_books(api, shelf, monkeypatch):
    monkeypatch.setattr(suggestions_of, "BOUNDS", suggestions_of.BOUNDS._replace(listed=-1))

    found = suggestions(api, q="aus", limit=2)

    assert [each["text"] for each in found] == ["Austerlitz", "Jane Austen"]
