"""Every migration can be taken back, and run again after an interruption, with the same tables in the end."""

from collections.abc import Iterator
from typing import Any
from unittest import mock

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection
from django.db.migrations import Migration
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder
from django.db.migrations.state import ProjectState

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


def one_by_one(latest: Any) -> Iterator[tuple[MigrationExecutor, Migration, ProjectState]]:
    """Applies each migration that is not, and yields it with the state before it.

    One state goes through all of them, as in one `migrate`: to make it anew for each took most of the time.
    """
    executor = MigrationExecutor(connection)
    state = ProjectState(real_apps=executor.loader.unmigrated_apps)
    for step, _ in executor.migration_plan(latest, clean_start=True):
        if (step.app_label, step.name) in executor.loader.applied_migrations:
            state = step.mutate_state(state, preserve=False)
            continue
        assert state.apps  # made here, so that the copies have it
        migrated = executor.apply_migration(state.clone(), step)
        yield executor, step, state
        state = migrated


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_every_migration_taken_back_leaves_what_was_before_it():
    latest = MigrationExecutor(connection).loader.graph.leaf_nodes()
    steps, different = [], []

    try:
        migrate([(app, None) for app in OURS])
        nothing = before = shape()
        for executor, step, state in one_by_one(latest):
            after = shape()
            if step.app_label in OURS:
                steps.append(step)
                executor.unapply_migration(state, step)
                different += [f"{step} back"] if shape() != before else []
                executor.apply_migration(state.clone(), step)
                different += [f"{step} again"] if shape() != after else []
            before = after
    finally:
        migrate(latest)

    assert [table for table in nothing if table not in {"constraints", "indexes"}] == []
    assert different == []
    assert len(steps) >= 9


class Interrupted(Exception):
    """Instead of a lost connection, a kill, a full disk."""


def interrupted(executor: MigrationExecutor, step: Migration, state: ProjectState) -> None:
    """Stops when all of the migration is done and nothing is recorded."""
    with (
        mock.patch.object(MigrationRecorder, "record_applied", side_effect=Interrupted),
        pytest.raises(Interrupted),
    ):
        executor.apply_migration(state.clone(), step)


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
    latest = MigrationExecutor(connection).loader.graph.leaf_nodes()
    whole = shape()
    steps, different = [], []

    try:
        migrate([(app, None) for app in OURS])
        for executor, step, state in one_by_one(latest):
            if step.atomic:
                continue
            steps.append(step)
            after = shape()
            executor.unapply_migration(state, step)
            interrupted(executor, step, state)
            if connection.vendor == "postgresql":
                made = [each.index.name for each in step.operations if isinstance(each, AddIndexWhileServing)]
                mark_invalid(made)
                assert sorted(invalid_indexes()) == sorted(made)
            executor.apply_migration(state.clone(), step)
            different += [str(step)] if shape() != after else []
            assert connection.vendor != "postgresql" or invalid_indexes() == []
    finally:
        migrate(latest)

    assert different == []
    assert shape() == whole
    assert len(steps) >= 6


@pytest.mark.django_db
def test_no_migration_is_missing(capsys):
    """What the models say beyond a CHECK or a name, such as a column's width, no other test would miss."""
    try:
        call_command("makemigrations", check_changes=True, dry_run=True)
    except SystemExit:
        pytest.fail(capsys.readouterr().out)
