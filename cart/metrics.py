"""Metrics of carts: changes by customers. Changes by staff in the admin are not counted."""

from bookstore.server.metrics import count_successes

CHANGES = {
    ("POST", "cart/items"): "added",
    ("PUT", "cart/items/<id:item_id>"): "changed",
    ("PATCH", "cart/items/<id:item_id>"): "changed",
    ("DELETE", "cart/items/<id:item_id>"): "removed",
    ("DELETE", "cart/items"): "cleared",
    ("POST", "cart/merge"): "merged",
}

cart_changes = count_successes("bookstore_cart_changes", "Changes of carts by their customers.", "change", CHANGES)
