from typing import Any

from django.db import migrations, models

from catalog.catalogue_state import FUNCTION, UNWATCH, watch

# As they were with this migration.
WATCHED = (
    *("title_folded", "author_folded", "price", "isbn", "genre_id", "publish_date", "created_at", "is_active"),
    "(stock_quantity > 0)",
)


def begin(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(FUNCTION)
        watch(schema_editor, WATCHED)
        schema_editor.execute("INSERT INTO catalogue_state (id, stamp) VALUES (1, gen_random_uuid())")


def end(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(UNWATCH)
        schema_editor.execute("DROP FUNCTION catalogue_changed()")


class Migration(migrations.Migration):
    """A table without its row (after TRUNCATE, on SQLite) means "not known", and nothing is remembered."""

    dependencies = [
        ("catalog", "0004_books_by_genre"),
    ]

    operations = [
        migrations.CreateModel(
            name="CatalogueState",
            fields=[
                ("id", models.SmallIntegerField(primary_key=True, serialize=False)),
                ("stamp", models.UUIDField()),
            ],
            options={
                "db_table": "catalogue_state",
                "default_permissions": (),
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("id", 1)), name="ck_catalogue_state_one_row")
                ],
            },
        ),
        migrations.RunPython(begin, end),
    ]
