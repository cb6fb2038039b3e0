"""`manage.py load_demo_carts`: adds demo customers with carts, for the admin."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils.timezone import now

from bookstore.accounts.models import User
from cart.models import Cart, CartItem
from catalog.models import Book

CUSTOMERS = (
    "alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi", "ivan", "judy", "kim", "leo", "mallory",
    "nina", "oscar", "peggy", "quentin", "rosa", "sybil", "trent", "uma", "victor", "wendy", "xavier", "yara", "zoe",
)  # fmt: skip
# Days since the last change of the carts, one for each customer in turn.
IDLE = (0, 0, 0, 1, 1, 2, 3, 3, 4, 6, 7, 9, 12, 12, 15, 18, 20, 22, 25, 27, 29, 35, 48, 70, 120, 200)


class Command(BaseCommand):
    help = (
        "Fill carts for demo customers: some changed today, some abandoned, with each kind of problem among them. "
        "Needs the books of load_demo. A demo customer that has a cart keeps it, so running it again changes nothing. "
        "Only with DEBUG=1."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEBUG:
            raise CommandError("The carts of the demo are made up, so they load only with DEBUG=1.")
        books = list(Book.objects.order_by("id")[40:100])  # not the books of the README's examples
        if len(books) < 20:
            raise CommandError("There are too few books to fill carts with: run `manage.py load_demo` first.")
        with transaction.atomic():
            made = fill_missing(books)
        self.stdout.write(f"{made} demo carts filled now." if made else "The demo carts are there: nothing to add.")


def fill_missing(books: list[Book]) -> int:
    """Adds the missing customers and carts. Returns how many carts."""
    emails = {name: f"{name}.demo@example.com" for name in CUSTOMERS}
    # They have no password: nobody can sign in.
    User.objects.bulk_create(
        (User(email=email, password=UNUSABLE_PASSWORD_PREFIX) for email in emails.values()), ignore_conflicts=True
    )
    users = {user.email: user for user in User.objects.filter(email__in=emails.values())}
    having = set(Cart.objects.filter(user__in=users.values()).values_list("user__email", flat=True))
    made = 0
    moment = now()
    for number, (name, days) in enumerate(zip(CUSTOMERS, IDLE, strict=True)):
        user = users[emails[name]]
        if user.email in having:
            continue
        at = moment - timedelta(days=days, minutes=7 * number)
        cart = Cart.objects.create(user=user, created_at=at - timedelta(days=number % 4), updated_at=at)
        CartItem.objects.bulk_create(lines(cart, number, books))
        made += 1
    if made:
        spoil(books)
    return made


def lines(cart: Cart, number: int, books: list[Book]) -> list[CartItem]:
    """Up to six lines, and none in some carts. The first books of the list are in most carts, as in a shop."""
    count = (0, 3, 1, 5, 2, 4, 6)[(number + 1) % 7]
    chosen = {(number * step * step + step * 3) % (8 if step % 2 else len(books)) for step in range(1, count + 1)}
    return [
        CartItem(
            cart=cart,
            book=books[index],
            quantity=1 + (number + index) % 3,
            price_at_add=books[index].price - (1 if (number + index) % 9 == 0 and books[index].price > 2 else 0),
            added_at=cart.updated_at,
        )
        for index in sorted(chosen)
    ]


def spoil(books: list[Book]) -> None:
    """Makes three books of many carts sold out, nearly sold out and withdrawn, so that the admin shows issues."""
    books[3].set_stock(0)
    books[6].set_stock(1)
    books[1].change(is_active=False)
