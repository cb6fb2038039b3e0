"""Rows that a transaction holds until it ends. Whoever holds several takes them in one order: nobody waits in a circle.

Users, then carts, then genres, then books, then lines; and those of one kind by id. docs/decisions/0001 says why. On
SQLite, which has one writer at a time, nothing need be held.
"""

from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connections, transaction
from django.db.models import QuerySet

from bookstore.database import retrying


def hold(rows: QuerySet[Any], *, no_key: bool = False) -> None:
    """Nobody else changes or deletes these rows, or begins to point to them: for who deletes them. One query.

    With `no_key` others may point to them: for who changes them.
    """
    # The rows in a subquery, so that they may be grouped: PostgreSQL locks no groups.
    ids = rows.order_by().values("pk")
    held = rows.model._base_manager.using(rows.db).filter(pk__in=ids).order_by("pk").select_for_update(no_key=no_key)
    list(held.values_list("pk"))


def keep(rows: QuerySet[Any], *, unchanged: bool = False) -> None:
    """Nobody else deletes these rows, or (`unchanged`) changes them; as many as like may keep them. One query.

    A foreign key keeps the row that it points to in this way, one after the other, in the order of the INSERT. So who
    is about to point to several keeps them before.
    """
    if connections[rows.db].vendor != "postgresql":
        return
    try:
        sql, parameters = rows.order_by("pk").values_list("pk").query.get_compiler(rows.db).as_sql()
    except EmptyResultSet:
        return
    with connections[rows.db].cursor() as cursor:
        # The ORM has FOR [NO KEY] UPDATE only, which each would have for itself.
        cursor.execute(f"{sql} FOR {'SHARE' if unchanged else 'KEY SHARE'}", parameters)


class DeletedUnderLock:
    """For a model. Its row is held before Django looks for what points to it, so that nothing new can begin to."""

    @retrying
    def delete(self, *args: Any, **options: Any) -> tuple[int, dict[str, int]]:
        """As Django's, in one transaction that holds the row first. One query more."""
        with transaction.atomic():
            hold(type(self)._base_manager.filter(pk=self.pk))  # type: ignore[attr-defined]
            deleted: tuple[int, dict[str, int]] = super().delete(*args, **options)  # type: ignore[misc]
            return deleted

    delete.alters_data = True  # type: ignore[attr-defined]


class DeletesUnderLock:
    """For the QuerySet of such a model."""

    @retrying
    def delete(self) -> tuple[int, dict[str, int]]:
        """As Django's, in one transaction that holds the rows first, by id. One query more."""
        with transaction.atomic():
            hold(self)  # type: ignore[arg-type]
            deleted: tuple[int, dict[str, int]] = super().delete()  # type: ignore[misc]
            return deleted

    delete.alters_data = True  # type: ignore[attr-defined]
    delete.queryset_only = True  # type: ignore[attr-defined]
