from django.db import migrations, models

from bookstore.database.indexes import AddIndexWhileServing


class Migration(migrations.Migration):
    atomic = False  # CONCURRENTLY cannot be in a transaction

    dependencies = [
        ("catalog", "0003_books_at_scale"),
    ]

    operations = [
        AddIndexWhileServing(
            model_name="book",
            index=models.Index(fields=["genre", "price", "id", "is_active"], name="ix_books_by_genre"),
        ),
    ]
