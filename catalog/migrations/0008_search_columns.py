import django.core.validators
import django.db.models.functions.datetime
from django.db import migrations, models

import catalog.fields


class Migration(migrations.Migration):
    """Columns that cost no rewrite of the table: NULL, or a constant default. The previous release knows none of them."""

    dependencies = [
        ("catalog", "0007_book_imports_by_tasks"),
    ]

    operations = [
        migrations.CreateModel(
            name="SearchWord",
            fields=[("word", catalog.fields.CodePointsField(primary_key=True, serialize=False))],
            options={"db_table": "search_words"},
        ),
        migrations.AddField("book", "title_spellings", catalog.fields.SpellingsField(null=True, of="title", weight="1A")),
        migrations.AddField(
            "book", "author_spellings", catalog.fields.SpellingsField(null=True, of="author", weight="2B")
        ),
        migrations.AddField(
            "book",
            "popularity",
            models.IntegerField(
                db_default=0,
                default=0,
                help_text="The higher, the earlier a book comes among equal search results. "
                "The shop decides what it counts.",
                validators=[
                    django.core.validators.MinValueValidator(0),
                    django.core.validators.MaxValueValidator(2147483647),
                ],
            ),
        ),
        migrations.AddField(
            "book",
            "updated_at",
            catalog.fields.UpdatedAtField(db_default=django.db.models.functions.datetime.Now(), editable=False),
        ),
        migrations.AddConstraint(
            "book",
            models.CheckConstraint(
                condition=models.Q(("popularity__gte", 0)),
                name="ck_books_popularity",
                violation_error_message="A popularity is 0 or more.",
            ),
        ),
    ]
