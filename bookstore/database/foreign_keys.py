"""Foreign keys that say in the database what happens when the row they point to goes.

Django 5.2 cascades in Python and writes a plain, deferred foreign key. A row that is inserted meanwhile then fails at
COMMIT, long after the statement that was wrong; and a deletion by SQL fails there, too. This operation gives a foreign
key ON DELETE CASCADE, checked with each statement, and a name that an error can be recognised by. SQLite cannot alter a
constraint; there Django's own cascade does it, in the one transaction that SQLite has at a time.
"""

from typing import Any

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

ON_STATEMENT = "ON DELETE CASCADE DEFERRABLE INITIALLY IMMEDIATE"
AS_DJANGO_MAKES_IT = "DEFERRABLE INITIALLY DEFERRED"


class CascadeInDatabase(Operation):
    """Migration operation: `CascadeInDatabase("cartitem", "book", name="fk_cart_items_book_id")`.

    Write `name` into the model's docstring: nothing in the model's state knows it. It locks both tables while every row
    is checked, so it belongs in the migration that makes the table.
    """

    reversible = True

    def __init__(self, model_name: str, field_name: str, *, name: str) -> None:
        self.model_name = model_name
        self.field_name = field_name
        self.name = name

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Nothing: on_delete=CASCADE is already there."""

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
        # Django adds its foreign key at the end of the migration; this one has to find it in place.
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
