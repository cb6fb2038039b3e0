"""Every migration can be taken back: a release that has to go leaves the tables as they were before it."""

import pytest
from django.apps import apps
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

OURS = ("accounts", "catalog", "cart")


def migrate(targets: list[tuple[str, str | None]]) -> None:
    MigrationExecutor(connection).migrate(targets)


def tables_of_ours() -> list[str]:
    there = connection.introspection.table_names()
    return sorted(model._meta.db_table for model in apps.get_models() if model._meta.db_table in there)


def shape() -> dict[str, tuple[list[str], dict[str, object]]]:
    """Columns, constraints and indexes of every table, by name."""
    introspection = connection.introspection
    with connection.cursor() as cursor:
        return {
            table: (
                sorted(column.name for column in introspection.get_table_description(cursor, table)),
                introspection.get_constraints(cursor, table),
            )
            for table in tables_of_ours()
        }


@pytest.mark.django_db(transaction=True)
def test_every_migration_is_taken_back_and_made_again():
    latest = MigrationExecutor(connection).loader.graph.leaf_nodes()  # others' too: the admin's log points to users
    before = shape()

    try:
        migrate([(app, None) for app in OURS])
        left = {model._meta.db_table for app in OURS for model in apps.get_app_config(app).get_models()}
        left &= set(connection.introspection.table_names())
    finally:
        migrate(latest)

    assert left == set()
    assert shape() == before
