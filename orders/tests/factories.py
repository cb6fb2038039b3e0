import factory

from bookstore.accounts.tests.factories import UserFactory
from catalog.tests.factories import BookFactory
from orders.models import Order, OrderItem


class OrderFactory(factory.django.DjangoModelFactory[Order]):
    class Meta:
        model = Order

    user = factory.SubFactory(UserFactory)
    currency = "USD"
    total_items = 1
    total_price = "9.50"


class OrderItemFactory(factory.django.DjangoModelFactory[OrderItem]):
    class Meta:
        model = OrderItem

    order = factory.SubFactory(OrderFactory)
    book = factory.SubFactory(BookFactory)
    quantity = 1
    unit_price = factory.SelfAttribute("book.price")
    title = factory.SelfAttribute("book.title")
    author = factory.SelfAttribute("book.author")
