"""What happens to carts and lines when their user, their cart or their book goes."""

from typing import Any

from django.db import connections
from django.db.models import CASCADE, Model, QuerySet
from django.db.models.deletion import Collector

from bookstore.database.locks import lock


def lock_then_cascade(collector: Collector, field: Any, rows: "QuerySet[Model]", using: str) -> None:
    """`on_delete` of carts and of lines: CASCADE in the one lock order.

    Django deletes children first, and in no order: lines before carts. A change that has locked the cart and asks for a
    line would wait for the deletion, and the deletion for it. So the rows are locked while Django goes down from parent
    to child, by id, where there is a transaction: the `delete()` of users, carts and books opens one. One query more
    for each kind of row.
    """
    if connections[using].in_atomic_block:
        lock(rows)
    CASCADE(collector, field, rows, using)


# The lines of a book can be many: they are deleted by one statement, and not read before.
lock_then_cascade.lazy_sub_objs = True  # type: ignore[attr-defined]  # Django's mark for its Collector
