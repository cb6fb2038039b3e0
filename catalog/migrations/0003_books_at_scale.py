from django.db import migrations, models

import catalog.search.document
from bookstore.database.indexes import AddIndexWhileServing, RemoveIndexWhileServing


class Migration(migrations.Migration):
    """New indexes first, then the old ones go: at no time is a page without one."""

    atomic = False  # CONCURRENTLY cannot be in a transaction

    dependencies = [
        ("catalog", "0002_book_is_active"),
    ]

    operations = [
        AddIndexWhileServing(
            model_name="book",
            index=models.Index(fields=["title_folded", "id", "is_active"], name="ix_books_by_title"),
        ),
        AddIndexWhileServing(
            model_name="book",
            index=models.Index(fields=["price", "id", "is_active"], name="ix_books_by_price"),
        ),
        AddIndexWhileServing(
            model_name="book",
            index=models.Index(fields=["publish_date", "id", "is_active"], name="ix_books_by_date"),
        ),
        AddIndexWhileServing(
            model_name="book",
            index=catalog.search.document.OnPostgreSQL(
                models.OrderBy(models.F("publish_date"), descending=True, nulls_last=True),
                models.OrderBy(models.F("id"), descending=True),
                models.F("is_active"),
                name="ix_books_by_date_desc",
            ),
        ),
        AddIndexWhileServing(
            model_name="book",
            index=models.Index(fields=["created_at", "id", "is_active"], name="ix_books_by_created_at"),
        ),
        RemoveIndexWhileServing(model_name="book", name="ix_books_title"),
        RemoveIndexWhileServing(model_name="book", name="ix_books_price"),
        RemoveIndexWhileServing(model_name="book", name="ix_books_date"),
        RemoveIndexWhileServing(model_name="book", name="ix_books_date_desc"),
        RemoveIndexWhileServing(model_name="book", name="ix_books_created_at"),
    ]
