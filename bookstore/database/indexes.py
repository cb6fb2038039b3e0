"""Migration operations that create and drop indexes without blocking writes, also again after an interruption."""

from typing import Any

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db.migrations import AddIndex, RemoveIndex


class AddIndexWhileServing(AddIndexConcurrently):
    """CREATE INDEX CONCURRENTLY on PostgreSQL, in a migration with `atomic = False`; a plain index elsewhere.

    Such a migration has no transaction, so an interrupted one leaves a part. Run again, it skips an existing index, and
    drops and creates again one that PostgreSQL has marked invalid.
    """

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        if is_there(schema_editor, to_state.apps.get_model(app_label, self.model_name), self.index.name):
            return
        kind = AddIndexConcurrently if schema_editor.connection.vendor == "postgresql" else AddIndex
        kind.database_forwards(self, app_label, schema_editor, from_state, to_state)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        if lacks(schema_editor, from_state.apps.get_model(app_label, self.model_name), self.index.name):
            return
        kind = AddIndexConcurrently if schema_editor.connection.vendor == "postgresql" else AddIndex
        kind.database_backwards(self, app_label, schema_editor, from_state, to_state)


class RemoveIndexWhileServing(RemoveIndexConcurrently):
    """DROP INDEX CONCURRENTLY on PostgreSQL, in a migration with `atomic = False`; a plain one elsewhere.

    Can run again after an interruption, in both directions, as AddIndexWhileServing.
    """

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        if lacks(schema_editor, from_state.apps.get_model(app_label, self.model_name), str(self.name)):
            return
        kind = RemoveIndexConcurrently if schema_editor.connection.vendor == "postgresql" else RemoveIndex
        kind.database_forwards(self, app_label, schema_editor, from_state, to_state)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        if is_there(schema_editor, to_state.apps.get_model(app_label, self.model_name), str(self.name)):
            return
        kind = RemoveIndexConcurrently if schema_editor.connection.vendor == "postgresql" else RemoveIndex
        kind.database_backwards(self, app_label, schema_editor, from_state, to_state)


def is_there(schema_editor: Any, model: Any, name: str) -> bool:
    """Whether the table has this index, and it is valid. Drops an invalid one. False for `sqlmigrate`, which always
    prints the statement."""
    if schema_editor.collect_sql or lacks(schema_editor, model, name):
        return False
    if schema_editor.connection.vendor != "postgresql":
        return True
    quoted = schema_editor.quote_name(name)
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(%s)", [quoted])
        [valid] = cursor.fetchone()
    if not valid:
        schema_editor.execute(f"DROP INDEX CONCURRENTLY {quoted}")
    return bool(valid)


# Django's introspection would parse the statement that made the table, on SQLite: 20 ms for each index.
FIND = {
    "postgresql": "SELECT 1 FROM pg_index WHERE indrelid = to_regclass(%s) AND indexrelid = to_regclass(%s)",
    "sqlite": "SELECT 1 FROM pragma_index_list(%s) WHERE name = %s",
}


def lacks(schema_editor: Any, model: Any, name: str) -> bool:
    """Whether the table has no index of this name, not even an invalid one. One query."""
    if schema_editor.collect_sql:
        return False
    connection, names = schema_editor.connection, (model._meta.db_table, name)
    if connection.vendor == "postgresql":
        names = tuple(map(schema_editor.quote_name, names))
    with connection.cursor() as cursor:
        cursor.execute(FIND[connection.vendor], names)
        return cursor.fetchone() is None
