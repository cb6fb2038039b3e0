"""Foreign keys with ON DELETE CASCADE in the database.

Django 5.2 cascades in Python, and creates a deferred foreign key without a cascade. A row that is inserted meanwhile
then fails only at COMMIT, and so does a deletion by SQL. This operation gives a foreign key ON DELETE CASCADE, a check
with each statement, and a name by which an error is recognised. SQLite cannot alter a constraint; there Django's own
cascade is enough, because SQLite has one writer at a time.
"""

from typing import Any

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

ON_STATEMENT = "ON DELETE CASCADE DEFERRABLE INITIALLY IMMEDIATE"
AS_DJANGO_MAKES_IT = "DEFERRABLE INITIALLY DEFERRED"


class CascadeInDatabase(Operation):
    """Migration operation: `CascadeInDatabase("cartitem", "book", name="fk_cart_items_book_id")`.

    Write `name` into the model's docstring, because the model's state does not have it. The operation locks both tables
    while it checks every row, so it belongs in the migration that creates the table.
    """

    reversible = True

    def __init__(self, model_name: str, field_name: str, *, name: str) -> None:
        self.model_name = model_name
        self.field_name = field_name
        self.name = name

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Changes nothing: the state already has on_delete=CASCADE."""

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        self._replace(to_state.apps.get_model(app_label, self.model_name), schema_editor, ON_STATEMENT)

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        self._replace(to_state.apps.get_model(app_label, self.model_name), schema_editor, AS_DJANGO_MAKES_IT)

    def _replace(self, model: Any, schema_editor: BaseDatabaseSchemaEditor, behaviour: str) -> None:
        if schema_editor.connection.vendor != "postgresql":
            return
        field = model._meta.get_field(self.field_name)
        table, target = model._meta.db_table, field.target_field
        # Django adds its foreign key at the end of the migration, but this operation needs it now.
        deferred, schema_editor.deferred_sql = schema_editor.deferred_sql, []
        for statement in deferred:
            schema_editor.execute(statement)
        with schema_editor.connection.cursor() as cursor:
            present = schema_editor.connection.introspection.get_constraints(cursor, table)
        quote = schema_editor.quote_name
        drops = [
            f"DROP CONSTRAINT {quote(name)}"
            for name, facts in present.items()
            if facts["foreign_key"] and facts["columns"] == [field.column]
        ]
        add = (
            f"ADD CONSTRAINT {quote(self.name)} FOREIGN KEY ({quote(field.column)}) "
            f"REFERENCES {quote(target.model._meta.db_table)} ({quote(target.column)}) {behaviour}"
        )
        schema_editor.execute(f"ALTER TABLE {quote(table)} {', '.join([*drops, add])}")

    def describe(self) -> str:
        return f"Let the database cascade from {self.field_name} to {self.model_name}"
