"""A customer's cart and its lines, and the verbs that change them.

The API, the admin and the shell call the same verbs: `cart.add(book, 2)`, `item.change_quantity(3)`, `item.remove()`.
Each is one transaction that locks in one order: the cart, then its lines, then books by id.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import IntegrityError, models, transaction
from django.db.models.functions import Now

from bookstore.accounts.exceptions import UserInactive
from bookstore.accounts.models import User
from bookstore.api.constraints import violated
from bookstore.api.errors import ValidationError
from cart.exceptions import BookOutOfStock, CartItemDuplicate, CartItemNotFound
from catalog.exceptions import BookNotFound
from catalog.models import Book

MIN_QUANTITY, MAX_QUANTITY = 1, 999  # copies in one line


def check_quantity(quantity: int) -> None:
    """Refuses what the database would refuse, in words. Raises ValidationError (422) on `quantity`."""
    if not isinstance(quantity, int) or isinstance(quantity, bool):
        code, detail = "invalid", f"A quantity is a whole number, not {quantity!r}."
    elif quantity < MIN_QUANTITY:
        code, detail = "min_value", f"Ensure this value is greater than or equal to {MIN_QUANTITY}."
    elif quantity > MAX_QUANTITY:
        code, detail = "max_value", f"Ensure this value is less than or equal to {MAX_QUANTITY}."
    else:
        return
    raise ValidationError([{"field": "quantity", "code": code, "detail": detail}])


class CartQuerySet(models.QuerySet["Cart"]):
    def for_user(self, user: User) -> Cart:
        """The user's cart, made now if there is none yet. One query, three the first time.

        Safe under a race: whoever comes second finds the first one's cart.
        Raises UserInactive (401) when the user was deleted meanwhile.
        """
        if cart := self.filter(user=user).first():
            return cart
        try:
            self.bulk_create([Cart(user=user)], ignore_conflicts=True)
        except IntegrityError as error:
            # The conflict of two first adds is ignored; what is left is the foreign key to a user who is gone.
            raise UserInactive from error
        return self.get(user=user)

    def contents_of(self, user: User) -> Cart:
        """The user's cart with its lines and their books, in two queries; an empty one, not stored, if there is none."""
        return self.with_lines().filter(user=user).first() or Cart(user=user)

    def with_lines(self) -> CartQuerySet:
        """Loads the lines and their books with the carts: one more query, whatever is in them."""
        return self.prefetch_related(models.Prefetch("items", CartItem.objects.select_related("book").order_by("id")))

    def with_totals(self) -> CartQuerySet:
        """Adds `line_count`, `copies` (copies) and `value` (in the shop's currency, at today's prices) to each cart."""
        lines = CartItem.objects.filter(cart=models.OuterRef("pk")).order_by().values("cart")
        price = models.F("quantity") * models.F("book__price")

        def over_lines(aggregate: models.Aggregate, output: models.Field[Any, Any]) -> models.Subquery:
            return models.Subquery(lines.annotate(answer=aggregate).values("answer"), output_field=output)

        return self.annotate(
            line_count=models.functions.Coalesce(over_lines(models.Count("*"), models.IntegerField()), 0),
            copies=models.functions.Coalesce(over_lines(models.Sum("quantity"), models.IntegerField()), 0),
            value=models.functions.Coalesce(
                over_lines(models.Sum(price), models.DecimalField(max_digits=19, decimal_places=2)), Decimal("0.00")
            ),
        )


