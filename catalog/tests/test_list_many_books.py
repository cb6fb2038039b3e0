"""GET /books beyond the bounds of exact counting and ranking.

The bounds are set low here; catalog/tests/test_search.py has the rules below them.
"""

import pytest
from django.db import connection

from bookstore.api import pagination
from catalog.models import Book
from catalog.search import candidates, document, frequency
from catalog.search import pages as search_pages
from catalog.search.candidates import Bounds
from catalog.tests.factories import BookFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def low_bounds(monkeypatch):
    monkeypatch.setattr(pagination, "SMALL_TABLE", 0)
    monkeypatch.setattr(pagination, "EXACT_TOTAL", 4)
    monkeypatch.setattr(candidates, "SMALL_CATALOGUE", 0)
    monkeypatch.setattr(candidates, "LARGE", Bounds(listed=100, found=4, walked=6, ranked=5))
    monkeypatch.setattr(frequency, "read", {})


@pytest.fixture
def letters(low_bounds):
    """Seven books, of which "letters" is in the title of every second, and an author's name in the others."""
    rows = [("Poems", "A. Letters"), ("Letters", "Cicero")] * 3 + [("Essays", "B. Letters")]
    books = [BookFactory(title=title, author=author) for title, author in rows]
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE books")
    return books


def pages(api, query, *, size, count):
    return [api.get(f"/books?{query}&size={size}&page={page}").json() for page in range(1, count + 1)]


@pytest.mark.postgres
@pytest.mark.parametrize("size", [1, 2, 3, 5, 10])
def test_search_over_its_bound_ranks_popular_and_exact_titles(api, letters, size):
    ids = [book.pk for book in letters]
    Book.objects.filter(pk=ids[4]).update(popularity=1)
    Book.objects.filter(pk=ids[5]).update(title="Letters from Rome")

    found = [item["id"] for page in pages(api, "q=letters", size=size, count=8) for item in page["items"]]

    # Of the five that are ranked two are exact titles; a title that begins so comes on top of what the walk found.
    assert found == [ids[1], ids[3], ids[5], ids[4], ids[0]]


@pytest.mark.postgres
@pytest.mark.parametrize("size", [1, 2, 3, 5, 10])
def test_search_beyond_its_bound_sorts_what_comes_first_in_that_order(api, letters, size):
    for price, book in enumerate(reversed(letters), start=1):
        Book.objects.filter(pk=book.pk).update(price=price)

    found = [item["id"] for page in pages(api, "q=letters&sort=price", size=size, count=8) for item in page["items"]]

    assert found == [book.pk for book in reversed(letters)][:5]


@pytest.mark.postgres
def test_search_of_frequent_words_walks_the_books_that_filters_leave(api, letters, monkeypatch):
    monkeypatch.setattr(candidates, "LARGE", candidates.LARGE._replace(listed=-1))

    found = api.get("/books?q=letters&in_stock=true&max_price=1000").json()

    assert len(found["items"]) == 5
    assert found["items"][0]["title"] == "Letters"


@pytest.mark.parametrize("size", [1, 2, 3, 5, 10])
def test_list_beyond_the_exact_total_has_every_book_once(api, letters, size):
    by_title = sorted(letters, key=lambda book: (book.title, book.pk))

    found = [item["id"] for page in pages(api, "", size=size, count=8) for item in page["items"]]

    assert found == [book.pk for book in by_title]


@pytest.mark.parametrize("query", ["", "q=letters"])
def test_total_up_to_the_bound_is_exact(api, low_bounds, query):
    BookFactory.create_batch(3, title="Letters")

    body = api.get(f"/books?{query}&size=1").json()

    assert (body["total"], body["total_is_estimate"]) == (3, False)


@pytest.mark.postgres
def test_total_beyond_the_bound_is_an_estimate_and_says_so(api, letters):
    body = api.get("/books?size=1").json()

    assert (body["total"], body["total_is_estimate"]) == (7, True)


@pytest.mark.postgres
def test_total_of_a_search_beyond_the_bound_is_at_least_what_was_seen(api, letters):
    body = api.get("/books?q=letters&size=1").json()

    assert body["total_is_estimate"]
    assert 4 <= body["total"] <= 7


@pytest.mark.postgres
@pytest.mark.parametrize("query", ["", "sort=price"])
def test_total_on_the_last_page_is_exact_whatever_was_estimated(api, letters, query):
    Book.objects.filter(pk=letters[-1].pk).update(is_active=False)

    body = api.get(f"/books?{query}&size=5&page=2").json()

    assert (len(body["items"]), body["total"], body["total_is_estimate"]) == (1, 6, False)


@pytest.mark.postgres
def test_total_of_a_walk_that_left_books_out_stays_an_estimate(api, letters):
    last, past = pages(api, "q=letters", size=4, count=3)[1:]

    assert [(len(body["items"]), body["total_is_estimate"]) for body in (last, past)] == [(1, True), (0, True)]
    assert last["total"] == past["total"] >= 5


@pytest.mark.postgres
@pytest.mark.parametrize("query", ["q=letters", "q=letters&max_price=1000", "q=letters&sort=price"])
def test_total_of_a_walk_of_all_books_is_exact_on_the_last_page(api, letters, monkeypatch, query):
    monkeypatch.setattr(candidates, "LARGE", Bounds(listed=100, found=4, walked=7, ranked=10))

    last = pages(api, query, size=5, count=2)[1]

    assert (len(last["items"]), last["total"], last["total_is_estimate"]) == (2, 7, False)


