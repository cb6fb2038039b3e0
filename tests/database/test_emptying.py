"""After a test that commits, the database is as the migrations left it."""

import pytest
from django.contrib.auth.models import Group, Permission
from django.db import connection

from bookstore.accounts.models import User
from bookstore.accounts.tests.factories import UserFactory
from tests.support.emptying import Emptier, filled, referenced_first

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def emptier():
    return Emptier()


def test_empty_takes_what_was_added(emptier, alice):
    alice.groups.add(Group.objects.create(name="Buyers"))

    emptier.empty()

    assert not User.objects.exists()
    assert not Group.objects.filter(name="Buyers").exists()


def test_empty_puts_back_what_the_migrations_made(emptier):
    before = list(Group.objects.order_by("pk").values_list("pk", "name", "permissions"))
    Group.objects.all().delete()
    Permission.objects.filter(codename="view_user").update(name="See users")

    emptier.empty()

    assert list(Group.objects.order_by("pk").values_list("pk", "name", "permissions")) == before
    assert not Permission.objects.filter(name="See users").exists()
    assert before


def test_emptier_of_a_database_that_is_used_again_keeps_nobody(emptier):
    UserFactory(email="alice@example.com")

    again = Emptier()

    assert "users" not in again.kept
    assert not User.objects.exists()


def test_tables_are_those_of_the_database():
    """But for Django's list of migrations, which `flush` keeps as well."""
    there = set(connection.introspection.django_table_names(only_existing=True))

    assert set(referenced_first()) == there - {"django_migrations"}
    assert "users" not in filled(referenced_first())
