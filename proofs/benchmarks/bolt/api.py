"""A book, a page and a cart as its documentation shows them: typed handlers, async ORM, dicts encoded by msgspec."""

import os
from typing import Any

from django_bolt import BoltAPI
from django_bolt.auth import IsAuthenticated, JWTAuthentication
from django_bolt.exceptions import HTTPException

from proofs.benchmarks.plain.models import Book, Cart

api = BoltAPI()
OF_LINES = ("id", "title", "author", "price", "cover_image_url")
OF_BOOKS = (
    *("id", "title", "author", "price", "isbn", "genre_id", "description", "cover_image_url"),
    *("publish_date", "stock_quantity", "is_active"),
)


def book_of(book: Book) -> dict[str, Any]:
    return {name: getattr(book, name) for name in OF_BOOKS} | {"in_stock": book.stock_quantity > 0}


@api.get("/books/{book_id}")
async def read_book(book_id: int) -> dict[str, Any]:
    book = await Book.objects.filter(pk=book_id).afirst()
    if book is None:
        raise HTTPException(404, "There is no book with this id.")
    return book_of(book)


@api.get("/books")
async def list_books(page: int = 1, size: int = 20) -> dict[str, Any]:
    books = Book.objects.filter(is_active=True).order_by("title", "id")
    items = [book_of(book) async for book in books[(page - 1) * size : page * size]]
    return {"items": items, "total": await books.acount(), "page": page, "size": size}


@api.get("/cart", auth=[JWTAuthentication(secret=os.environ["JWT_SIGNING_KEY"])], guards=[IsAuthenticated()])
async def read_cart(request: Any) -> dict[str, Any]:
    cart = await Cart.objects.aget(user_id=int(request["context"]["user_id"]))
    items, copies, total = [], 0, 0
    async for item in cart.items.select_related("book").order_by("id"):
        copies += item.quantity
        total += item.line_total
        items.append(
            {
                "id": item.pk,
                "book_id": item.book_id,
                "quantity": item.quantity,
                "book": {name: getattr(item.book, name) for name in OF_LINES},
                "line_total": item.line_total,
                "added_at": item.added_at,
                "price_at_add": item.price_at_add,
                "available_quantity": item.book.stock_quantity,
                "issues": item.issues,
            }
        )
    return {"items": items, "total_items": copies, "total_price": total} | {
        "currency": "USD",
        "updated_at": cart.updated_at,
        "checkout_ready": bool(items) and not any(item["issues"] for item in items),
    }
