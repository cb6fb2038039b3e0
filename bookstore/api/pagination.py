"""Pages as `{items, total, page, size}`, at a cost that does not grow with the table.

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
# In a larger table, rows that are counted exactly; above that, the planner of PostgreSQL estimates. Ten times this
# bound costs 50 to 120 ms for a filter without a good index.
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
    """The number of rows. For an estimate, `seen` is the number that was counted, a lower bound; `is_cut`: there may be
    more rows than all pages show, so the last page does not make it exact.
    """

    rows: int
    seen: int
    is_estimate: bool = False
    is_cut: bool = False

    def after(self, items: int, *, start: int, size: int) -> "Total":
        """Corrects an estimate by the rows of a page that was read."""
        if not self.is_estimate or (items == size and start + items <= self.rows):
            return self
        if items == size:
            return Total(start + items, seen=start + items, is_estimate=True, is_cut=self.is_cut)
        if self.is_cut:
            return self
        if items or start <= self.seen:
            return Total(start + items, seen=start + items)  # the last page, so the total is exact
        return Total(max(self.seen, min(self.rows, start)), seen=self.seen, is_estimate=True)


def page_of(queryset: QuerySet[Any], *, page: int, size: int, count: bool = True) -> dict[str, Any]:
    """One page of an ordered queryset: two queries, four with an estimated total, one without a total.

    A page past the end has no items. Uses the queryset's own `read_page` if it has one.
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
    # Skips rows with the index alone; reads only the rows of the page.
    wanted = queryset.values("pk")[start : start + size]
    rows = queryset.model._default_manager.filter(pk__in=wanted).order_by(*queryset.query.order_by)
    return list(rows), total


def total_of(
    queryset: QuerySet[Any], *, exact_up_to: int, counted: int | None = None, small: bool | None = None
) -> Total:
    """Exact up to the bound and for a small table; else an estimate. One to three queries. SQLite always counts.

    `counted` (at most one more than the bound) and `small` save a query each if the caller has them.
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
    """Whether the table has fewer than `SMALL_TABLE` rows; on PostgreSQL by its statistics. One query."""
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
    """The estimate of PostgreSQL's planner, from the statistics of autovacuum; at least `seen`. 1 query."""
    plan = json.loads(queryset.order_by().values("pk").explain(format="json"))
    return Total(max(int(plan[0]["Plan"]["Plan Rows"]), seen), seen=seen, is_estimate=True)
