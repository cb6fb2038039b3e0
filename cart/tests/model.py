"""The contract of the shop as a model in plain Python: no database, no HTTP, no concurrency.

`ModelShop` gets the calls of clients and returns the expected responses. The stateful tests and `make stress` compare
the service with it. Ids and times, which only the service can decide, it learns from the responses.
"""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

CURRENCY = "USD"
MAX_LINES = 100


@dataclass
class ModelBook:
    id: int
    title: str
    author: str
    price: Decimal
    stock: int
    is_active: bool = True
    cover: str | None = None


@dataclass
class ModelLine:
    id: int
    quantity: int
    price_at_add: Decimal


@dataclass
class ModelShop:
    """`carts` are the lines of each customer by book id, in the order in which they were added."""

    max_lines: int = MAX_LINES
    books: dict[int, ModelBook] = field(default_factory=dict)
    carts: dict[str, dict[int, ModelLine]] = field(default_factory=dict)

    # --- what the staff does ---

    def delete_book(self, book_id: int) -> None:
        del self.books[book_id]
        for cart in self.carts.values():
            cart.pop(book_id, None)

    # --- what a customer asks for: the status, and the code of an error ---

    def add(self, user: str, book_id: int, quantity: int) -> tuple[int, str]:
        cart, book = self.carts[user], self.books.get(book_id)
        if not 1 <= quantity <= 999:
            return 422, "VALIDATION_ERROR"
        if book is None or not book.is_active:
            return 404, "BOOK_NOT_FOUND"
        if book.stock == 0:
            return 409, "CART_BOOK_OUT_OF_STOCK"
        if book_id in cart:
            return 409, "CART_ITEM_DUPLICATE"
        if len(cart) >= self.max_lines:
            return 409, "CART_LIMIT_EXCEEDED"
        return 201, ""

    def added(self, user: str, book_id: int, quantity: int, line_id: int) -> None:
        self.carts[user][book_id] = ModelLine(line_id, quantity, self.books[book_id].price)

    def owner_of(self, line_id: int) -> tuple[str, int] | None:
        """The owner and the book of a line."""
        for user, cart in self.carts.items():
            for book_id, line in cart.items():
                if line.id == line_id:
                    return user, book_id
        return None

    def reach(self, user: str, line_id: int) -> tuple[int, str]:
        """The first checks of PUT, PATCH and DELETE."""
        owner = self.owner_of(line_id)
        if owner is None:
            return 404, "CART_ITEM_NOT_FOUND"
        if owner[0] != user:
            return 403, "CART_ITEM_FORBIDDEN"
        return 200, ""

    def change(self, user: str, line_id: int, quantity: int) -> tuple[int, str]:
        if not 1 <= quantity <= 999:
            return 422, "VALIDATION_ERROR"
        status, code = self.reach(user, line_id)
        if status == 200:
            book_id = self.owner_of(line_id)[1]  # type: ignore[index]  # `reach` found its owner
            line = self.carts[user][book_id]
            line.quantity, line.price_at_add = quantity, self.books[book_id].price
        return status, code

    def remove(self, user: str, line_id: int) -> tuple[int, str]:
        status, code = self.reach(user, line_id)
        if status == 200:
            del self.carts[user][self.owner_of(line_id)[1]]  # type: ignore[index]  # `reach` found its owner
            return 204, ""
        return status, code

    def clear(self, user: str) -> None:
        self.carts[user].clear()

    def merge(self, user: str, entries: list[tuple[int, int]]) -> list[dict[str, Any]]:
        """The `results` to expect. A new line has the id 0 until `learn_ids`."""
        cart = self.carts[user]
        results: list[dict[str, Any]] = []
        for book_id, quantity in entries:
            held = cart.get(book_id)
            if held:
                larger = quantity > held.quantity
                results.append({"book_id": book_id, "status": "updated" if larger else "unchanged"})
                if larger:
                    held.quantity = quantity  # a changed price stays to be confirmed
                continue
            status, code = self.add(user, book_id, quantity)
            if status == 201:
                self.added(user, book_id, quantity, 0)
                results.append({"book_id": book_id, "status": "added"})
            else:
                results.append({"book_id": book_id, "status": "skipped", "code": code})
        return results

    def learn_ids(self, user: str, items: list[dict[str, Any]]) -> None:
        """New lines get their ids from an answer: above every id that was there, in the order of the entries."""
        cart = self.carts[user]
        highest = max((line.id for line in cart.values()), default=0)
        for item in items:
            line = cart.get(item["book_id"])
            if line is not None and line.id == 0:
                assert item["id"] > highest, "a line was given an id below one that was there"
                highest = line.id = item["id"]

    # --- what the customer sees ---

    def issues(self, line: ModelLine, book: ModelBook) -> list[dict[str, Any]]:
        issues: list[dict[str, Any]] = []
        if not book.is_active:
            issues.append({"code": "BOOK_UNAVAILABLE"})
        elif book.stock == 0:
            issues.append({"code": "BOOK_OUT_OF_STOCK"})
        elif line.quantity > book.stock:
            issues.append({"code": "INSUFFICIENT_STOCK", "available": book.stock})
        if book.price != line.price_at_add:
            issues.append({"code": "PRICE_CHANGED", "from": str(line.price_at_add), "to": str(book.price)})
        return issues

    def line_answer(self, user: str, book_id: int) -> dict[str, Any]:
        line, book = self.carts[user][book_id], self.books[book_id]
        return {
            "id": line.id,
            "book_id": book_id,
            "quantity": line.quantity,
            "book": {
                "id": book_id,
                "title": book.title,
                "author": book.author,
                "price": str(book.price),
                "cover_image_url": book.cover,
            },
            "line_total": str(book.price * line.quantity),
            "price_at_add": str(line.price_at_add),
            "available_quantity": book.stock,
            "issues": self.issues(line, book),
        }

    def cart_answer(self, user: str) -> dict[str, Any]:
        """The body of GET /cart, without times: see `timeless`."""
        cart = self.carts[user]
        items = [self.line_answer(user, book_id) for book_id in cart]
        blocked = any(issue["code"] != "PRICE_CHANGED" for item in items for issue in item["issues"])
        total = sum((self.books[book_id].price * line.quantity for book_id, line in cart.items()), Decimal("0.00"))
        return {
            "items": items,
            "total_items": sum(line.quantity for line in cart.values()),
            "total_price": str(total),
            "currency": CURRENCY,
            "checkout_ready": bool(items) and not blocked,
        }


def timeless(answer: dict[str, Any]) -> dict[str, Any]:
    """A response without the values that the model cannot know."""
    kept = {key: value for key, value in answer.items() if key not in {"updated_at", "added_at", "results"}}
    if "items" in kept:
        kept["items"] = [timeless(item) for item in kept["items"]]
    return kept