class Cart(models.Model):
    """One for each user, made by the first add. In PostgreSQL `fk_carts_user_id` deletes it with its user."""

    # Not a OneToOneField: that names its unique constraint itself, and errors are recognised by this one's name.
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="carts", db_index=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField("last change", db_default=Now(), editable=False)

    objects = CartQuerySet.as_manager()

    class Meta:
        db_table = "carts"
        constraints = (models.UniqueConstraint(fields=["user"], name="uq_carts_user_id"),)

    def __str__(self) -> str:
        return f"Cart of {self.user}"

    @property
    def lines(self) -> list[CartItem]:
        """In the order in which they were added. Costs no query after `with_lines()`, else one, and one for each book."""
        return list(self.items.all()) if self.pk else []

    @property
    def total_items(self) -> int:
        """Copies, not lines."""
        return sum(line.quantity for line in self.lines)

    @property
    def total_price(self) -> Decimal:
        """At today's prices, in the shop's currency."""
        return sum((line.line_total for line in self.lines), Decimal("0.00"))

    def add(self, book: Book | int, quantity: int = 1) -> CartItem:
        """Puts `quantity` copies of a book (or of the book with this id) into the cart, as a new line.

        Stock is advice: it must be above 0 now, and may be less than the quantity.
        Raises BookNotFound, BookOutOfStock or CartItemDuplicate, looked for in this order, UserInactive when the user was
        deleted meanwhile, and ValidationError for a quantity outside 1 to 999. Three queries and a savepoint.
        """
        check_quantity(quantity)
        book_id = book.pk if isinstance(book, Book) else book
        with self._changing(create=True):
            current = Book.objects.filter(pk=book_id).first()
            if current is None:
                raise BookNotFound
            if not current.in_stock:
                raise BookOutOfStock
            try:
                with transaction.atomic():
                    return CartItem.objects.create(cart=self, book=current, quantity=quantity)
            except IntegrityError as error:
                if not violated(error, "uq_cart_items_cart_book", "cart_items.cart_id", "cart_items.book_id"):
                    if violated(error, "fk_cart_items_book_id"):
                        raise BookNotFound from error
                    raise
            held = CartItem.objects.filter(cart=self, book=current).values_list("pk", flat=True).first()
            if held is None:  # only the book's own deletion takes a line out of a locked cart
                raise BookNotFound
            raise CartItemDuplicate(item_id=held)

    @contextmanager
    def _changing(self, *, create: bool = False) -> Iterator[None]:
        """The transaction of one change: locks the cart first, by stamping it, so that its changes happen one at a time.

        A cart that went meanwhile is made again for an add (`create`); else its lines are gone, too.
        """
        with transaction.atomic():
            while not Cart.objects.filter(pk=self.pk).update(updated_at=Now()):
                if not create:
                    raise CartItemNotFound
                self.pk = Cart.objects.for_user(self.user).pk
            yield


class CartItemQuerySet(models.QuerySet["CartItem"]):
    def with_book(self) -> CartItemQuerySet:
        """Loads the book and the cart with each line, in the same query."""
        return self.select_related("book", "cart")


class CartItem(models.Model):
    """A line: a book and how many copies of it. In PostgreSQL it goes with its cart (`fk_cart_items_cart_id`) and with
    its book (`fk_cart_items_book_id`)."""

    # The unique constraint's index begins with the cart: one more index would only slow writes down.
    cart = models.ForeignKey(Cart, models.CASCADE, related_name="items", db_index=False)
    book = models.ForeignKey(Book, models.CASCADE, related_name="+")
    quantity = models.SmallIntegerField(
        db_default=1, validators=[MinValueValidator(MIN_QUANTITY), MaxValueValidator(MAX_QUANTITY)], help_text="copies"
    )
    added_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = CartItemQuerySet.as_manager()

    class Meta:
        db_table = "cart_items"
        verbose_name = "line"
        constraints = (
            models.UniqueConstraint(fields=["cart", "book"], name="uq_cart_items_cart_book"),
            models.CheckConstraint(
                condition=models.Q(quantity__gte=MIN_QUANTITY, quantity__lte=MAX_QUANTITY),
                name="ck_cart_items_quantity",
            ),
        )

    def __str__(self) -> str:
        return f"{self.quantity} × {self.book}"

    @property
    def line_total(self) -> Decimal:
        """Unit price × quantity, at today's price."""
        return self.book.price * self.quantity

    def change_quantity(self, quantity: int) -> None:
        """Sets the number of copies. Stock is not checked again.

        Raises CartItemNotFound when the line is gone: the guarded UPDATE never brings it back; and ValidationError for a
        quantity outside 1 to 999. Two queries.
        """
        check_quantity(quantity)
        with self.cart._changing():
            if not CartItem.objects.filter(pk=self.pk).update(quantity=quantity):
                raise CartItemNotFound
        self.quantity = quantity

    def remove(self) -> None:
        """Takes the line out of its cart. Raises CartItemNotFound when it is gone already. Two queries."""
        with self.cart._changing():
            removed, _ = CartItem.objects.filter(pk=self.pk).delete()
            if not removed:
                raise CartItemNotFound
