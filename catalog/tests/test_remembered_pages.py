"""GET /books asked for again: one statement, and never an answer that was."""

from datetime import UTC, date, datetime

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from bookstore.api import pagination
from catalog import reading
from catalog.models import Book, CatalogueState
from catalog.tests.factories import BookFactory, GenreFactory

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]

QUERIES = (
    "",
    "sort=price",
    "sort=date&sort_dir=desc",
    "sort=created_at",
    "in_stock=true",
    "max_price=10",
    "author=jane",
    "q=emma",
    "count=none",
)


@pytest.fixture(autouse=True)
def nothing_remembered():
    reading.pages.clear()
    reading.totals.clear()


@pytest.fixture
def shelf(emma, dracula):
    """Three books that differ in all that lists are filtered and sorted by."""
    day = datetime(2026, 1, 1, tzinfo=UTC)
    Book.objects.filter(pk=emma.pk).update(created_at=day)
    kim = BookFactory(title="Kim", author="Rudyard Kipling", price="7.00", publish_date=date(1901, 10, 1))
    return {"emma": emma.pk, "dracula": dracula.pk, "kim": kim.pk}


def asked(api, query):
    """The answer and the number of statements that it cost."""
    with CaptureQueriesContext(connection) as queries:
        response = api.get(f"/books?{query}")
    assert response.status_code == 200, response.content
    return response.json(), len(queries)


@pytest.mark.parametrize(
    ("query", "first"), [("", 2), ("sort=price&in_stock=true", 2), ("author=jane", 2), ("count=none", 1)]
)
def test_page_asked_for_again_costs_one_statement(api, shelf, query, first):
    answers = [asked(api, query) for _ in range(3)]

    assert [statements for _, statements in answers] == [first, 1, 1]
    assert answers[0][0] == answers[1][0] == answers[2][0]


def test_search_costs_two_statements_and_one_when_asked_for_again(api, shelf):
    answers = [asked(api, "q=emma") for _ in range(3)]

    assert [statements for _, statements in answers] == [2, 1, 1]
    assert answers[0][0] == answers[1][0] == answers[2][0]


def test_next_page_of_the_same_books_is_not_counted_again(api, shelf):
    first, _ = asked(api, "size=1")
    second, statements = asked(api, "size=1&page=2")

    assert statements == 1
    assert (first["total"], second["total"]) == (3, 3)
    assert [item["title"] for item in first["items"] + second["items"]] == ["Dracula", "Emma"]


def test_page_of_a_large_catalogue_costs_3_statements_then_1(api, shelf, monkeypatch):
    monkeypatch.setattr(pagination, "SMALL_TABLE", 0)
    monkeypatch.setattr(pagination, "EXACT_TOTAL", 2)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE books")

    answers = [asked(api, "size=2") for _ in range(2)]

    assert [statements for _, statements in answers] == [3, 1]
    assert answers[0][0] == answers[1][0]
    assert (answers[0][0]["total"], answers[0][0]["total_is_estimate"]) == (3, True)


def test_a_book_costs_one_statement(api, shelf):
    with CaptureQueriesContext(connection) as queries:
        api.get(f"/books/{shelf['emma']}")

    assert len(queries) == 1


def by_sql(statement):
    def change(shelf):
        with connection.cursor() as cursor:
            cursor.execute(statement, shelf)

    return change


