"""The facts of a cart: its lines with today's books, and the totals and issues computed from them.

The models (`CartItem.facts`, `Cart.facts`) and statements.py both build these, so that totals, issues and readiness for
checkout have one implementation. `LineFacts` is the one ordered list of a line's columns.
"""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from cart.issues import Issue, blocking_issue, issues_of

if TYPE_CHECKING:
    from cart.models import CartItem
    from catalog.models import Book

NOTHING = Decimal("0.00")


class LineFacts(NamedTuple):
    """A line's columns, then its book's. A field `book_title` is the book's column `title`; see PATHS.

    A line of a guest's cart is not stored: it has no id and no time.
    """

    id: int | None
    quantity: int  # copies
    price_at_add: Decimal | None  # of one copy; None in a line that no verb wrote, which then has no PRICE_CHANGED
    added_at: datetime | None
    book_id: int
    book_title: str
    book_author: str
    book_price: Decimal  # today's price of one copy, in the shop's currency
    book_cover_image_url: str | None
    book_stock_quantity: int  # copies
    book_is_active: bool

    @classmethod
    def of(cls, line: "CartItem") -> Self:
        """No query when the line's book was loaded with it."""
        return cls._make(_read(line))

    @classmethod
    def of_guest(cls, book: "Book", quantity: int, price_seen: Decimal | None) -> Self:
        """A line that is not stored; `price_seen` takes the place of the price when it was added."""
        return cls(None, quantity, price_seen, None, *_read_book(book))

    @property
    def known_price(self) -> Decimal:
        """The unit price that the customer last agreed to, by adding or changing the line."""
        return self.book_price if self.price_at_add is None else self.price_at_add

    @property
    def line_total(self) -> Decimal:
        """At today's price."""
        return self.book_price * self.quantity

    @property
    def is_blocked(self) -> bool:
        """Whether it blocks the cart's checkout."""
        blocked = blocking_issue(self.quantity, stock=self.book_stock_quantity, is_active=self.book_is_active)
        return blocked is not None

    @property
    def issues(self) -> list[Issue]:
        """What the customer should know before checkout."""
        return issues_of(
            quantity=self.quantity,
            stock=self.book_stock_quantity,
            is_active=self.book_is_active,
            price=self.book_price,
            price_at_add=self.known_price,
        )


class CartFacts(NamedTuple):
    """A snapshot of a cart. `updated_at` is None when there is no cart."""

    updated_at: datetime | None
    lines: list[LineFacts]  # in the order in which they were added

    @classmethod
    def of_rows(cls, rows: Iterable[tuple[Any, ...]]) -> Self:
        """From rows of `updated_at` and a line's columns, which are NULL in the one row of a cart without lines."""
        rows = list(rows)
        updated_at = rows[0][0] if rows else None
        return cls(updated_at, [LineFacts._make(row[1:]) for row in rows if row[1] is not None])

    @property
    def total_items(self) -> int:
        """Copies, not lines."""
        return sum(line.quantity for line in self.lines)

    @property
    def total_price(self) -> Decimal:
        """At today's prices, in the shop's currency."""
        return sum((line.line_total for line in self.lines), NOTHING)

    @property
    def checkout_ready(self) -> bool:
        """Whether there are lines and none has an issue that blocks."""
        return bool(self.lines) and not any(line.is_blocked for line in self.lines)

    def line_of_book(self, book_id: int) -> LineFacts:
        """Raises StopIteration when the cart does not hold the book."""
        return next(line for line in self.lines if line.book_id == book_id)

    def line(self, line_id: int) -> LineFacts | None:
        return next((line for line in self.lines if line.id == line_id), None)


NO_CART = CartFacts(None, [])


def _path(field: str) -> str:
    """`book_title` is reached from a line as `book__title`. `book_id` is the line's own column."""
    return field if field == "book_id" else field.replace("book_", "book__")


# The path of the ORM from a line to each field of LineFacts.
PATHS = tuple(_path(field) for field in LineFacts._fields)
# The same as columns of a hand-written statement with the table aliases `line` and `book`.
COLUMNS = ", ".join(path.replace("__", ".") if "__" in path else f"line.{path}" for path in PATHS)
_read = attrgetter(*(path.replace("__", ".") for path in PATHS))
_read_book = attrgetter("pk", *(path.removeprefix("book__") for path in PATHS if "__" in path))
