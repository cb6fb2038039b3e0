"""A merge in one statement, when every entry is good: what a storefront sends at each sign-in.

Handles success only, as statements.py does; else the view calls `Cart.merge`, which has the reasons. It repeats the
rule of `plan_merge` (merging.py) in SQL; cart/tests/test_merge_statement.py compares the two.
"""

from collections.abc import Sequence

from django.conf import settings
from django.db import IntegrityError
from django.db.models import BigIntegerField

from bookstore.accounts.caller import Caller
from cart import statements
from cart.facts import CartFacts
from cart.merging import Entry, MergeResult, MergeStatus, readable

# Locks the cart, the books of the entries by id, and the lines of the cart by id. Each part reads the one before it, so
# that the locks are taken in this order. After a wait PostgreSQL compares the row again: a book that was deleted is
# not `kept`, so that one is missing, and `held` has the lines as they are now. Prices and stock are read as the
# statement began, for new lines and for the answer: a price that changes meanwhile changes after the merge. An INSERT
# that meets a line of a writer without these locks violates uq_cart_items_cart_book, and nothing is merged. A merge
# that changes no line does not stamp the cart.
MERGE = """
WITH {locked},
    entries AS MATERIALIZED (
        SELECT entry.* FROM locked, unnest(%(book_ids)s::bigint[], %(quantities)s::smallint[], %(prices)s::numeric[])
        WITH ORDINALITY AS entry (book_id, quantity, price_seen, position)
    ),
    kept AS MATERIALIZED (
        SELECT books.id FROM entries, books WHERE books.id = entries.book_id ORDER BY books.id FOR KEY SHARE OF books
    ),
    all_kept AS MATERIALIZED (SELECT FROM kept HAVING count(*) = %(size)s),
    held AS MATERIALIZED (
        SELECT line.* FROM all_kept, locked, cart_items AS line WHERE line.cart_id = locked.id
        ORDER BY line.id FOR NO KEY UPDATE OF line
    ),
    wanted AS MATERIALIZED (
        SELECT entries.*, books.price FROM all_kept, entries, books
        WHERE books.id = entries.book_id AND books.is_active AND books.stock_quantity > 0
        AND entries.book_id NOT IN (SELECT book_id FROM held)
    ),
    good AS MATERIALIZED (
        SELECT FROM all_kept
        WHERE (SELECT count(*) FROM wanted) + (SELECT count(*) FROM held JOIN entries USING (book_id)) = %(size)s
        AND (SELECT count(*) FROM wanted) <= greatest(%(max_lines)s - (SELECT count(*) FROM held), 0)
    ),
    updated AS (
        UPDATE cart_items AS line SET quantity = entries.quantity FROM good, held, entries
        WHERE line.id = held.id AND entries.book_id = held.book_id AND entries.quantity > held.quantity
        RETURNING line.*
    ),
    added AS (
        INSERT INTO cart_items (cart_id, book_id, quantity, price_at_add)
        SELECT locked.id, book_id, quantity, coalesce(price_seen, price) FROM good, locked, wanted ORDER BY position
        RETURNING *
    ),
    changed AS (SELECT cart_id FROM updated UNION ALL SELECT cart_id FROM added),
    stamp AS ({stamp}),
    stamped AS (
        SELECT updated_at FROM stamp
        UNION ALL SELECT updated_at FROM good, seen WHERE NOT EXISTS (SELECT FROM changed)
    ),
    cart_lines AS (
        SELECT held.*, 'unchanged' AS status FROM held WHERE held.id NOT IN (SELECT id FROM updated)
        UNION ALL SELECT *, 'updated' FROM updated
        UNION ALL SELECT *, 'added' FROM added
    )
SELECT stamped.updated_at, {columns}, line.status
{rows}"""


def merge(caller: Caller, entries: Sequence[Entry]) -> tuple[CartFacts, list[MergeResult]] | None:
    """As `Cart.merge`, for a cart that exists, has room and is not changed concurrently, when no entry is skipped; else
    None, and nothing is changed.
    """
    ids = [entry.book_id for entry, fault in readable(entries) if fault is None and entry.book_id is not None]
    if len(ids) < len(entries) or not all(abs(book_id) <= BigIntegerField.MAX_BIGINT for book_id in ids):
        return None
    try:
        rows = statements.run(
            MERGE,
            caller,
            book_ids=ids,
            quantities=[entry.quantity for entry in entries],
            prices=[entry.price_seen for entry in entries],
            size=len(ids),
            max_lines=settings.CART_MAX_LINES,
        )
    except IntegrityError:  # a line or a deletion by a writer without the locks; the verb merges what is there now
        return None
    if not rows:
        return None
    cart = CartFacts.of_rows(row[:-1] for row in rows)
    statuses = {line.book_id: MergeStatus(row[-1]) for line, row in zip(cart.lines, rows, strict=True)}
    return cart, [{"book_id": book_id, "status": statuses[book_id]} for book_id in ids]
