"""May this book be added to a cart? The rule of `Cart.add`, `Cart.merge`, and of the statement ADD (statements.py).

ADD repeats it in SQL, for speed; `cart/tests/test_adding.py` holds the two together.
"""

from bookstore.api.errors import ApiError
from cart.exceptions import BookOutOfStock, CartItemDuplicate, CartLimitExceeded
from catalog.exceptions import BookNotFound
from catalog.models import Book


def refusal(book: Book | None, *, in_line: int | None, lines: int, max_lines: int) -> ApiError | None:
    """Why not: the first reason of those that apply; None when the book may be added.

    `book` is the row as it is now, None when there is none. `in_line` is the id of the line that already holds it, and
    `lines` is how many lines the cart has.
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
