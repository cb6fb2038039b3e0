"""How a guest's cart becomes part of a customer's.

It is decided here, on what was read under the lock, and written by `Cart.merge`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypedDict

from bookstore.api.errors import ApiError
from cart.exceptions import BookOutOfStock, CartLimitExceeded
from catalog.exceptions import BookNotFound
from catalog.models import Book


class MergeStatus(StrEnum):
    ADDED = "added"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    SKIPPED = "skipped"


class MergeResult(TypedDict, total=False):
    book_id: int
    status: MergeStatus
    code: str  # why it was skipped


@dataclass
class MergePlan:
    """What a merge will write (book id → quantity, copies), and what it answers for each entry."""

    added: dict[int, int] = field(default_factory=dict)
    updated: dict[int, int] = field(default_factory=dict)
    results: list[MergeResult] = field(default_factory=list)

    def record(self, book_id: int, status: MergeStatus) -> None:
        self.results.append({"book_id": book_id, "status": status})

    def skip(self, book_id: int, reason: type[ApiError]) -> None:
        self.results.append({"book_id": book_id, "status": MergeStatus.SKIPPED, "code": reason.code})


def plan_merge(
    entries: Iterable[tuple[int, int]], *, held: Mapping[int, int], books: Mapping[int, Book], max_lines: int
) -> MergePlan:
    """For each (book id, quantity) in turn, against the quantities `held` and the `books` on sale.

    A book that is held gets the larger of the two quantities, as a PUT would set it, whatever its stock: so that the
    same merge, sent again, changes nothing. A new one must be on sale and in stock, and must find room.
    """
    plan = MergePlan()
    for book_id, quantity in entries:
        if book_id in held:
            if quantity > held[book_id]:
                plan.updated[book_id] = quantity
                plan.record(book_id, MergeStatus.UPDATED)
            else:
                plan.record(book_id, MergeStatus.UNCHANGED)
        elif book_id not in books:
            plan.skip(book_id, BookNotFound)
        elif not books[book_id].in_stock:
            plan.skip(book_id, BookOutOfStock)
        elif len(held) + len(plan.added) >= max_lines:
            plan.skip(book_id, CartLimitExceeded)
        else:
            plan.added[book_id] = quantity
            plan.record(book_id, MergeStatus.ADDED)
    return plan
