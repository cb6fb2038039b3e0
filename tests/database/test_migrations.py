"""Every migration can be taken back, and run again after an interruption, with the same tables in the end."""

from typing import Any
from unittest import mock

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection
from django.db.migrations import Migration
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder

from bookstore.database.indexes import AddIndexWhileServing

OURS = ("accounts", "catalog", "cart", "orders")


def migrate(targets: list[tuple[str, str | None]]) -> None:
    MigrationExecutor(connection).migrate(targets)


# On SQLite, by the statements that made them: to parse those takes 10 ms a table.
kept_shapes: dict[tuple[str, ...], Any] = {}


def shape_of(cursor: Any, table: str) -> Any:
    """Its columns, constraints and indexes."""

    def read() -> Any:
        columns = sorted(map(str, connection.introspection.get_table_description(cursor, table)))
        return columns, connection.introspection.get_constraints(cursor, table)

    if connection.vendor != "sqlite":
        return read()
    cursor.execute("SELECT sql FROM sqlite_master WHERE tbl_name = %s AND sql IS NOT NULL ORDER BY sql", [table])
    statements = table, *(statement for (statement,) in cursor.fetchall())
    if statements not in kept_shapes:
        kept_shapes[statements] = read()
    return kept_shapes[statements]


def shape() -> dict[str, Any]:
    """Every table of ours that is there, and on PostgreSQL every constraint and index."""
    there = connection.introspection.table_names()
    tables = [model._meta.db_table for app in OURS for model in apps.get_app_config(app).get_models()]
    with connection.cursor() as cursor:
        found: dict[str, Any] = {table: shape_of(cursor, table) for table in tables if table in there}
        if connection.vendor == "postgresql":
            cursor.execute("SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint ORDER BY conname")
            found["constraints"] = cursor.fetchall()
            cursor.execute("SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY indexname")
            found["indexes"] = cursor.fetchall()
    return found


def before_in_its_app(step: Migration) -> tuple[str, str | None]:
    names = [name for app, name in step.dependencies if app == step.app_label]
    return step.app_label, names[0] if names else None


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_every_migration_taken_back_leaves_what_was_before_it():
    executor = MigrationExecutor(connection)
    latest = executor.loader.graph.leaf_nodes()
    plan = [step for step, _ in executor.migration_plan(latest, clean_start=True) if step.app_label in OURS]
    different = []

    try:
        migrate([(app, None) for app in OURS])
        nothing = shape()
        for step in plan:
            this, earlier = (step.app_label, step.name), before_in_its_app(step)
            before = shape()
            migrate([this])
            after = shape()
            migrate([earlier])
            different += [f"{step} back"] if shape() != before else []
            migrate([this])
            different += [f"{step} again"] if shape() != after else []
    finally:
        migrate(latest)

    assert [table for table in nothing if table not in {"constraints", "indexes"}] == []
    assert different == []
    assert len(plan) >= 9


class Interrupted(Exception):
    """Instead of a lost connection, a kill, a full disk."""


def interrupted(step: Migration, targets: list[tuple[str, str | None]]) -> None:
    """Migrates, and stops in this migration when all of it is done and nothing is recorded."""

    def record(self: MigrationRecorder, app: str, name: str) -> None:
        if (app, name) == (step.app_label, step.name):
            raise Interrupted
        original(self, app, name)

    original = MigrationRecorder.record_applied
    with mock.patch.object(MigrationRecorder, "record_applied", record), pytest.raises(Interrupted):
        migrate(targets)


def mark_invalid(names: list[str]) -> None:
    """As PostgreSQL leaves an index whose CREATE INDEX CONCURRENTLY was interrupted."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE pg_index SET indisvalid = false WHERE indexrelid::regclass::text = ANY(%s)",
            [names],
        )


def invalid_indexes() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid")
        return [name for (name,) in cursor.fetchall()]


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_interrupted_migration_without_transaction_runs_again():
    executor = MigrationExecutor(connection)
    latest = executor.loader.graph.leaf_nodes()
    steps = [step for step, _ in executor.migration_plan(latest, clean_start=True) if not step.atomic]
    whole, different = shape(), []

    try:
        for step in steps:
            migrate([before_in_its_app(step)])
            interrupted(step, latest)
            if connection.vendor == "postgresql":
                made = [each.index.name for each in step.operations if isinstance(each, AddIndexWhileServing)]
                mark_invalid(made)
                assert sorted(invalid_indexes()) == sorted(made)
            migrate(latest)
            different += [str(step)] if shape() != whole else []
            assert connection.vendor != "postgresql" or invalid_indexes() == []
    finally:
        migrate(latest)

    assert different == []
    assert len(steps) >= 6


@pytest.mark.django_db
def test_no_migration_is_missing(capsys):
    """What the models say beyond a CHECK or a name, such as a column's width, no other test would miss."""
    try:
        call_command("makemigrations", check_changes=True, dry_run=True)
    except SystemExit:
        pytest.fail(capsys.readouterr().out)
