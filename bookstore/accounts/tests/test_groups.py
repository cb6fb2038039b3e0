"""The groups of a new shop, as the apps declare them, and their permissions."""

from importlib import import_module

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command
from django.db import connection

from bookstore.accounts.groups import StaffGroupGrant, make_declared_groups
from bookstore.accounts.tests.factories import UserFactory

pytestmark = pytest.mark.django_db

migration = import_module("bookstore.accounts.migrations.0008_groups_made_before")

SUPPORT = {
    "cart.view_cart",
    "cart.view_cartitem",
    "accounts.view_user",
    "catalog.view_book",
    "catalog.view_genre",
    "orders.view_order",
    "orders.view_orderitem",
}
CATALOGUE = {f"catalog.{verb}_{model}" for verb in ("view", "add", "change", "delete") for model in ("book", "genre")}


def held_by(name):
    permissions = Group.objects.get(name=name).permissions.select_related("content_type")
    return {f"{permission.content_type.app_label}.{permission.codename}" for permission in permissions}


def as_before_the_first_migrate():
    Group.objects.all().delete()
    StaffGroupGrant.objects.all().delete()


def make_groups():
    for app in apps.get_app_configs():
        make_declared_groups(app)


def test_groups_have_their_permissions_after_the_first_migrate():
    assert set(Group.objects.values_list("name", flat=True)) == {"Customer support", "Catalogue", "Order desk"}
    assert (held_by("Customer support"), held_by("Catalogue")) == (SUPPORT, CATALOGUE)


def test_groups_get_their_permissions_where_none_have_been_made_yet():
    as_before_the_first_migrate()
    Permission.objects.all().delete()

    make_groups()

    assert (held_by("Customer support"), held_by("Catalogue")) == (SUPPORT, CATALOGUE)


def test_group_of_that_name_that_is_there_is_left_as_it_is():
    as_before_the_first_migrate()
    Group.objects.create(name="Customer support")

    make_groups()

    assert (held_by("Customer support"), held_by("Catalogue")) == (set(), CATALOGUE)


def test_what_staff_changed_of_a_group_stays_at_the_next_migrate():
    UserFactory().groups.add(Group.objects.get(name="Customer support"))
    Group.objects.get(name="Customer support").permissions.clear()
    Group.objects.get(name="Catalogue").delete()

    call_command("migrate", verbosity=0)

    assert set(Group.objects.values_list("name", flat=True)) == {"Customer support", "Order desk"}
    assert held_by("Customer support") == set()


def test_app_that_comes_later_adds_its_permissions_once(monkeypatch):
    accounts = apps.get_app_config("accounts")
    monkeypatch.setattr(accounts, "staff_groups", {"Catalogue": ["view_user"]})

    for _ in range(2):
        make_declared_groups(accounts)

    assert held_by("Catalogue") == CATALOGUE | {"accounts.view_user"}


def test_upgrade_grants_nothing_again_that_an_earlier_release_granted():
    StaffGroupGrant.objects.all().delete()
    Group.objects.get(name="Customer support").permissions.clear()
    Group.objects.get(name="Catalogue").delete()

    migration.note_what_was_granted(apps, connection.schema_editor())
    make_groups()

    assert held_by("Customer support") == set()
    assert not Group.objects.filter(name="Catalogue").exists()
