"""A customer's cart and its lines, and the verbs that change them.

The API, the admin and the shell call the same verbs: `cart.add(book, 2)`, `item.change_quantity(3)`, `item.remove()`,
`cart.merge(…)`, `cart.clear()`. Each is one transaction that locks in one order: the cart, then books, then lines, both
by id.
`if_match`, where a verb takes it, is the version of the cart that the caller saw: see `Cart.version`.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import IntegrityError, models, transaction
from django.db.models.functions import Now

from bookstore.accounts.models import User
from bookstore.api.errors import ValidationError
from bookstore.database import retrying
from bookstore.database.constraints import violated
from bookstore.database.deletion import lock_then_cascade
from bookstore.database.locks import DeletedUnderLock
from cart.exceptions import (
    BookOutOfStock,
    CartChanged,
    CartItemDuplicate,
    CartItemNotFound,
    CartLimitExceeded,
)
from cart.issues import BLOCKING, Issue, issues_of
from cart.merging import MergeResult, plan_merge
from cart.querysets import CartItemQuerySet, CartQuerySet
from cart.representation import dump, facts_of, json_of, line_json, version_of
from catalog.exceptions import BookNotFound
from catalog.models import Book

MIN_QUANTITY, MAX_QUANTITY = 1, 999  # copies in one line

# Versions of the cart that the caller may have seen; None does not ask.
Versions = Container[str] | None


def check_quantity(quantity: object) -> None:
    """Refuses in words what the database would refuse. Raises ValidationError (422) on `quantity`."""
    if not isinstance(quantity, int) or isinstance(quantity, bool):
        code, detail = "invalid", f"A quantity is a whole number, not {quantity!r}."
    elif quantity < MIN_QUANTITY:
        code, detail = "min_value", f"Ensure this value is greater than or equal to {MIN_QUANTITY}."
    elif quantity > MAX_QUANTITY:
        code, detail = "max_value", f"Ensure this value is less than or equal to {MAX_QUANTITY}."
    else:
        return
    raise ValidationError([{"field": "quantity", "code": code, "detail": detail}])


class Cart(DeletedUnderLock, models.Model):
    """One for each user, made by the first add. In PostgreSQL `fk_carts_user_id` deletes it with its user."""

    # Not a OneToOneField: that names its unique constraint itself, and errors are recognised by this one's name.
    user = models.ForeignKey(settings.AUTH_USER_MODEL, lock_then_cascade, related_name="carts", db_index=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField("last change", db_default=Now(), editable=False)

    objects = CartQuerySet.as_manager()

    class Meta:
        db_table = "carts"
        constraints = (models.UniqueConstraint(fields=["user"], name="uq_carts_user_id"),)
        indexes = (models.Index(fields=["updated_at"], name="ix_carts_updated_at"),)

    def __str__(self) -> str:
        return f"Cart of {self.user}"

    @property
    def is_stored(self) -> bool:
        """False of the empty cart of somebody who never added a book."""
        pk: int | None = self.pk
        return pk is not None

    @property
    def lines(self) -> list[CartItem]:
        """In the order in which they were added. Costs no query after `with_lines()`, else one."""
        if not self.is_stored:
            return []
        if "items" in getattr(self, "_prefetched_objects_cache", {}):
            return list(self.items.all())
        return list(self.items.select_related("book").order_by("id"))

    @property
    def total_items(self) -> int:
        """Copies, not lines."""
        return sum(line.quantity for line in self.lines)

    @property
    def total_price(self) -> Decimal:
        """At today's prices, in the shop's currency."""
        return sum((line.line_total for line in self.lines), Decimal("0.00"))

    @property
    def checkout_ready(self) -> bool:
        """Whether there are lines and none has an issue that blocks."""
        lines = self.lines
        return bool(lines) and not any(issue["code"] in BLOCKING for line in lines for issue in line.issues)

    @property
    def version(self) -> str:
        """Differs whenever anything that the customer sees of the cart does: its lines, and their books today.

        The API sends it as the ETag. No query after `with_lines()`, else one.
        """
        return version_of(dump(json_of(self)))

    @retrying
    def add(self, book: Book | int, quantity: int = 1) -> CartItem:
        """Puts `quantity` copies of a book (or of the book with this id) into the cart, as a new line.

        Stock is advice: it must be above 0 now, and may be less than the quantity.
        Raises BookNotFound (also for a withdrawn book), BookOutOfStock, CartItemDuplicate or CartLimitExceeded, looked
        for in this order; UserInactive when the user was deleted meanwhile; ValidationError for a quantity outside 1 to
        999. Five queries and a savepoint, beside the making of a first cart.
        """
        check_quantity(quantity)
        book_id = book.pk if isinstance(book, Book) else book
        with self._locked(create=True):
            current = Book.objects.on_sale().filter(pk=book_id).first()
            if current is None:
                raise BookNotFound
            if not current.in_stock:
                raise BookOutOfStock
            held = dict(CartItem.objects.filter(cart=self).values_list("book_id", "pk"))
            if current.pk in held:
                raise CartItemDuplicate(item_id=held[current.pk])
            if len(held) >= settings.CART_MAX_LINES:
                raise CartLimitExceeded
            try:
                with transaction.atomic():
                    line = CartItem.objects.create(
                        cart=self, book=current, quantity=quantity, price_at_add=current.price
                    )
            except IntegrityError as error:
                # The lock keeps other verbs out; this is for whoever writes without it.
                if violated(error, "uq_cart_items_cart_book", "cart_items.cart_id", "cart_items.book_id"):
                    holding = CartItem.objects.filter(cart=self, book=current).values_list("pk", flat=True)
                    raise CartItemDuplicate(item_id=holding.get()) from error
                if violated(error, "fk_cart_items_book_id"):
                    raise BookNotFound from error
                raise
            self._stamp()
        return line

    @retrying
    def merge(self, entries: Sequence[tuple[int, int]], *, if_match: Versions = None) -> list[MergeResult]:
        """Takes over (book id, quantity) entries, such as a guest's cart; also the way to add many books at once.

        A line that is there gets the larger of the two quantities, so that a repeated merge changes nothing, not even
        `updated_at`. What cannot be added is skipped with the code of its reason. Answers one result for each entry.
        Raises CartChanged, UserInactive, and ValidationError for a quantity outside 1 to 999. At most seven queries
        beside the making of a first cart, whatever the size.
        """
        for _, quantity in entries:
            check_quantity(quantity)
        known, ids = self.pk, [book_id for book_id, _ in entries]
        with self._locked(create=True, if_match=if_match, books=ids) as is_new:
            books = Book.objects.by_id(ids)
            held = CartItem.objects.filter(cart=self).order_by("id").select_for_update()
            lines = {line.book_id: line for line in held}
            plan = plan_merge(
                entries,
                held={book_id: line.quantity for book_id, line in lines.items()},
                books={pk: book for pk, book in books.items() if book.is_active},
                max_lines=settings.CART_MAX_LINES,
            )
            changed = [lines[book_id] for book_id in plan.updated]
            for line in changed:
                line.quantity, line.price_at_add = plan.updated[line.book_id], books[line.book_id].price
            added = [
                CartItem(cart=self, book_id=pk, quantity=copies, price_at_add=books[pk].price)
                for pk, copies in plan.added.items()
            ]
            if changed:
                CartItem.objects.bulk_update(changed, ["quantity", "price_at_add"])
            if added:
                CartItem.objects.bulk_create(added)
            if changed or added:
                self._stamp()
            elif is_new:
                transaction.set_rollback(True)  # only what is kept makes a cart
                self.pk = known
        return plan.results

    @retrying
    def clear(self, *, if_match: Versions = None) -> None:
        """Takes every line out; an empty cart stays as it is. Raises CartChanged. At most four queries."""
        with self._locked(if_match=if_match):
            lines = CartItem.objects.filter(cart=self.pk)
            if held := list(lines.order_by("id").select_for_update().values_list("pk", flat=True)):
                lines.filter(pk__in=held).delete()
                self._stamp()

    @contextmanager
    def _locked(self, *, create: bool = False, if_match: Versions = None, books: Iterable[int] = ()) -> Iterator[bool]:
        """The transaction of one change: holds the cart, so that its changes happen one at a time; then `books`.

        A cart that is not there (any more) is made for an add (`create`), and True is handed out; else there is just
        nothing to hold, and no line. What the caller saw (`if_match`) is compared under the lock, with nothing where
        there was no cart; the books that it shows stay as they are, so that no other price is written than was seen.
        """
        known = self.pk
        user = User(pk=self.user_id)  # may be gone, and is not read
        try:
            with transaction.atomic():
                there_was_none = False
                while not self._lock():
                    there_was_none = True
                    if not create:
                        break
                    self.pk = Cart.objects.for_user(user).pk
                if if_match is not None:
                    shown = CartItem.objects.filter(cart=self.pk).values_list("book_id", flat=True)
                    Book.objects.keep({*books, *shown}, unchanged=True)
                    now = Cart.objects.with_lines().of(user)
                    if there_was_none and not now.lines:
                        now = Cart(user=user)
                    if now.version not in if_match:
                        raise CartChanged
                elif books:
                    Book.objects.keep(books)
                yield there_was_none
        except BaseException:
            self.pk = known  # the cart that was made for it is undone with everything else
            raise

    def _lock(self) -> bool:
        held = Cart.objects.select_for_update().filter(pk=self.pk).values_list("pk")
        return self.is_stored and held.first() is not None

    def _stamp(self) -> None:
        Cart.objects.filter(pk=self.pk).update(updated_at=Now())
        # What was read of the cart before is not true any more: the next look at it reads again.
        for name in ("created_at", "updated_at", "_prefetched_objects_cache"):
            self.__dict__.pop(name, None)


class CartItem(models.Model):
    """A line: a book and how many copies of it. In PostgreSQL it goes with its cart (`fk_cart_items_cart_id`) and with
    its book (`fk_cart_items_book_id`)."""

    # The unique constraint's index begins with the cart: one more index would only slow writes down.
    cart = models.ForeignKey(Cart, lock_then_cascade, related_name="items", db_index=False)
    book = models.ForeignKey(Book, lock_then_cascade, related_name="+")
    quantity = models.SmallIntegerField(
        db_default=1, validators=[MinValueValidator(MIN_QUANTITY), MaxValueValidator(MAX_QUANTITY)], help_text="copies"
    )
    added_at = models.DateTimeField(db_default=Now(), editable=False)
    price_at_add = models.DecimalField(
        max_digits=10,
        decimal_places=2,
        null=True,  # not known, of a line that no verb wrote: then today's price counts as unchanged
        editable=False,
        help_text="unit price when the line was added or last changed",
    )

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

    @property
    def known_price(self) -> Decimal:
        """The unit price that the customer last agreed to, by adding or changing the line."""
        return self.book.price if self.price_at_add is None else self.price_at_add

    @property
    def available_quantity(self) -> int:
        """Today's stock of the book, in copies."""
        return self.book.stock_quantity

    @property
    def issues(self) -> list[Issue]:
        """What the customer should know before checkout. No query: the book is there."""
        return issues_of(
            quantity=self.quantity,
            stock=self.book.stock_quantity,
            is_active=self.book.is_active,
            price=self.book.price,
            price_at_add=self.known_price,
        )

    def as_json(self) -> dict[str, Any]:
        """The line as clients get it. No query: the book is there."""
        return line_json(*facts_of(self))

    @retrying
    def change_quantity(self, quantity: int, *, if_match: Versions = None) -> None:
        """Sets the number of copies, at today's price: a PRICE_CHANGED is settled. Stock is not checked again.

        Raises CartItemNotFound when the line is gone: the guarded UPDATE never brings it back; CartChanged; and
        ValidationError for a quantity outside 1 to 999. Four queries.
        """
        check_quantity(quantity)
        this_line = CartItem.objects.filter(pk=self.pk)
        price = Book.objects.filter(pk=models.OuterRef("book_id")).values("price")
        with self.cart._locked(if_match=if_match):
            if not this_line.update(quantity=quantity, price_at_add=models.Subquery(price)):
                raise CartItemNotFound
            self.cart._stamp()
            self.refresh_from_db(from_queryset=CartItem.objects.with_book())

    @retrying
    def remove(self, *, if_match: Versions = None) -> None:
        """Takes the line out of its cart, whatever its issues.

        Raises CartItemNotFound when it is gone already, and CartChanged. Three queries.
        """
        with self.cart._locked(if_match=if_match):
            removed, _ = CartItem.objects.filter(pk=self.pk).delete()
            if not removed:
                raise CartItemNotFound
            self.cart._stamp()
