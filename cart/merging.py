"""How a guest's cart becomes part of a customer's.

It is decided here, on what was read under the lock, and written by `Cart.merge`.
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
    book_id: int | None  # null of an entry that names no book
    status: MergeStatus
    code: str  # why it was skipped
    field: str  # of an entry that cannot be read: what is wrong with it
    detail: str


class Entry(NamedTuple):
    """What a guest wants of one book. `fault` is why an entry cannot be read; the rest of it is then not looked at."""

    book_id: int | None
    quantity: int = 1  # copies
    price_seen: Decimal | None = None  # of one copy: what the guest was shown; None is not known
    fault: ValidationError | None = None


class NewLine(NamedTuple):
    quantity: int
    price_at_add: Decimal


@dataclass
class MergePlan:
    """What a merge will write, by book id, and what it answers for each entry."""

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
    """Each entry, and why it is skipped whatever the shop has: it is faulty, or an earlier one names its book."""
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
    """For each entry in turn, against the quantities that are `in_cart` by book id, and the `books` as they are now.

    A book that is in the cart gets the larger of the two quantities, whatever its stock, so that the same merge, sent
    again, changes nothing; a changed price stays one until the customer confirms it. A new line is at the price that
    the guest saw, so that a price which changed since is told, too.
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
