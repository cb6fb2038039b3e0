"""The issues of a line, as data: computed at every read, never stored."""

from decimal import Decimal
from enum import StrEnum
from typing import Any


class IssueCode(StrEnum):
    BOOK_UNAVAILABLE = "BOOK_UNAVAILABLE"  # the shop no longer sells it
    BOOK_OUT_OF_STOCK = "BOOK_OUT_OF_STOCK"
    INSUFFICIENT_STOCK = "INSUFFICIENT_STOCK"  # fewer copies than the line's quantity: `available`
    PRICE_CHANGED = "PRICE_CHANGED"  # `from` one unit price `to` another, since the line was added or last changed


# Issues that block checkout. A changed price does not.
BLOCKING = frozenset({IssueCode.BOOK_UNAVAILABLE, IssueCode.BOOK_OUT_OF_STOCK, IssueCode.INSUFFICIENT_STOCK})

Issue = dict[str, Any]


def blocking_issue(quantity: int, *, stock: int, is_active: bool) -> Issue | None:
    """The most severe blocking issue, if there is one.

    cart/admin/querysets.py repeats the rule in SQL (PROBLEMS); a test compares the two.
    """
    if not is_active:
        return {"code": IssueCode.BOOK_UNAVAILABLE}
    if stock == 0:
        return {"code": IssueCode.BOOK_OUT_OF_STOCK}
    if quantity > stock:
        return {"code": IssueCode.INSUFFICIENT_STOCK, "available": stock}
    return None


def issues_of(*, quantity: int, stock: int, is_active: bool, price: Decimal, price_at_add: Decimal) -> list[Issue]:
    """The issues of one line: at most one that blocks, then PRICE_CHANGED."""
    blocking = blocking_issue(quantity, stock=stock, is_active=is_active)
    issues = [blocking] if blocking else []
    if price != price_at_add:
        issues.append({"code": IssueCode.PRICE_CHANGED, "from": f"{price_at_add:.2f}", "to": f"{price:.2f}"})
    return issues