CHANGES = {
    "title": lambda shelf: Book.objects.filter(pk=shelf["emma"]).update(title="Zuleika"),
    "author": lambda shelf: Book.objects.filter(pk=shelf["emma"]).update(author="Max Beerbohm"),
    "price": lambda shelf: Book.objects.filter(pk=shelf["emma"]).update(price="99.00"),
    "genre": lambda shelf: Book.objects.filter(pk=shelf["emma"]).update(genre=GenreFactory()),
    "isbn": lambda shelf: Book.objects.filter(pk=shelf["emma"]).update(isbn=None),
    "publish date": lambda shelf: Book.objects.filter(pk=shelf["emma"]).update(publish_date=None),
    "moment of adding": lambda shelf: Book.objects.filter(pk=shelf["emma"]).update(created_at=datetime.now(UTC)),
    "withdrawn": lambda shelf: Book.objects.filter(pk=shelf["emma"]).update(is_active=False),
    "sold out": lambda shelf: Book.objects.filter(pk=shelf["emma"]).update(stock_quantity=0),
    "fewer copies": lambda shelf: Book.objects.filter(pk=shelf["emma"]).update(stock_quantity=1),
    "description": lambda shelf: Book.objects.filter(pk=shelf["emma"]).update(description="Another."),
    "cover": lambda shelf: Book.objects.filter(pk=shelf["emma"]).update(cover_image_url=None),
    "added": lambda shelf: BookFactory(title="Emma Brown", author="Jane Doe", price="1.00"),
    "deleted": lambda shelf: Book.objects.get(pk=shelf["emma"]).delete(),
    "added by SQL": by_sql(
        "INSERT INTO books (title, author, price, title_folded, author_folded)"
        " VALUES ('Emma Brown', 'Jane Doe', 1, 'emma brown', 'jane doe')"
    ),
    "changed by SQL": by_sql("UPDATE books SET price = 3 WHERE id = %(emma)s"),
    "emptied by SQL": by_sql("TRUNCATE books CASCADE"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_remembered_page_is_what_a_worker_without_memory_answers(api, shelf, novel, change):
    queries = [*QUERIES, f"genre_id={novel.pk}"]
    for query in queries:
        asked(api, query)

    change(shelf)

    remembering = {query: asked(api, query)[0] for query in queries}
    reading.pages.clear()
    reading.totals.clear()
    assert remembering == {query: asked(api, query)[0] for query in queries}


def test_change_of_what_no_list_depends_on_leaves_pages_remembered(api, shelf):
    asked(api, "")

    Book.objects.filter(pk=shelf["emma"]).update(stock_quantity=1, description="Another.")
    page, statements = asked(api, "")

    assert statements == 1
    assert [item["stock_quantity"] for item in page["items"] if item["title"] == "Emma"] == [1]


def test_change_that_is_not_committed_is_not_seen(api, shelf):
    before, _ = asked(api, "")
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute("UPDATE books SET price = 1 WHERE id = %s", [shelf["emma"]])
            meanwhile, _ = asked(api, "")
            cursor.execute("ROLLBACK")
    finally:
        other.close()
    after, statements = asked(api, "")

    assert before == meanwhile == after
    assert statements == 1


def test_nothing_is_remembered_in_a_transaction(api, shelf):
    with transaction.atomic():
        asked(api, "")
        BookFactory(title="Beowulf")
        inside, _ = asked(api, "")
        transaction.set_rollback(True)
    after, _ = asked(api, "")

    assert (inside["total"], after["total"]) == (4, 3)


def test_stamp_changes_once_a_transaction_and_never_repeats(shelf):
    stamps = [CatalogueState.objects.get().stamp]
    for price in ("1.00", "2.00", "1.00"):
        with transaction.atomic():
            Book.objects.update(price=price)
            Book.objects.filter(pk=shelf["kim"]).update(title=f"Kim for {price}")
        stamps.append(CatalogueState.objects.get().stamp)

    assert len(set(stamps)) == 4


def test_without_the_row_of_the_stamp_every_page_is_looked_for(api, shelf):
    CatalogueState.objects.all().delete()

    answers = [asked(api, "") for _ in range(2)]

    assert [statements for _, statements in answers] == [2, 2]
    assert answers[0][0] == answers[1][0]


@pytest.mark.parametrize(
    "query", [*QUERIES, "page=2&size=1", "page=99", "genre_id=999999999999999999999", "min_price=9"]
)
def test_both_ways_answer_the_same_bytes(api, shelf, monkeypatch, query):
    fast = api.get(f"/books?{query}")
    monkeypatch.setattr(reading, "is_possible", lambda: False)
    plain = api.get(f"/books?{query}")

    assert fast.content == plain.content
    assert fast.headers["ETag"] == plain.headers["ETag"]
