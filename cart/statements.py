"""The most frequent calls of storefronts, each in one statement.

Each statement also checks that the caller's session is good and the user active. When any condition fails it changes
nothing and returns None; the view then calls the verb of models.py, which locks and checks step by step, and either
succeeds or raises the reason. So the reasons have one home, the verbs, and these statements only handle success.

READ is an ORM query, compiled once. The changes are hand-written SQL for PostgreSQL, because the ORM has no UPDATE or
DELETE that locks one row, changes another and returns both. On other databases they return None. They lock in the same
order as the verbs: the cart, then the line.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

from django.conf import settings
from django.db import IntegrityError, connection
from django.db.models import BigIntegerField

from bookstore import fastpath
from bookstore.accounts.caller import Caller
from bookstore.accounts.models import LoginSession, LoginSessionQuerySet
from bookstore.database import retrying
from bookstore.fastpath.compiled import Compiled, Prepared
from bookstore.fastpath.libpq import Row
from cart.facts import COLUMNS, PATHS, CartFacts


def good_session(value: Callable[[str], Any]) -> LoginSessionQuerySet:
    """The caller's session, if it is good."""
    return LoginSession.objects.good().named_by(value)


READ = Prepared(
    lambda value: (
        good_session(value)
        .order_by("user__carts__items__id")
        .values_list("user__carts__updated_at", *(f"user__carts__items__{path}" for path in PATHS))
    )
)

CALLER = Prepared(lambda value: good_session(value).values_list("user_id"))


def read(caller: Caller) -> CartFacts | None:
    """The caller's cart, NO_CART if there is none; None when the caller's session is not good, or FAST_PATH is off."""
    if not fastpath.is_on():
        return None
    rows = READ.rows(**caller.claims.values())
    if not rows:
        return None
    caller.confirm()
    # LEFT JOIN: without a cart or a line the caller still has one row, with NULLs.
    return CartFacts.of_rows(rows)


# Every change locks the caller's cart, changes its lines, stamps the cart, and returns the whole cart as READ does: one
# row for each line.
#
# The snapshot of a statement is older than its wait for the lock. So `locked` compares `updated_at`, which only
# increases (`time_of_change`): PostgreSQL rechecks the row after the wait, and if it has changed, nothing is locked,
# changed or returned. A cart is not stamped when no line changed: its book may have been deleted.
UNCHANGED = "carts.updated_at = seen.updated_at"
LOCKED = """
    caller (id) AS ({caller}),
    seen AS MATERIALIZED (
        SELECT carts.id, carts.updated_at FROM carts, caller WHERE carts.user_id = caller.id
    ),
    locked AS MATERIALIZED (
        SELECT carts.id FROM carts, seen WHERE carts.id = seen.id AND {unchanged}
        FOR NO KEY UPDATE OF carts
    )"""

STAMP = """
        UPDATE carts SET updated_at = greatest(statement_timestamp(), carts.updated_at + interval '1 microsecond')
        WHERE carts.id = (SELECT cart_id FROM changed LIMIT 1)
        RETURNING carts.updated_at"""

# LATERAL with OFFSET 0 makes the planner read each book by id, never hash the whole table of books.
ROWS = """FROM stamped
LEFT JOIN cart_lines AS line ON true
LEFT JOIN LATERAL (SELECT * FROM books WHERE books.id = line.book_id OFFSET 0) AS book ON true
ORDER BY line.id"""
ANSWER = f"""
SELECT stamped.updated_at, {COLUMNS}
{ROWS}"""

CHANGE = """
WITH {locked},
    changed AS (
        UPDATE cart_items AS line SET quantity = %(quantity)s, price_at_add = book.price
        FROM locked, books AS book
        WHERE line.id = %(item_id)s AND line.cart_id = locked.id AND book.id = line.book_id
        RETURNING line.*
    ),
    stamped AS ({stamp}),
    cart_lines AS (
        SELECT others.* FROM cart_items AS others, locked
        WHERE others.cart_id = locked.id AND others.id <> %(item_id)s
        UNION ALL SELECT * FROM changed
    )
{answer}"""

