"""Recognising the violated constraint on each database."""

import pytest
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db import IntegrityError, connection, transaction

from bookstore.accounts.models import LoginSession, User
from bookstore.accounts.tests.factories import UserFactory
from bookstore.database.constraints import violated

pytestmark = pytest.mark.django_db


def refusal(write) -> IntegrityError:
    with pytest.raises(IntegrityError) as raised, transaction.atomic():
        write()
    return raised.value


def test_unique_constraint_on_columns_is_recognised():
    UserFactory(email="alice@example.com")

    error = refusal(lambda: UserFactory(email="alice@example.com"))

    # PostgreSQL reports the first of the two indexes that it looks at, SQLite the last that was made.
    assert violated(error, "uq_users_email", "users.email") or violated(error, "uq_users_email_lower")
    assert not violated(error, "uq_users_emails", "users.id")


def test_unique_constraint_on_an_expression_is_recognised_by_its_name():
    alice = UserFactory(email="alice@example.com")
    UserFactory(email="bob@example.com")

    def write() -> None:
        with connection.cursor() as cursor:
            cursor.execute("UPDATE users SET email = 'BOB@example.com' WHERE id = %s", [alice.pk])

    error = refusal(write)

    assert violated(error, "uq_users_email_lower")
    assert not violated(error, "uq_users_email", "users.email")


def test_unique_constraint_on_two_columns_is_recognised_in_any_order():
    content_type = ContentType.objects.get_for_model(User)
    Permission.objects.create(content_type=content_type, codename="read_minds", name="Can read minds")
    name = "auth_permission_content_type_id_codename_01ab375a_uniq"
    columns = ("auth_permission.codename", "auth_permission.content_type_id")

    error = refusal(lambda: Permission.objects.create(content_type=content_type, codename="read_minds", name="Again"))

    assert violated(error, name, *columns)
    assert violated(error, name, *reversed(columns))
    assert not violated(error, "another_name", "auth_permission.codename")


def test_a_column_that_must_not_be_null_is_no_constraint_of_that_name():
    error = refusal(lambda: Group.objects.create(name=None))

    assert not violated(error, "auth_group_name_key", "auth_group.name")


@pytest.mark.postgres
def test_foreign_key_is_recognised_by_its_name():
    session = LoginSession(user_id=2**62, refresh_jti="0" * 32, expires_at="2100-01-01T00:00Z")

    error = refusal(session.save)

    assert violated(error, "fk_login_sessions_user_id")
    assert not violated(error, "fk_carts_user_id")


@pytest.mark.parametrize(
    ("text", "recognised"),
    [
        ("UNIQUE constraint failed: carts.user_id", True),
        ("UNIQUE constraint failed: index 'uq_carts_user_id'", True),
        ("CHECK constraint failed: uq_carts_user_id", True),
        ("UNIQUE constraint failed: carts.user_id, carts.id", False),
        ("UNIQUE constraint failed: carts.id", False),
        ("UNIQUE constraint failed: index 'uq_carts_user'", False),
        ("CHECK constraint failed: ck_carts", False),
        ("NOT NULL constraint failed: carts.user_id", False),
        ("FOREIGN KEY constraint failed", False),
        ("", False),
    ],
)
def test_what_sqlite_says_is_recognised_word_by_word(text, recognised):
    assert violated(IntegrityError(text), "uq_carts_user_id", "carts.user_id") is recognised


def test_sqlite_constraint_is_not_recognised_without_its_columns():
    assert not violated(IntegrityError("UNIQUE constraint failed: carts.user_id"), "uq_carts_user_id")
