"""Whether a book may be added to a cart: the rule of `Cart.add` and `Cart.merge`.

The statements ADD (statements.py) and MERGE (merge_statement.py) repeat it in SQL for speed;
`cart/tests/test_adding.py` compares them.
"""

from bookstore.api.errors import ApiError
from cart.exceptions import BookOutOfStock, CartItemDuplicate, CartLimitExceeded
from catalog.exceptions import BookNotFound
from catalog.models import Book


def refusal(book: Book | None, *, in_line: int | None, lines: int, max_lines: int) -> ApiError | None:
    """The first reason to refuse the book; None when it may be added.

    `book` is the current row, or None. `in_line` is the id of the line that already holds the book, and `lines` the
    number of lines in the cart.
    """
    if book is None or not book.is_active:
        return BookNotFound()
    if not book.in_stock:
        return BookOutOfStock()
    if in_line is not None:
        return CartItemDuplicate(item_id=in_line)
    if lines >= max_lines:
        return CartLimitExceeded()
    return None
