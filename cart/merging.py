"""Merging a guest's cart into a customer's.

Plans without a query, on rows read under the lock; `Cart.merge` writes the plan. merge_statement.py repeats the plan in
SQL for entries that are all good.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple, TypedDict

from bookstore.api.errors import ApiError, ValidationError
from cart.adding import refusal
from cart.exceptions import CartItemDuplicate
from cart.quantities import check_quantity
from catalog.models import Book


class MergeStatus(StrEnum):
    ADDED = "added"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    SKIPPED = "skipped"


class MergeResult(TypedDict, total=False):
    book_id: int | None  # null for an entry without a book
    status: MergeStatus
    code: str  # the reason for skipping it
    field: str  # of an invalid entry: the field at fault
    detail: str


class Entry(NamedTuple):
    """One book of a guest's cart. With a `fault` the entry is invalid, and its other fields are ignored."""

    book_id: int | None
    quantity: int = 1  # copies
    price_seen: Decimal | None = None  # of one copy, as shown to the guest; None: unknown
    fault: ValidationError | None = None


class NewLine(NamedTuple):
    quantity: int
    price_at_add: Decimal


@dataclass
class MergePlan:
    """The lines that a merge will write, by book id, and the result of each entry."""

    added: dict[int, NewLine] = field(default_factory=dict)
    updated: dict[int, int] = field(default_factory=dict)  # the new quantity
    results: list[MergeResult] = field(default_factory=list)

    def record(self, book_id: int, status: MergeStatus) -> None:
        self.results.append({"book_id": book_id, "status": status})

    def skip(self, book_id: int | None, reason: ApiError | type[ApiError]) -> None:
        self.results.append(skipped(book_id, reason))


def skipped(book_id: int | None, reason: ApiError | type[ApiError]) -> MergeResult:
    result: MergeResult = {"book_id": book_id, "status": MergeStatus.SKIPPED, "code": reason.code}
    if isinstance(reason, ValidationError):
        result |= {"field": reason.field or "", "detail": str(reason.detail)}
    return result


def readable(entries: Iterable[Entry]) -> Iterable[tuple[Entry, ApiError | type[ApiError] | None]]:
    """Each entry, with the reason to skip it, if it is invalid or repeats a book."""
    named: set[int | None] = set()
    for entry in entries:
        fault: ApiError | type[ApiError] | None = entry.fault
        if fault is None:
            try:
                check_quantity(entry.quantity)
            except ValidationError as error:
                fault = error
        if fault is None and entry.book_id in named:
            fault = CartItemDuplicate
        if fault is None:
            named.add(entry.book_id)
        yield entry, fault


def plan_merge(
    entries: Iterable[Entry], *, in_cart: Mapping[int, int], books: Mapping[int, Book], max_lines: int
) -> MergePlan:
    """Plans each entry in turn. `in_cart` has the quantities by book id, `books` the current rows.

    An existing line gets the larger of the two quantities, whatever the stock, so that a repeated merge changes
    nothing; it keeps PRICE_CHANGED until the customer confirms the price. A new line stores the price that the guest
    saw, so that it shows PRICE_CHANGED, too.
    """
    plan = MergePlan()
    for entry, fault in readable(entries):
        book_id = entry.book_id
        if fault is not None or book_id is None:
            plan.skip(book_id, fault or ValidationError)
        elif book_id in in_cart:
            if entry.quantity > in_cart[book_id]:
                plan.updated[book_id] = entry.quantity
                plan.record(book_id, MergeStatus.UPDATED)
            else:
                plan.record(book_id, MergeStatus.UNCHANGED)
        elif reason := refusal(
            books.get(book_id), in_line=None, lines=len(in_cart) + len(plan.added), max_lines=max_lines
        ):
            plan.skip(book_id, reason)
        else:
            price = books[book_id].price if entry.price_seen is None else entry.price_seen
            plan.added[book_id] = NewLine(entry.quantity, price)
            plan.record(book_id, MergeStatus.ADDED)
    return plan
