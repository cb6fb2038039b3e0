"""Metrics of wishlists."""

from bookstore.server.metrics import count_successes

wishes_made = count_successes(
    "bookstore_wishes", "Books that were put on a wishlist.", "change", {("POST", "wishlist"): "added"}
)