REMOVE = """
WITH {locked},
    changed AS (
        DELETE FROM cart_items AS line USING locked
        WHERE line.id = %(item_id)s AND line.cart_id = locked.id
        RETURNING line.*
    ),
    stamped AS ({stamp}),
    cart_lines AS (
        SELECT others.* FROM cart_items AS others, locked
        WHERE others.cart_id = locked.id AND others.id <> %(item_id)s
    )
{answer}"""

# The rule of cart/adding.py in SQL; a test compares the two.
ADD = """
WITH {locked},
    wanted AS MATERIALIZED (
        SELECT books.id, books.price FROM books, locked
        WHERE books.id = %(book_id)s AND books.is_active AND books.stock_quantity > 0
        AND NOT EXISTS (SELECT 1 FROM cart_items WHERE cart_id = locked.id AND book_id = books.id)
        AND (SELECT count(*) FROM cart_items WHERE cart_id = locked.id) < %(max_lines)s
    ),
    changed AS (
        INSERT INTO cart_items (cart_id, book_id, quantity, price_at_add)
        SELECT locked.id, wanted.id, %(quantity)s, wanted.price FROM locked, wanted
        ON CONFLICT ON CONSTRAINT uq_cart_items_cart_book DO NOTHING
        RETURNING *
    ),
    stamped AS ({stamp}),
    cart_lines AS (
        SELECT others.* FROM cart_items AS others, locked WHERE others.cart_id = locked.id
        UNION ALL SELECT * FROM changed
    )
{answer}"""

CLEAR = """
WITH {locked},
    changed AS (
        DELETE FROM cart_items AS line USING locked WHERE line.cart_id = locked.id RETURNING line.*
    ),
    stamped AS ({stamp}),
    cart_lines AS (SELECT * FROM changed WHERE false)
{answer}"""


def add(caller: Caller, book_id: int, quantity: int) -> CartFacts | None:
    """As `Cart.add`, for a cart that exists, has room and is not changed concurrently; else None."""
    try:
        return _change(ADD, caller, book_id=book_id, quantity=quantity, max_lines=settings.CART_MAX_LINES)
    except IntegrityError:  # the book or the user was deleted meanwhile; the verb raises the reason
        return None


def change_quantity(caller: Caller, item_id: int, quantity: int) -> CartFacts | None:
    """As `CartItem.change_quantity`, for a line of the caller's."""
    return _change(CHANGE, caller, item_id=item_id, quantity=quantity)


def remove(caller: Caller, item_id: int) -> CartFacts | None:
    """As `CartItem.remove`, for a line of the caller's."""
    return _change(REMOVE, caller, item_id=item_id)


def clear(caller: Caller) -> CartFacts | None:
    """As `Cart.clear`, for a cart with a line."""
    return _change(CLEAR, caller)


@cache
def _complete(template: str) -> Compiled:
    """Fills in the common parts and the ORM's condition on the caller."""
    condition, constants = CALLER.on(connection.alias).named()
    parts = {
        "locked": LOCKED.replace("{caller}", condition).replace("{unchanged}", UNCHANGED),
        "stamp": STAMP,
        "columns": COLUMNS,
        "rows": ROWS,
        "answer": ANSWER,
    }
    for name, part in parts.items():
        template = template.replace(f"{{{name}}}", part)
    return Compiled.of_names(template, constants)


@retrying
def run(template: str, caller: Caller, **values: Any) -> list[Row]:
    """The rows that the statement returns, and the caller confirmed; none when the verb has to decide."""
    if not fastpath.is_on() or connection.vendor != "postgresql":
        return []
    rows = _complete(template).rows({**caller.claims.values(), **values})
    if rows:
        caller.confirm()
    return rows


def _change(template: str, caller: Caller, **values: int) -> CartFacts | None:
    if not all(abs(value) <= BigIntegerField.MAX_BIGINT for value in values.values()):
        return None  # no row has such an id, and PostgreSQL would raise
    rows = run(template, caller, **values)
    return CartFacts.of_rows(rows) if rows else None
