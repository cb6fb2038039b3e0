"""The calls that storefronts make most, in one statement each.

Every statement begins at the caller's session: whether it is good and its user active is asked in the same breath as
the cart. What it cannot do it leaves alone and answers None; then the verbs of models.py, which lock and look step by
step, find out why, or do it after all. So each rule has its exact answer in one place, and this file only has to be
right when it says yes.

Reading is an ORM query, compiled once. The changes are written by hand, for PostgreSQL alone: the ORM has no UPDATE
or DELETE that takes one row, changes another and returns both. On other databases they answer None, and the verbs do
the work. All of them lock as the verbs do: the cart first, by stamping it, then the line.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

from django.conf import settings
from django.db import IntegrityError, connection
from django.db.models import BigIntegerField

from bookstore.accounts.claims import Claims
from bookstore.accounts.models import LoginSession, LoginSessionQuerySet
from bookstore.database import retrying
from bookstore.fastpath.compiled import Compiled, Prepared
from bookstore.fastpath.libpq import Row
from cart.representation import FACTS, cart_json, line_json

Line = dict[str, Any]


def caller(value: Callable[[str], Any]) -> LoginSessionQuerySet:
    """The caller's session, if it is good."""
    return LoginSession.objects.good().named_by(value)


READ = Prepared(
    lambda value: (
        caller(value)
        .order_by("user__carts__items__id")
        .values_list("user__carts__updated_at", *(f"user__carts__items__{fact}" for fact in FACTS))
    )
)

CALLER = Prepared(lambda value: caller(value).values_list("user_id"))


def read(claims: Claims) -> dict[str, Any] | None:
    """The caller's cart as clients get it, empty if there is none; None when the caller is not let in."""
    rows = READ.rows(**claims.values())
    if not rows:
        return None
    # Without a cart, and without a line, there is still the caller's one row, with NULLs.
    return cart_json(rows[0][0], (row[1:] for row in rows if row[1] is not None))


# What every statement answers with: FACTS, of the line and of its book.
RETURNED = """line.id, line.quantity, line.price_at_add, line.added_at, book.id, book.title, book.author, book.price,
    book.cover_image_url, book.stock_quantity, book.is_active"""

# The cart of the line, locked and stamped, if it is the caller's.
HELD = """
    caller (id) AS ({caller}),
    held AS (
        UPDATE carts SET updated_at = statement_timestamp()
        FROM caller
        WHERE carts.user_id = caller.id AND carts.id = (SELECT cart_id FROM cart_items WHERE id = %(item_id)s)
        RETURNING carts.id
    )"""

CHANGE = """
WITH {held}
UPDATE cart_items AS line SET quantity = %(quantity)s, price_at_add = book.price
FROM held, books AS book
WHERE line.id = %(item_id)s AND line.cart_id = held.id AND book.id = line.book_id
RETURNING {returned}"""

REMOVE = """
WITH {held}
DELETE FROM cart_items AS line USING held
WHERE line.id = %(item_id)s AND line.cart_id = held.id
RETURNING line.id"""

# A statement sees the lines as they were when it began, before it waited for the cart. `seen.updated_at` tells whether
# somebody changed the cart in between: then PostgreSQL looks at the cart's row anew, the two differ, and nothing is
# added here, so that the count of lines is never that of an earlier cart.
ADD = """
WITH caller (id) AS ({caller}),
book AS MATERIALIZED (
    SELECT * FROM books WHERE id = %(book_id)s AND is_active AND stock_quantity > 0
),
seen AS MATERIALIZED (
    SELECT carts.id, carts.updated_at FROM carts, caller, book
    WHERE carts.user_id = caller.id
    AND NOT EXISTS (SELECT 1 FROM cart_items WHERE cart_id = carts.id AND book_id = book.id)
    AND (SELECT count(*) FROM cart_items WHERE cart_id = carts.id) < %(max_lines)s
),
held AS (
    UPDATE carts SET updated_at = statement_timestamp()
    FROM seen
    WHERE carts.id = seen.id AND carts.updated_at = seen.updated_at
    RETURNING carts.id
),
line AS (
    INSERT INTO cart_items (cart_id, book_id, quantity, price_at_add)
    SELECT held.id, book.id, %(quantity)s, book.price FROM held, book
    ON CONFLICT ON CONSTRAINT uq_cart_items_cart_book DO NOTHING
    RETURNING *
)
SELECT {returned} FROM line, book"""


def add(claims: Claims, book_id: int, quantity: int) -> Line | None:
    """As `Cart.add`, for a cart that is there, has room and is not being changed by somebody else."""
    try:
        row = _run(ADD, claims, book_id=book_id, quantity=quantity, max_lines=settings.CART_MAX_LINES)
    except IntegrityError:  # the book or the user was deleted meanwhile: nothing was done, and the verb says which
        return None
    return line_json(*row) if row else None


def change_quantity(claims: Claims, item_id: int, quantity: int) -> Line | None:
    """As `CartItem.change_quantity`, for a line of the caller's."""
    row = _run(CHANGE, claims, item_id=item_id, quantity=quantity)
    return line_json(*row) if row else None


def remove(claims: Claims, item_id: int) -> bool:
    """As `CartItem.remove`, for a line of the caller's."""
    return _run(REMOVE, claims, item_id=item_id) is not None


@cache
def _complete(template: str) -> Compiled:
    """A statement with its common parts and the ORM's condition on the caller."""
    condition, constants = CALLER.on(connection.alias).named()
    sql = template.replace("{held}", HELD).replace("{returned}", RETURNED).replace("{caller}", condition)
    return Compiled.of_names(sql, constants)


@retrying
def _run(template: str, claims: Claims, **values: int) -> Row | None:
    if connection.vendor != "postgresql" or not all(
        abs(value) <= BigIntegerField.MAX_BIGINT for value in values.values()
    ):
        return None  # no row can have such an id, and PostgreSQL would refuse to read it
    rows = _complete(template).rows({**claims.values(), **values})
    return rows[0] if rows else None
