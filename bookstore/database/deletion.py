"""Deleting beside live traffic: in the one lock order, and many rows in short transactions."""

from typing import Any

from django.db import connections
from django.db.models import CASCADE, Model, QuerySet
from django.db.models.deletion import Collector

from bookstore.database.locks import lock


def lock_then_cascade(collector: Collector, field: Any, rows: "QuerySet[Model]", using: str) -> None:
    """`on_delete` of carts and of lines: CASCADE in the one lock order.

    Django deletes children first, in no order: lines before carts. That would deadlock with a change that has locked
    the cart and then locks a line. So this locks the rows by id while Django collects them from parent to child, if
    there is a transaction: `delete()` of users, carts and books opens one. One query more for each kind of row.
    """
    if connections[using].in_atomic_block:
        lock(rows)
    CASCADE(collector, field, rows, using)


# A book can have many lines: they are deleted by one statement, without being read.
lock_then_cascade.lazy_sub_objs = True  # type: ignore[attr-defined]  # Django's mark for its Collector


def delete_in_batches(rows: "QuerySet[Any]", batch: int) -> int:
    """Deletes these rows in their order, `batch` at a time, each a short transaction; returns how many.

    A row that has left the set since it was chosen stays: a window of attempts that began anew. Two queries for each
    batch, and one.
    """
    total = 0
    while chosen := list(rows.values_list("pk", flat=True)[:batch]):
        deleted, _ = rows.order_by().filter(pk__in=chosen).delete()
        total += deleted
        if not deleted:  # all of them have left the set
            break
    return total
