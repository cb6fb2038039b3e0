"""Pages as the contract has them: `{items, total, page, size}`."""

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers

from bookstore.api.fields import WholeNumberField

MAX_SIZE = 100


class PageParameters(serializers.Serializer[Any]):
    page = WholeNumberField(min_value=1, default=1, help_text="Which page, from 1.")
    size = WholeNumberField(min_value=1, max_value=MAX_SIZE, default=20, help_text="How many items a page has.")


def page_of(queryset: QuerySet[Any], *, page: int, size: int) -> dict[str, Any]:
    """One page of an ordered queryset, in two queries; a page past the end has no items and costs only the count."""
    total = queryset.count()
    start = (page - 1) * size
    items = list(queryset[start : start + size]) if start < total else []
    return {"items": items, "total": total, "page": page, "size": size}
