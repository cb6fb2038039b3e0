from django.db import migrations, models

from bookstore.database.indexes import AddIndexWhileServing, RemoveIndexWhileServing


class Migration(migrations.Migration):
    atomic = False  # CONCURRENTLY cannot be in a transaction

    dependencies = [
        ("orders", "0002_checkout_answers"),
    ]

    operations = [
        AddIndexWhileServing(
            model_name="order", index=models.Index(fields=["status", "id"], name="ix_orders_by_status")
        ),
        AddIndexWhileServing(
            model_name="orderitem", index=models.Index(fields=["isbn", "order"], name="ix_order_items_by_isbn")
        ),
        AddIndexWhileServing(
            model_name="orderitem", index=models.Index(fields=["book", "order"], name="ix_order_items_of_book")
        ),
        RemoveIndexWhileServing(model_name="orderitem", name="ix_order_items_isbn"),
    ]
