from typing import Any

from django.db import migrations

from catalog.search.refolding import refold_books, refold_genres


def fold_again(apps: Any, schema_editor: Any) -> None:
    using = schema_editor.connection.alias
    refold_genres(apps.get_model("catalog", "Genre"), using=using)
    refold_books(apps.get_model("catalog", "Book"), apps.get_model("catalog", "SearchWord"), using=using)


class Migration(migrations.Migration):
    """Folds what is there as new books are folded. What the previous release writes meanwhile: manage.py refold_books."""

    atomic = False  # batches, so that no book is locked for long

    dependencies = [
        ("catalog", "0009_search_indexes"),
    ]

    operations = [
        migrations.RunPython(fold_again, migrations.RunPython.noop),
    ]
