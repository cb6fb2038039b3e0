"""Nothing in the database: which rows Django holds before it deletes."""

from django.db import migrations, models

import bookstore.database.deletion


class Migration(migrations.Migration):
    dependencies = [
        ("cart", "0002_price_at_add"),
    ]

    operations = [
        migrations.AlterField(
            model_name="cartitem",
            name="book",
            field=models.ForeignKey(on_delete=bookstore.database.deletion.lock_then_cascade, related_name="+", to="catalog.book"),
        ),
        migrations.AlterField(
            model_name="cartitem",
            name="cart",
            field=models.ForeignKey(
                db_index=False, on_delete=bookstore.database.deletion.lock_then_cascade, related_name="items", to="cart.cart"
            ),
        ),
    ]
