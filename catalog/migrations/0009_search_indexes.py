from typing import Any

from django.db import migrations, models

import catalog.search.document
from bookstore.database.indexes import AddIndexWhileServing
from catalog.search import trigrams


def create_trigrams(apps: Any, schema_editor: Any) -> None:
    connection = schema_editor.connection
    if connection.vendor == "postgresql" and not trigrams.create(connection):
        print(f"\n{trigrams.ADVICE}")  # what `migrate` shows


def drop_trigrams(apps: Any, schema_editor: Any) -> None:
    trigrams.drop(schema_editor.connection)


class Migration(migrations.Migration):
    atomic = False  # CONCURRENTLY cannot be in a transaction

    dependencies = [
        ("catalog", "0008_search_columns"),
    ]

    operations = [
        AddIndexWhileServing(
            model_name="book",
            index=catalog.search.document.SearchIndex(
                fields=["title_spellings", "author_spellings"], name="ix_books_spellings"
            ),
        ),
        AddIndexWhileServing(
            model_name="book",
            index=models.Index(
                models.OrderBy(models.F("popularity"), descending=True),
                models.F("id"),
                models.F("is_active"),
                name="ix_books_by_popularity",
            ),
        ),
        migrations.RunPython(create_trigrams, drop_trigrams),
    ]
