"""What /metrics says of orders: checkouts by their result."""

from bookstore.server.metrics import count_results

CHECKOUT = ("POST", "orders/checkout")
CHECKOUTS = {
    (*CHECKOUT, 201): "placed",
    (*CHECKOUT, 409): "refused",  # stock, or a price
    (*CHECKOUT, 412): "refused",  # the cart has changed
    (*CHECKOUT, 422): "refused",  # an empty cart, a key that another body had, a bad body
    (*CHECKOUT, 503): "unavailable",
}

checkouts = count_results("bookstore_checkouts", "Checkouts by their result.", "result", CHECKOUTS)
