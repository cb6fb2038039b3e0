"""GET /cart without a framework: ASGI, asyncpg, orjson, one statement. The upper bound of hand-written Python.

It checks the token's signature, the session and the user, and answers the body that the project answers; it has no
routing, no errors, no request id, no log and no security headers.
"""

import os
from decimal import Decimal

import asyncpg
import jwt
import orjson

from proofs.benchmarks.bare.statements import GET_CART

KEY = os.environ["JWT_SIGNING_KEY"]
HEADERS = [(b"content-type", b"application/json")]
pool = None


def line(row):
    quantity, price, stock = row[3], row[9], row[11]
    book = {"id": row[6], "title": row[7], "author": row[8], "price": str(price), "cover_image_url": row[10]}
    issues = []
    if not row[12]:
        issues.append({"code": "BOOK_UNAVAILABLE"})
    elif stock == 0:
        issues.append({"code": "BOOK_OUT_OF_STOCK"})
    elif quantity > stock:
        issues.append({"code": "INSUFFICIENT_STOCK", "available": stock})
    if price != row[5]:
        issues.append({"code": "PRICE_CHANGED", "from": str(row[5]), "to": str(price)})
    return {
        "id": row[2], "book_id": row[6], "quantity": quantity, "book": book, "line_total": str(price * quantity),
        "added_at": row[4], "price_at_add": str(row[5]), "available_quantity": stock, "issues": issues,
    }  # fmt: skip


async def leave(connection):
    """In the place of asyncpg's RESET ALL: the one statement leaves nothing behind, and a round trip is a third."""


async def app(scope, receive, send):
    global pool
    if scope["type"] == "lifespan":
        await receive()
        pool = await asyncpg.create_pool(os.environ["DATABASE_URL"], min_size=4, max_size=4, reset=leave)
        await send({"type": "lifespan.startup.complete"})
        await receive()
        return
    headers = dict(scope["headers"])
    claims = jwt.decode(headers[b"authorization"].split()[1], KEY, algorithms=["HS256"], options={"verify_aud": False})
    rows = await pool.fetch(GET_CART, int(claims["sub"]), claims["sid"])
    status, body = 401, b""
    if rows and rows[0][0]:
        lines = [line(row) for row in rows if row[2]]
        total = sum((row[9] * row[3] for row in rows if row[2]), Decimal("0.00"))
        ready = bool(lines) and not any(i["code"] != "PRICE_CHANGED" for each in lines for i in each["issues"])
        status, body = 200, orjson.dumps({
            "items": lines, "total_items": sum(each["quantity"] for each in lines), "total_price": str(total),
            "currency": "USD", "updated_at": rows[0][1], "checkout_ready": ready,
        }, option=orjson.OPT_UTC_Z)  # fmt: skip
    await send({"type": "http.response.start", "status": status, "headers": HEADERS})
    await send({"type": "http.response.body", "body": body})
