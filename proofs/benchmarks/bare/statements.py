"""The one statement of GET /cart, hand-written for nothing else: bare/app.py and pgbench run it."""

GET_CART = """SELECT u.is_active, c.updated_at, i.id, i.quantity, i.added_at, i.price_at_add,
       b.id, b.title, b.author, b.price, b.cover_image_url, b.stock_quantity, b.is_active
FROM users u
JOIN login_sessions s ON s.id = $2 AND s.user_id = u.id AND s.ended_at IS NULL
LEFT JOIN carts c ON c.user_id = u.id
LEFT JOIN cart_items i ON i.cart_id = c.id
LEFT JOIN books b ON b.id = i.book_id
WHERE u.id = $1
ORDER BY i.id"""
