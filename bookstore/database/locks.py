"""Row locks, held until the transaction ends, and taken in one order, so that transactions do not deadlock.

THE ORDER, here and nowhere else: users, carts, genres, books, lines, orders; rows of one kind by id. Books come before
lines because a deletion of a book must keep new lines from it before it looks for the old ones. A foreign key locks the
row that it points to, in the order of the INSERT: code that inserts several rows locks what they point to before
(`lock_shared`). docs/decisions/0001 has the reasons. SQLite has one writer at a time and locks no rows.
"""

from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connections, transaction
from django.db.models import QuerySet

from bookstore.database import retrying


def lock(rows: QuerySet[Any], *, no_key: bool = False) -> None:
    """SELECT … FOR UPDATE in id order: use before deleting. No new foreign key can point to the rows then. One query.

    `no_key` is FOR NO KEY UPDATE: use before changing. Foreign keys may still point to the rows.
    """
    # In a subquery, because PostgreSQL cannot lock grouped rows.
    ids = rows.order_by().values("pk")
    locked = rows.model._base_manager.using(rows.db).filter(pk__in=ids).order_by("pk").select_for_update(no_key=no_key)
    list(locked.values_list("pk"))


def lock_shared(rows: QuerySet[Any], *, unchanged: bool = False) -> None:
    """SELECT … FOR KEY SHARE in id order: the rows cannot be deleted until the transaction ends. One query.

    `unchanged` is FOR SHARE: they cannot be changed either. Many transactions can hold a shared lock on one row.
    """
    if connections[rows.db].vendor != "postgresql":
        return
    try:
        sql, parameters = rows.order_by("pk").values_list("pk").query.get_compiler(rows.db).as_sql()
    except EmptyResultSet:
        return
    with connections[rows.db].cursor() as cursor:
        # The ORM has only FOR [NO KEY] UPDATE, which are exclusive.
        cursor.execute(f"{sql} FOR {'SHARE' if unchanged else 'KEY SHARE'}", parameters)


class DeletedUnderLock:
    """Mixin of a model: locks its row before Django collects the rows that point to it, so that no new ones appear."""

    @retrying
    def delete(self, *args: Any, **options: Any) -> tuple[int, dict[str, int]]:
        """As Django's, in one transaction that locks the row first. One query more."""
        with transaction.atomic():
            lock(type(self)._base_manager.filter(pk=self.pk))  # type: ignore[attr-defined]  # a mixin, to mypy
            deleted: tuple[int, dict[str, int]] = super().delete(*args, **options)  # type: ignore[misc]  # the same
            return deleted

    delete.alters_data = True  # type: ignore[attr-defined]  # Django's mark for templates


class DeletesUnderLock:
    """Mixin of the QuerySet of such a model."""

    @retrying
    def delete(self) -> tuple[int, dict[str, int]]:
        """As Django's, in one transaction that locks the rows first, by id. One query more."""
        with transaction.atomic():
            lock(self)  # type: ignore[arg-type]  # a mixin, to mypy
            deleted: tuple[int, dict[str, int]] = super().delete()  # type: ignore[misc]  # the same
            return deleted

    delete.alters_data = True  # type: ignore[attr-defined]  # Django's marks for templates and managers
    delete.queryset_only = True  # type: ignore[attr-defined]  # the same
