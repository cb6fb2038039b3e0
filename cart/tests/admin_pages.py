"""The pages of carts in the staff's site, for tests."""

from bookstore.accounts.tests.factories import UserFactory
from cart.tests.factories import CartFactory, CartItemFactory

LIST = "/admin/cart/cart/"


def cart_of(email, *books, **line):
    cart = CartFactory(user=UserFactory(email=email))
    for book in books:
        CartItemFactory(cart=cart, book=book, **line)
    return cart


def page_of(cart):
    return f"{LIST}{cart.pk}/change/"
