"""A migration changes the result type of prepared statements, while a server serves.

PostgreSQL refuses each of them from then on: "cached plan must not change result type".
"""

import pytest
from django.apps import apps
from django.db import NotSupportedError, connection, transaction

from bookstore.accounts.models import User
from bookstore.api.errors import ServiceUnavailable, as_api_error
from bookstore.database import is_outdated, retrying
from bookstore.fastpath import libpq as quick
from tests.support.client import Client
from tests.support.server import running_server

pytestmark = [pytest.mark.postgres, pytest.mark.own_session, pytest.mark.django_db(transaction=True)]

SQL = "SELECT label FROM shelves WHERE id = %s"
RUNS = 8  # psycopg prepares what it has run some times


def by_cursor(sql, parameters=()):
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchall() if cursor.description else []


@pytest.fixture
def shelves():
    connection.close()
    by_cursor("CREATE TABLE shelves (id int, label varchar(10))")
    by_cursor("INSERT INTO shelves VALUES (1, 'Gothic')")
    yield
    connection.close()
    by_cursor("DROP TABLE shelves")


def alter(table, column, to):
    """Over another connection, as a migration does."""
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute(f"ALTER TABLE {table} ALTER COLUMN {column} TYPE {to}")
    finally:
        other.close()


@pytest.mark.parametrize("ask", [by_cursor, lambda *args: quick.rows(connection, *args)], ids=["psycopg", "quick"])
def test_a_statement_is_prepared_again_for_each_new_result_type(shelves, ask):
    answers = []

    for width in (20, 30, 40):
        answers += [ask(SQL, [1]) for _ in range(RUNS)]
        alter("shelves", "label", f"varchar({width})")
        answers.append(ask(SQL, [1]))

    assert answers == [[("Gothic",)]] * (3 * RUNS + 3)


def test_an_outdated_statement_retries_its_whole_transaction(shelves):
    @retrying
    def verb():
        with transaction.atomic():
            by_cursor("UPDATE shelves SET id = id")
            return by_cursor(SQL, [1])

    for _ in range(RUNS):
        verb()
    alter("shelves", "label", "varchar(20)")

    assert verb() == [("Gothic",)]


def test_outdated_statement_in_an_outer_transaction_is_503_once(shelves):
    for _ in range(RUNS):
        by_cursor(SQL, [1])
    alter("shelves", "label", "varchar(20)")

    with pytest.raises(NotSupportedError) as caught, transaction.atomic():
        by_cursor(SQL, [1])

    assert is_outdated(caught.value)
    assert isinstance(as_api_error(caught.value), ServiceUnavailable)
    with transaction.atomic():
        assert by_cursor(SQL, [1]) == [("Gothic",)]


@pytest.mark.parametrize("ask", [by_cursor, lambda *args: quick.rows(connection, *args)], ids=["psycopg", "quick"])
def test_unsupported_sql_is_not_an_outdated_statement(ask):
    with pytest.raises(NotSupportedError) as caught:
        ask("SELECT id FROM genres WHERE id = %s GROUP BY id FOR UPDATE", [1])

    assert not is_outdated(caught.value)


COLUMNS = [
    ("books", "title", "varchar(600)", "varchar(500)"),
    ("books", "cover_image_url", "varchar(3000)", "varchar(2000)"),
    ("users", "email", "varchar(300)", "varchar(254)"),
    ("genres", "name", "varchar(200)", "varchar(100)"),
]


@pytest.mark.slow
def test_the_server_serves_on_while_columns_are_widened():
    """Every call that answers the column, warm on every connection of the worker."""
    book = apps.get_model("catalog", "Book").objects.create(
        title="Dracula", author="Bram Stoker", price="9.50", stock_quantity=5
    )
    calls = []

    with running_server(workers=1, AUTH_THROTTLE_RATE="off") as port, Client(port) as client:
        credentials = {"email": "carol@example.com", "password": "correct horse battery"}
        token = client("POST", "/auth/register", credentials).body["access_token"]
        User.objects.update(is_staff=True, is_superuser=True)
        client.headers["Authorization"] = f"Bearer {token}"
        line = client("POST", "/cart/items", {"book_id": book.pk}).body["id"]

        def round_of_calls():
            return [
                client("GET", "/books").status,
                client("GET", "/books?q=drac").status,
                client("GET", f"/books/{book.pk}").status,
                client("GET", "/genres").status,
                client("GET", "/cart").status,
                client("PUT", f"/cart/items/{line}", {"quantity": 2}).status,
                client("POST", "/cart/merge", {"items": [{"book_id": book.pk}]}).status,
                client("PATCH", f"/books/{book.pk}/stock", {"quantity": 7}).status,
                client("PUT", f"/books/{book.pk}", {"description": "A count."}).status,
                client("POST", "/auth/login", credentials).status,
            ]

        try:
            for _ in range(RUNS):
                round_of_calls()
            for table, column, wider, _ in COLUMNS:
                alter(table, column, wider)
                calls += [round_of_calls() for _ in range(3)]
        finally:
            for table, column, _, usual in COLUMNS:
                alter(table, column, usual)

    assert calls == [[200] * 10] * (3 * len(COLUMNS))
