"""A checkout in two statements without a transaction around them, for PostgreSQL: READ without locks, then WRITE.

WRITE locks in the order of bookstore/database/locks.py, compares the cart and its books with what READ found, and then
takes, stores and empties all of it in the one statement. When anything differs it changes nothing, and `checkout`
(checkout.py), which reads under the locks, decides. So `buy` may read what is outdated, and nothing outdated is bought.
"""

from functools import cache
from typing import Any

import orjson
from django.conf import settings
from django.db import connection

from bookstore import fastpath
from bookstore.accounts.caller import Caller
from bookstore.api.errors import ApiError
from bookstore.database import retrying
from bookstore.fastpath.compiled import Compiled
from bookstore.tasks import rows
from cart.facts import COLUMNS, CartFacts, LineFacts
from cart.representation import dump
from cart.statements import CALLER
from orders.checkout import CheckoutRequest, planned, refuse, tasks_of
from orders.models import KEPT, Order, OrderItem
from orders.representation import order_json
from orders.steps import Look

OF_THE_CART = 5  # columns of READ before those of a line: a new item's id, the line with its book, the ISBN

READ = """
WITH caller (id) AS ({caller})
SELECT statement_timestamp(), carts.user_id, carts.id, carts.updated_at,
    (SELECT nextval(pg_get_serial_sequence('orders', 'id'))), nextval(pg_get_serial_sequence('order_items', 'id')),
    {columns}, book.isbn
FROM caller
JOIN carts ON carts.user_id = caller.id
JOIN cart_items AS line ON line.cart_id = carts.id
JOIN books AS book ON book.id = line.book_id
ORDER BY line.id"""

# Each part reads the one before, so that the locks are taken in their order. PostgreSQL compares a row again when it
# had to wait for its lock. `carts.updated_at` only increases: while it is the same, so are the lines.
WRITE = """
WITH
    goods AS MATERIALIZED (
        SELECT * FROM jsonb_to_recordset(%(goods)s::jsonb) AS goods (
            id bigint, book_id bigint, quantity integer, unit_price numeric, title text, author text, isbn text,
            cover_image_url text
        )
    ),
    customer AS MATERIALIZED (SELECT id FROM users WHERE id = %(user_id)s FOR KEY SHARE),
    locked AS MATERIALIZED (
        SELECT carts.id FROM carts, customer
        WHERE carts.id = %(cart_id)s AND carts.user_id = customer.id AND carts.updated_at = %(cart_updated_at)s
        FOR NO KEY UPDATE OF carts
    ),
    wanted AS MATERIALIZED (
        SELECT books.id FROM locked, goods, books
        WHERE books.id = goods.book_id AND books.is_active AND books.stock_quantity >= goods.quantity
        AND (books.price, books.title, books.author) = (goods.unit_price, goods.title, goods.author)
        AND books.isbn IS NOT DISTINCT FROM goods.isbn
        AND books.cover_image_url IS NOT DISTINCT FROM goods.cover_image_url
        ORDER BY books.id
        FOR NO KEY UPDATE OF books
    ),
    ready AS MATERIALIZED (SELECT 1 FROM wanted HAVING count(*) = %(lines)s),
    kept AS (
        INSERT INTO checkout_keys (user_id, key, fingerprint, order_id, answer, created_at)
        SELECT %(user_id)s, %(key)s, %(fingerprint)s, %(order_id)s, %(answer)s, %(at)s
        FROM ready WHERE %(key)s <> ''
        ON CONFLICT ON CONSTRAINT uq_checkout_keys_user_key DO UPDATE
        SET fingerprint = EXCLUDED.fingerprint, order_id = EXCLUDED.order_id, answer = EXCLUDED.answer,
            created_at = EXCLUDED.created_at
        WHERE checkout_keys.created_at <= EXCLUDED.created_at - %(kept)s::interval
        RETURNING id
    ),
    agreed AS MATERIALIZED (SELECT 1 FROM ready WHERE %(key)s = '' OR EXISTS (SELECT FROM kept)),
    taken AS (
        UPDATE books SET stock_quantity = books.stock_quantity - goods.quantity, updated_at = clock_timestamp()
        FROM agreed, goods WHERE books.id = goods.book_id
    ),
    placed AS (
        INSERT INTO orders (
            id, number, user_id, status, created_at, expires_at, currency, total_items, total_price, note, contact,
            cancelled_by, cancel_reason, payment_reference
        )
        SELECT %(order_id)s, %(number)s, %(user_id)s, 'placed', %(at)s, %(expires_at)s, %(currency)s, %(total_items)s,
            %(total_price)s, %(note)s, %(contact)s::jsonb, '', '', ''
        FROM agreed
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
    emptied AS (DELETE FROM cart_items USING agreed WHERE cart_id = %(cart_id)s),
    stamped AS (
        UPDATE carts SET updated_at = greatest(statement_timestamp(), carts.updated_at + interval '1 microsecond')
        FROM agreed WHERE carts.id = %(cart_id)s
    ),
    queued AS ({insert_tasks} WHERE EXISTS (SELECT FROM agreed))
SELECT id FROM placed"""


