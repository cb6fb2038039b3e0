"""What /metrics says of orders: checkouts by their result."""

from bookstore.server.metrics import count_results

CHECKOUT = ("POST", "orders/checkout")
CHECKOUTS = {
    (*CHECKOUT, 201): "placed",
    (*CHECKOUT, 409): "refused",  # stock, price, an empty cart
    (*CHECKOUT, 412): "refused",
    (*CHECKOUT, 422): "refused",
    (*CHECKOUT, 503): "unavailable",
}

checkouts = count_results("bookstore_checkouts", "Checkouts by their result.", "result", CHECKOUTS)
