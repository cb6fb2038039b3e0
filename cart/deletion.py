"""What happens to a cart when its user goes."""

from typing import Any

from django.db import connections
from django.db.models import CASCADE, Model, QuerySet
from django.db.models.deletion import Collector


def lock_then_cascade(collector: Collector, field: Any, carts: "QuerySet[Model]", using: str) -> None:
    """`on_delete` of a cart's user: CASCADE in the one lock order.

    Django deletes children first, lines before carts. A change of the cart, which holds it and then asks for a line,
    would wait for the deletion, and the deletion for it. So the carts are held first, where there is a transaction to
    hold them in: `User.delete()` opens one.
    """
    if connections[using].in_atomic_block:
        list(carts.order_by("pk").select_for_update().values_list("pk"))
    CASCADE(collector, field, carts, using)
