"""A mail for the tests."""

from bookstore.mail.sending import mail, send


@mail
def greet(number: int) -> None:
    send(f"reader{number}@example.com", "shop/hello", {"name": "reader"})