@pytest.mark.postgres
def test_total_of_the_first_digits_of_many_isbns_is_an_estimate(api, db, monkeypatch):
    monkeypatch.setattr(search_pages, "OF_ISBN", 2)
    for isbn in ("9780141439587", "9780141439686", "9780141439846"):
        BookFactory(isbn=isbn)

    body = api.get("/books?q=97801414").json()

    assert (len(body["items"]), body["total"], body["total_is_estimate"]) == (2, 2, True)


@pytest.mark.postgres
def test_total_is_never_less_than_what_is_on_the_page(api, low_bounds):
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE books")  # of an empty table
    BookFactory.create_batch(9)

    body = api.get("/books?size=8").json()

    assert len(body["items"]) == 8
    assert body["total"] >= 8


@pytest.mark.postgres
@pytest.mark.parametrize(("query", "queries"), [("", 3), ("q=letters", 3), ("q=letters&page=9", 3)])
def test_an_estimate_costs_a_query_more(api, letters, django_assert_num_queries, query, queries):
    with django_assert_num_queries(queries):
        api.get(f"/books?{query}&size=3")


@pytest.fixture
def many_authors(letters, monkeypatch):
    """The same books, in a table that counts as large, and a name that counts as frequent."""
    for module in (document, search_pages):
        monkeypatch.setattr(module, "SMALL_CATALOGUE", 0)
    monkeypatch.setattr(search_pages, "READ_ALONE", 0)
    monkeypatch.setattr(search_pages, "AUTHORS_WALKED", 3)
    monkeypatch.setattr(search_pages, "FOR_EACH_EARLIER", 1)
    return letters


@pytest.mark.postgres
def test_page_of_a_frequent_author_reads_the_first_books_in_order(api, many_authors, monkeypatch):
    monkeypatch.setattr(search_pages, "LISTED", 0)

    found = [[item["title"] for item in page["items"]] for page in pages(api, "author=letters", size=2, count=2)]

    # Three more than the pages up to this one have: of the first five books two are the author's, of seven four.
    assert found == [["Essays", "Poems"], ["Poems", "Poems"]]


@pytest.mark.postgres
def test_page_of_a_frequent_author_reads_no_further_than_the_bound(api, many_authors, monkeypatch):
    monkeypatch.setattr(search_pages, "LISTED", 0)
    monkeypatch.setattr(search_pages, "AUTHORS_WALKED_AT_MOST", 4)

    found = [[item["title"] for item in page["items"]] for page in pages(api, "author=letters", size=2, count=2)]

    assert found == [["Essays"], []]


@pytest.mark.postgres
@pytest.mark.parametrize("query", ["author=letters", "author=letters&max_price=1000"])
def test_page_of_an_author_is_filled_by_the_index(api, many_authors, query):
    found = [[item["title"] for item in page["items"]] for page in pages(api, query, size=3, count=2)]

    assert found == [["Essays", "Poems", "Poems"], ["Poems"]]


@pytest.mark.postgres
def test_page_of_an_author_whom_nobody_knows_is_empty(api, many_authors):
    body = api.get("/books?author=zuleika").json()

    assert (body["items"], body["total"], body["total_is_estimate"]) == ([], 0, False)


def test_a_page_far_past_the_end_is_empty(api, letters):
    body = api.get("/books?page=1000&size=100").json()

    assert body["items"] == []
    assert body["total"] == 7 or body["total_is_estimate"]


@pytest.mark.parametrize("query", ["", "q=letters", "author=letters", "sort=date&in_stock=true", "q=zz"])
@pytest.mark.parametrize("page", [2**63 - 1, 2**63, 10**24])
def test_a_page_beyond_every_number_of_the_database_is_empty(api, letters, query, page):
    for size in (1, 100):
        response = api.get(f"/books?{query}&page={page}&size={size}")

        assert response.status_code == 200
        assert (response.json()["items"], response.json()["page"], response.json()["size"]) == ([], page, size)


@pytest.mark.postgres
def test_a_deep_page_of_the_books_on_sale_reads_the_index_only(db):
    Book.objects.bulk_create(BookFactory.build_batch(3000))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE books")
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_sort = off")

    plan = Book.objects.on_sale().sorted_by("title").values("pk")[2000:2020].explain()

    assert "Index Only Scan using ix_books_by_title" in plan


@pytest.fixture
def small_catalogue(letters, monkeypatch):
    """The same books, in a table that counts as small."""
    monkeypatch.setattr(pagination, "SMALL_TABLE", 8)
    monkeypatch.setattr(candidates, "SMALL_CATALOGUE", 8)
    return letters


@pytest.mark.parametrize("query", ["", "q=letters", "sort=price"])
def test_total_of_a_small_catalogue_is_exact_beyond_the_bound(api, small_catalogue, query):
    body = api.get(f"/books?{query}&size=1").json()

    assert (body["total"], body["total_is_estimate"]) == (7, False)


@pytest.mark.parametrize("size", [1, 2, 3, 5, 10])
def test_search_of_a_small_catalogue_has_every_book_once(api, small_catalogue, size):
    ids = [book.pk for book in small_catalogue]

    found = [item["id"] for page in pages(api, "q=letters", size=size, count=8) for item in page["items"]]

    assert found == [ids[1], ids[3], ids[5], ids[0], ids[2], ids[4], ids[6]]
