"""The same requests to two applications, and their answers without what differs by nature: ids and times."""

import json
from collections.abc import Callable
from typing import Any

BOOKS = {
    "emma": {"title": "Emma", "author": "Jane Austen", "price": "9.50", "stock_quantity": 5},
    "dracula": {"title": "Dracula", "author": "Bram Stoker", "price": "12.25", "stock_quantity": 2},
    "sold out": {"title": "Beowulf", "author": "Unknown", "price": "6.50", "stock_quantity": 0},
    "withdrawn": {
        "title": "Ulysses",
        "author": "James Joyce",
        "price": "20.00",
        "stock_quantity": 1,
        "is_active": False,
    },
}

# Who, what, where, with what. A name in angle brackets stands for an id; `as` keeps the id of what was made.
STEPS: list[dict[str, Any]] = [
    {"who": "alice", "call": "GET /cart"},
    {"who": "alice", "call": "POST /cart/items", "body": {"book_id": "<emma>", "quantity": 2}, "as": "first"},
    {"who": "alice", "call": "POST /cart/items", "body": {"book_id": "<dracula>", "quantity": 3}, "as": "second"},
    {"who": "bob", "call": "POST /cart/items", "body": {"book_id": "<emma>"}, "as": "bobs"},
    {"who": "alice", "call": "POST /cart/items", "body": {"book_id": "<emma>"}},
    {"who": "alice", "call": "POST /cart/items", "body": {"book_id": "<sold out>"}},
    {"who": "alice", "call": "POST /cart/items", "body": {"book_id": "<withdrawn>"}},
    {"who": "alice", "call": "POST /cart/items", "body": {"book_id": 999999}},
    {"who": "alice", "call": "POST /cart/items", "body": {"book_id": "<emma>", "quantity": 0}},
    {"who": "alice", "call": "POST /cart/items", "body": {}},
    {"who": "alice", "call": "GET /cart"},
    {"who": "bob", "call": "GET /cart"},
    {"who": "alice", "call": "PUT /cart/items/<first>", "body": {"quantity": 4}},
    {"who": "alice", "call": "PUT /cart/items/<first>", "body": {"quantity": 1000}},
    {"who": "alice", "call": "PUT /cart/items/<first>", "body": {}},
    {"who": "alice", "call": "PUT /cart/items/<bobs>", "body": {"quantity": 4}},
    {"who": "alice", "call": "PUT /cart/items/999999", "body": {"quantity": 4}},
    {"who": "alice", "call": "DELETE /cart/items/<bobs>"},
    {"who": "alice", "call": "DELETE /cart/items/<first>"},
    {"who": "alice", "call": "DELETE /cart/items/<first>"},
    {"who": "alice", "call": "GET /cart"},
    {"who": "alice", "call": "POST /orders/checkout", "body": {}, "status_only": True},
    {"who": "alice", "call": "PUT /cart/items/<second>", "body": {"quantity": 2}},
    {"who": "alice", "call": "POST /orders/checkout", "body": {"note": "Ring twice."}},
    {"who": "alice", "call": "GET /cart"},
    {"who": "nobody", "call": "GET /cart", "status_only": True},
    {"who": "nobody", "call": "GET /books?page=1", "status_only": True},
    {"who": "nobody", "call": "GET /books/<emma>", "status_only": True},
    {"who": "nobody", "call": "GET /books/999999", "status_only": True},
]


def id_of(book: str) -> int:
    """Beyond every id that a line gets."""
    return 10**9 + list(BOOKS).index(book)


def play(clients: dict[str, Any], ids: dict[str, int]) -> list[Any]:
    """Every answer as [status, body]. A client is one of Django's or DRF's, with its credentials."""
    answers = []
    for step in STEPS:
        method, path = step["call"].split()
        for name, identity in ids.items():
            path = path.replace(f"<{name}>", str(identity))
        body = {
            key: ids[value.strip("<>")] if str(value).startswith("<") else value
            for key, value in step.get("body", {}).items()
        }
        call: Callable[..., Any] = getattr(clients[step["who"]], method.lower())
        response = call(path) if "body" not in step else call(path, json.dumps(body), content_type="application/json")
        parsed = json.loads(response.content) if response.content and not step.get("status_only") else None
        if "as" in step:
            ids[step["as"]] = parsed["id"]
        answers.append([response.status_code, parsed])
    names = {identity: name for name, identity in ids.items()}
    return [without_nature(answer, names) for answer in answers]


def without_nature(value: Any, names: dict[int, str], key: str = "") -> Any:
    if isinstance(value, dict):
        if "number" in value:  # an order: its ids are those of no line
            items = [item | {"id": "an item"} for item in value["items"]]
            value = value | {"id": "an order", "items": items}
        return {name: without_nature(each, names, name) for name, each in value.items()}
    if isinstance(value, list):
        return [without_nature(each, names) for each in value]
    if key in {"id", "book_id", "item_id"}:
        return names.get(value, value)
    if key == "number":
        return f"a number with a hyphen: {value[5] == '-'}"
    if key in {"added_at", "updated_at", "created_at", "expires_at"} and value is not None:
        return f"a time in UTC: {value[10] == 'T' and value.endswith('Z')}"
    return value
