"""The contract's pages: `{items, total, page, size}`, at a cost that does not grow with the table.

docs/decisions/0010-catalogue-at-scale.md has the reasons and the figures.
"""

import json
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.db import connections
from django.db.models import QuerySet
from rest_framework import serializers

from bookstore.api.fields import OneOfField, WholeNumberField

MAX_SIZE = 100
# A table with fewer rows is always counted: that costs some milliseconds.
SMALL_TABLE = 100_000
# In a larger one, rows that are counted one by one. Of more, PostgreSQL's planner says about how many there are. Ten
# times as many cost 50 to 120 ms where a filter has no index of its own, or a weak one.
EXACT_TOTAL = 1_000
# The largest OFFSET: no table has as many rows, and databases refuse one beyond 2⁶³.
FURTHEST = 10**15


class PageParameters(serializers.Serializer[Any]):
    page = WholeNumberField(min_value=1, default=1, help_text="Which page, from 1.")
    size = WholeNumberField(min_value=1, max_value=MAX_SIZE, default=20, help_text="How many items a page has.")
    count = OneOfField(
        choices=["total", "none"],
        default="total",
        help_text="`none` leaves the total out (null), for clients that scroll on and on.",
    )


@dataclass(frozen=True, slots=True)
class Total:
    """How many rows there are on all pages; at least so many were seen, when it is an estimate."""

    rows: int
    seen: int
    is_estimate: bool = False

    def after(self, items: int, *, start: int, size: int) -> "Total":
        """Corrects an estimate by the rows of a page that was read."""
        if not self.is_estimate or (items == size and start + items <= self.rows):
            return self
        if items == size:
            return Total(start + items, seen=start + items, is_estimate=True)
        if items or start <= self.seen:
            return Total(start + items, seen=start + items)  # the last page: the total is exact now
        return Total(max(self.seen, min(self.rows, start)), seen=self.seen, is_estimate=True)


def page_of(queryset: QuerySet[Any], *, page: int, size: int, count: bool = True) -> dict[str, Any]:
    """One page of an ordered queryset, in two queries, four when the total is estimated; without a total in one.

    A page past the end has no items. A queryset's own `read_page` is used, if it has one.
    """
    start = min((page - 1) * size, FURTHEST)
    read = getattr(queryset, "read_page", None) or partial(read_page, queryset)
    items, total = read(start, size, count=count)
    if total:
        total = total.after(len(items), start=start, size=size)
    return {
        "items": items,
        "total": total.rows if total else None,
        "total_is_estimate": bool(total and total.is_estimate),
        "page": page,
        "size": size,
    }


def read_page(queryset: QuerySet[Any], start: int, size: int, *, count: bool = True) -> tuple[list[Any], Total | None]:
    total = total_of(queryset, exact_up_to=EXACT_TOTAL) if count else None
    if total and start >= total.rows and not total.is_estimate:
        return [], total
    # Skips rows by the index alone; only those of the page are read.
    wanted = queryset.values("pk")[start : start + size]
    rows = queryset.model._default_manager.filter(pk__in=wanted).order_by(*queryset.query.order_by)
    return list(rows), total


def total_of(
    queryset: QuerySet[Any], *, exact_up_to: int, counted: int | None = None, small: bool | None = None
) -> Total:
    """Exact up to the bound, and for a small table; else an estimate. One query to three. SQLite always counts.

    `counted` (up to one more than the bound) and `small` save a query each, when the caller has them already.
    """
    if connections[queryset.db].vendor != "postgresql":
        return exactly(queryset.count())
    if counted is None:
        counted = queryset.order_by()[: exact_up_to + 1].count()
    if counted <= exact_up_to:
        return exactly(counted)
    if small is None:
        small = is_small(queryset)
    return exactly(queryset.count()) if small else estimate_of(queryset, seen=counted)


def is_small(queryset: QuerySet[Any]) -> bool:
    """Whether the table has fewer than `SMALL_TABLE` rows; on PostgreSQL as its statistics have it. One query."""
    connection = connections[queryset.db]
    if connection.vendor != "postgresql":
        return bool(queryset.model._default_manager.count() < SMALL_TABLE)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT reltuples < %s FROM pg_class WHERE oid = %s::regclass", [SMALL_TABLE, queryset.model._meta.db_table]
        )
        return bool(cursor.fetchone()[0])


def exactly(rows: int) -> Total:
    return Total(rows, seen=rows)


def estimate_of(queryset: QuerySet[Any], *, seen: int) -> Total:
    """What PostgreSQL's planner expects, from the statistics that autovacuum keeps; not less than was seen. 1 query."""
    plan = json.loads(queryset.order_by().values("pk").explain(format="json"))
    return Total(max(int(plan[0]["Plan"]["Plan Rows"]), seen), seen=seen, is_estimate=True)