@cache
def compiled(template: str) -> Compiled:
    condition, constants = CALLER.on(connection.alias).named()
    parts = {"{caller}": condition, "{columns}": COLUMNS, "{insert_tasks}": rows.INSERT}
    for name, part in parts.items():
        template = template.replace(name, part)
    return Compiled.of_names(template, constants | {"kept": KEPT})


@retrying
def buy(caller: Caller, asked: CheckoutRequest) -> Order | None:
    """As `checkout`, also checks the caller's session: two statements, three with REQUIRE_VERIFIED_EMAIL.

    None when nothing was changed and `checkout` has to decide: the session is not good, the cart is empty, the key was
    used, or something changed between READ and WRITE. Raises what `refuse` does, of what READ found.
    """
    if not fastpath.is_on() or connection.vendor != "postgresql":
        return None
    if settings.REQUIRE_VERIFIED_EMAIL:
        caller.user().require_verified()
    seen = read(caller)
    if seen is None:
        return None
    try:
        refuse(seen.cart, asked)
    except ApiError:
        if asked.key:  # it may have bought this cart before
            return None
        raise
    order, items = planned(seen, asked)
    return order if write(seen, order, items, asked) else None


def read(caller: Caller) -> Look | None:
    """The caller's cart, and new ids; None without a line or a good session. Takes no lock."""
    found = compiled(READ).rows(caller.claims.values())
    if not found:
        return None
    caller.confirm()
    at, user_id, cart_id, updated_at, order_id = found[0][:OF_THE_CART]
    of_lines = [row[OF_THE_CART:] for row in found]
    lines = [LineFacts._make(row[1:-1]) for row in of_lines]
    return Look(
        at,
        user_id,
        cart_id=cart_id,
        cart=CartFacts(updated_at, lines),
        isbns={line.book_id: row[-1] for line, row in zip(lines, of_lines, strict=True)},
        order_id=order_id,
        item_ids=sorted(row[0] for row in of_lines),
    )


def write(seen: Look, order: Order, items: list[OrderItem], asked: CheckoutRequest) -> bool:
    """As steps.write, of what nobody has locked. False when it is no longer so, and nothing was changed."""
    order.as_placed = dump(order_json(order, items))
    values = {name: getattr(order, name) for name in ORDER} | {
        "order_id": order.pk,
        "at": order.created_at,
        "contact": None if order.contact is None else orjson.dumps(order.contact).decode(),
        "goods": orjson.dumps([goods_of(item) for item in items]).decode(),
        "lines": len(items),
        "cart_id": seen.cart_id,
        "cart_updated_at": seen.cart.updated_at,
        "key": asked.key,
        "fingerprint": asked.fingerprint if asked.key else "",
        "answer": order.as_placed,
        "tasks": orjson.dumps([rows.row_of(task, order.pk) for task in tasks_of(order)]).decode(),
    }
    if not compiled(WRITE).rows(values):
        return False
    order._state.adding, order._state.db = False, connection.alias
    return True


ORDER = ("number", "user_id", "expires_at", "currency", "total_items", "total_price", "note")
GOODS = ("id", "book_id", "quantity", "title", "author", "isbn", "cover_image_url")


def goods_of(item: OrderItem) -> dict[str, Any]:
    return {name: getattr(item, name) for name in GOODS} | {"unit_price": str(item.unit_price)}
