"""The two steps of a checkout in one statement each, for PostgreSQL; steps.py does the same by the ORM.

LOOK takes its locks in the order of bookstore/database/locks.py: each part of the WITH reads the one before. Its
snapshot is older than the cart's lock where it had to wait for that: then `carts.updated_at`, which only increases, has
another value, nothing of the cart is returned, and the statement is run again, now under the lock.
"""

from functools import cache
from typing import TYPE_CHECKING, Any

import orjson
from django.db import connection

from bookstore.fastpath.compiled import Compiled
from bookstore.tasks import rows
from cart.facts import COLUMNS, CartFacts, LineFacts
from cart.representation import dump
from orders.exceptions import IdempotencyKeyReused
from orders.models import KEPT, Order, OrderItem
from orders.representation import order_json
from orders.steps import Look, Made

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

OF_THE_CART = 9  # columns of LOOK before those of a line
MOST_LOOKS = 3  # the second has the cart's lock; a third is for a cart that was deleted and created again

LOOK = """
WITH
    customer AS MATERIALIZED (SELECT id FROM users WHERE id = %(user_id)s FOR KEY SHARE),
    made AS (
        SELECT checkout_keys.fingerprint, checkout_keys.order_id, checkout_keys.answer
        FROM checkout_keys, customer
        WHERE checkout_keys.user_id = customer.id AND checkout_keys.key = %(key)s
        AND checkout_keys.created_at > clock_timestamp() - %(kept)s::interval
    ),
    seen AS MATERIALIZED (
        SELECT carts.id, carts.updated_at FROM carts, customer WHERE carts.user_id = customer.id
    ),
    locked AS MATERIALIZED (
        SELECT carts.id, carts.updated_at FROM carts, seen
        WHERE carts.id = seen.id AND carts.updated_at = seen.updated_at
        FOR NO KEY UPDATE OF carts
    ),
    wanted AS MATERIALIZED (
        SELECT {columns}, book.isbn
        FROM locked
        JOIN cart_items AS line ON line.cart_id = locked.id
        JOIN books AS book ON book.id = line.book_id
        ORDER BY book.id
        FOR NO KEY UPDATE OF book
    )
SELECT clock_timestamp(), customer.id, made.fingerprint, made.order_id, made.answer, seen.id, locked.id,
    locked.updated_at, (SELECT nextval(pg_get_serial_sequence('orders', 'id'))),
    nextval(pg_get_serial_sequence('order_items', 'id')), wanted.*
FROM (VALUES (1)) AS one
LEFT JOIN customer ON true LEFT JOIN made ON true LEFT JOIN seen ON true LEFT JOIN locked ON true
LEFT JOIN wanted ON true
ORDER BY wanted.{first}"""

# The books, the cart and its lines are locked by LOOK.
WRITE = """
WITH
    goods AS MATERIALIZED (
        SELECT * FROM jsonb_to_recordset(%(goods)s::jsonb) AS goods (
            id bigint, book_id bigint, quantity integer, unit_price numeric, title text, author text, isbn text,
            cover_image_url text
        )
    ),
    taken AS (
        UPDATE books SET stock_quantity = books.stock_quantity - goods.quantity, updated_at = %(at)s
        FROM goods
        WHERE books.id = goods.book_id AND books.is_active AND books.stock_quantity >= goods.quantity
        RETURNING books.id
    ),
    placed AS (
        INSERT INTO orders (
            id, number, user_id, status, created_at, expires_at, currency, total_items, total_price, note, contact,
            cancelled_by, cancel_reason, payment_reference
        )
        VALUES (
            %(order_id)s, %(number)s, %(user_id)s, 'placed', %(at)s, %(expires_at)s, %(currency)s, %(total_items)s,
            %(total_price)s, %(note)s, %(contact)s::jsonb, '', '', ''
        )
        RETURNING id
    ),
    items AS (
        INSERT INTO order_items (
            id, order_id, book_id, quantity, unit_price, title, author, isbn, cover_image_url
        )
        SELECT goods.id, placed.id, goods.book_id, goods.quantity, goods.unit_price, goods.title, goods.author,
            goods.isbn, goods.cover_image_url
        FROM placed, goods
    ),
    emptied AS (DELETE FROM cart_items WHERE cart_id = %(cart_id)s),
    stamped AS (
        UPDATE carts SET updated_at = greatest(statement_timestamp(), carts.updated_at + interval '1 microsecond')
        WHERE id = %(cart_id)s
    ),
    kept AS (
        INSERT INTO checkout_keys (user_id, key, fingerprint, order_id, answer, created_at)
        SELECT %(user_id)s, %(key)s, %(fingerprint)s, placed.id, %(answer)s, %(at)s
        FROM placed WHERE %(key)s <> ''
        ON CONFLICT ON CONSTRAINT uq_checkout_keys_user_key DO UPDATE
        SET fingerprint = EXCLUDED.fingerprint, order_id = EXCLUDED.order_id, answer = EXCLUDED.answer,
            created_at = EXCLUDED.created_at
        WHERE checkout_keys.created_at <= EXCLUDED.created_at - %(kept)s::interval
        RETURNING id
    ),
    queued AS ({insert_tasks})
SELECT (SELECT count(*) FROM taken), (SELECT count(*) FROM kept)"""


