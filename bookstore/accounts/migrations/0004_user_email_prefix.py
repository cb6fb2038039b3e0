from django.db import migrations, models

from bookstore.database.indexes import AddIndexWhileServing


class Migration(migrations.Migration):
    atomic = False  # CONCURRENTLY cannot be in a transaction

    dependencies = [
        ("accounts", "0003_staff_groups"),
    ]

    operations = [
        AddIndexWhileServing(
            model_name="user",
            index=models.Index(fields=["email"], name="ix_users_email_prefix", opclasses=["varchar_pattern_ops"]),
        ),
    ]
