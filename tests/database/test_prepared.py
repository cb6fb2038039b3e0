"""A prepared query returns the same rows as the ORM, on every database."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.db import connection
from django.db.models import F

from bookstore.accounts.models import User
from bookstore.accounts.tests.factories import UserFactory
from bookstore.fastpath.compiled import Prepared

pytestmark = pytest.mark.django_db

JOINED = Prepared(
    lambda value: (
        User.objects.filter(pk__gte=value("first"), is_active=True)
        .exclude(email=value("email"))
        .order_by("-pk")
        .values_list("pk", "email", "date_joined", "is_staff")
    )
)


def test_rows_equal_those_of_the_orm():
    alice, bob, carol = [UserFactory(email=f"{name}@example.com") for name in ("alice", "bob", "carol")]
    User.objects.filter(pk=carol.pk).update(date_joined=datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC))

    rows = JOINED.rows(first=alice.pk, email="bob@example.com")

    assert rows == list(JOINED.queryset(first=alice.pk, email="bob@example.com"))
    assert [row[0] for row in rows] == [carol.pk, alice.pk]
    assert bob.pk not in rows[0]


def test_rows_cost_one_statement_and_the_query_is_compiled_once(django_assert_num_queries):
    JOINED.rows(first=0, email="x")
    compiled = JOINED.on("default")

    with django_assert_num_queries(1):
        JOINED.rows(first=1, email="y")

    assert JOINED.on("default") is compiled


def test_rows_have_the_fields_types_where_the_database_has_others():
    query = Prepared(
        lambda value: (
            User.objects.filter(pk=value("pk"))
            .annotate(
                price=F("pk") * Decimal("1.25"),
            )
            .values_list("price", "date_joined__date")
        )
    )
    alice = UserFactory()

    [(price, joined)] = query.rows(pk=alice.pk)

    assert (price, joined) == query.queryset(pk=alice.pk).get()
    assert isinstance(joined, date)


def test_rows_of_no_match_are_none():
    assert JOINED.rows(first=2**63 - 1, email="x") == []


@pytest.mark.postgres
def test_named_gives_the_same_query_for_a_statement_by_hand():
    alice, _ = UserFactory(email="alice@example.com"), UserFactory(email="bob@example.com")
    sql, constants = JOINED.on("default").named()

    statement = "WITH found AS ({query}) SELECT email FROM found".replace("{query}", sql)
    with connection.cursor() as cursor:
        cursor.execute(statement, {"first": 0, "email": "bob@example.com", **constants})
        found = cursor.fetchall()

    assert found == [(alice.email,)]
