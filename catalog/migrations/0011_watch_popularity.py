from typing import Any

from django.db import migrations

from catalog.catalogue_state import watch

BEFORE = (
    *("title_folded", "author_folded", "price", "isbn", "genre_id", "publish_date", "created_at", "is_active"),
    "(stock_quantity > 0)",
)
SINCE = (*BEFORE, "popularity", "title_spellings", "author_spellings")


def watch_more(apps: Any, schema_editor: Any) -> None:
    watch(schema_editor, SINCE)


def watch_as_before(apps: Any, schema_editor: Any) -> None:
    watch(schema_editor, BEFORE)


class Migration(migrations.Migration):
    """A remembered page holds no longer when what a search finds and ranks by has changed."""

    dependencies = [
        ("catalog", "0010_fold_again"),
    ]

    operations = [
        migrations.RunPython(watch_more, watch_as_before),
    ]
