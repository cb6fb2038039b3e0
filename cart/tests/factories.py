import factory

from bookstore.accounts.tests.factories import UserFactory
from cart.models import Cart, CartItem
from catalog.tests.factories import BookFactory


class CartFactory(factory.django.DjangoModelFactory[Cart]):
    class Meta:
        model = Cart

    user = factory.SubFactory(UserFactory)


class CartItemFactory(factory.django.DjangoModelFactory[CartItem]):
    class Meta:
        model = CartItem

    cart = factory.SubFactory(CartFactory)
    book = factory.SubFactory(BookFactory)
    quantity = 1
    price_at_add = factory.SelfAttribute("book.price")