@cache
def compiled(template: str) -> Compiled:
    first = LineFacts._fields[0]
    filled = template.replace("{columns}", COLUMNS).replace("{first}", first).replace("{insert_tasks}", rows.INSERT)
    return Compiled.of_names(filled, {"kept": KEPT})


def run(template: str, values: "Mapping[str, Any]") -> list[Any]:
    return compiled(template).rows(dict(values))


def look(user_id: int, key: str) -> Look:
    """As steps.look: one statement, and one more each time the cart changed while this waited for its lock."""
    for _ in range(MOST_LOOKS):
        found_rows = run(LOOK, {"user_id": user_id, "key": key})
        at, customer, fingerprint, made_order, answer, seen, locked, updated_at, order_id = found_rows[0][:OF_THE_CART]
        found = Look(at, user_exists=customer is not None)
        if made_order is not None:
            return found._replace(made=Made(fingerprint, made_order, answer))
        if seen is None:
            return found
        if locked is not None:
            break
    else:
        return found  # the cart is deleted and created all the time: handled as an empty one
    # LEFT JOIN: a cart without lines is one row with NULLs. The last column is the ISBN.
    of_lines = [row[OF_THE_CART:] for row in found_rows if row[OF_THE_CART + 1] is not None]
    lines = [LineFacts._make(row[1:-1]) for row in of_lines]
    return found._replace(
        cart_id=locked,
        cart=CartFacts(updated_at, lines),
        isbns={line.book_id: row[-1] for line, row in zip(lines, of_lines, strict=True)},
        order_id=order_id,
        item_ids=sorted(row[0] for row in of_lines),
    )


def write(
    seen: Look, order: Order, items: list[OrderItem], *, key: str, fingerprint: str, tasks: "Sequence[Any]"
) -> bool:
    """As steps.write: one statement. Raises IdempotencyKeyReused when another call took the key without the lock."""
    order.as_placed = dump(order_json(order, items))
    values = {name: getattr(order, name) for name in ORDER} | {
        "order_id": order.pk,
        "at": order.created_at,
        "contact": None if order.contact is None else orjson.dumps(order.contact).decode(),
        "goods": orjson.dumps([goods_of(item) for item in items]).decode(),
        "cart_id": seen.cart_id,
        "key": key,
        "fingerprint": fingerprint,
        "answer": order.as_placed,
        "tasks": orjson.dumps([rows.row_of(task, order.pk) for task in tasks]).decode(),
    }
    [(taken, kept)] = run(WRITE, values)
    if key and not kept:
        raise IdempotencyKeyReused
    order._state.adding, order._state.db = False, connection.alias
    return bool(taken == len(items))


ORDER = ("number", "user_id", "expires_at", "currency", "total_items", "total_price", "note")
GOODS = ("id", "book_id", "quantity", "title", "author", "isbn", "cover_image_url")


def goods_of(item: OrderItem) -> dict[str, Any]:
    return {name: getattr(item, name) for name in GOODS} | {"unit_price": str(item.unit_price)}
