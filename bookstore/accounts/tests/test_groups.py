"""The groups that a migration makes, and what each may do."""

from importlib import import_module

import pytest
from django.contrib.auth.models import Group, Permission
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from bookstore.accounts.tests.factories import UserFactory

pytestmark = pytest.mark.django_db

migration = import_module("bookstore.accounts.migrations.0003_staff_groups")

SUPPORT = {
    "cart.view_cart",
    "cart.view_cartitem",
    "accounts.view_user",
    "catalog.view_book",
    "catalog.view_genre",
}
CATALOGUE = {f"catalog.{verb}_{model}" for verb in ("view", "add", "change", "delete") for model in ("book", "genre")}


class Editor:
    """All that the migration's functions ask of a schema editor."""

    connection = connection


def historical_apps():
    return MigrationLoader(connection).project_state(("accounts", "0003_staff_groups")).apps


def held_by(name):
    permissions = Group.objects.get(name=name).permissions.select_related("content_type")
    return {f"{permission.content_type.app_label}.{permission.codename}" for permission in permissions}


def test_groups_have_their_permissions_after_the_first_migrate():
    assert set(Group.objects.values_list("name", flat=True)) == {"Customer support", "Catalogue"}
    assert held_by("Customer support") == SUPPORT
    assert held_by("Catalogue") == CATALOGUE


def test_groups_get_their_permissions_where_none_have_been_made_yet():
    Group.objects.all().delete()
    Permission.objects.all().delete()

    migration.make_groups(historical_apps(), Editor)

    assert (held_by("Customer support"), held_by("Catalogue")) == (SUPPORT, CATALOGUE)


def test_group_of_that_name_that_is_there_is_left_as_it_is():
    Group.objects.get(name="Catalogue").permissions.clear()

    migration.make_groups(historical_apps(), Editor)

    assert held_by("Catalogue") == set()
    assert Group.objects.count() == 2


def test_migration_back_takes_away_the_groups_that_nobody_is_in():
    UserFactory().groups.add(Group.objects.get(name="Catalogue"))

    migration.remove_groups(historical_apps(), Editor)

    assert list(Group.objects.values_list("name", flat=True)) == ["Catalogue"]
