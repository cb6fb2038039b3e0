from django.db import migrations, models

from bookstore.database.indexes import AddIndexWhileServing


class Migration(migrations.Migration):
    atomic = False  # CONCURRENTLY cannot be in a transaction

    dependencies = [
        ("accounts", "0005_sessions_that_no_restore_repeats"),
    ]

    operations = [
        AddIndexWhileServing(
            model_name="user",
            index=models.Index(
                fields=["id"],
                # S106: the beginnings of hashes, and no passwords.
                condition=~models.Q(password__startswith="argon2$argon2id$v=19$m=19456,t=2,p=1$")  # noqa: S106
                & ~models.Q(password__startswith="!"),  # noqa: S106
                name="ix_users_other_hash",
            ),
        ),
    ]
