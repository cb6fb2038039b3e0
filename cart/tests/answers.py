"""The expected bodies of responses, built from rows."""

from typing import Any

from cart.models import CartItem


def moment(value: Any) -> str:
    return value.isoformat().replace("+00:00", "Z")


def line_answer(item: CartItem, *, line_total: str, issues: list[dict[str, Any]] | None = None, **changes: Any) -> dict:
    """A line as GET, POST and PUT answer it. Prices and totals that a test is about it passes itself."""
    item = CartItem.objects.with_book().get(pk=item.pk)
    return {
        "id": item.pk,
        "book_id": item.book_id,
        "quantity": item.quantity,
        "book": {
            "id": item.book_id,
            "title": item.book.title,
            "author": item.book.author,
            "price": str(item.book.price),
            "cover_image_url": item.book.cover_image_url,
        },
        "line_total": line_total,
        "added_at": moment(item.added_at),
        "price_at_add": str(item.book.price),
        "available_quantity": item.book.stock_quantity,
        "issues": issues or [],
    } | changes
