"""A customer's cart and its lines, and the verbs that change them.

The API, the admin and the shell call the same verbs: `cart.add(book, 2)`, `item.change_quantity(3)`, `item.remove()`,
`cart.merge(…)`, `cart.clear()`. Each is one transaction that locks the cart first; bookstore/database/locks.py has the
order of all locks. `if_match`, where a verb takes it, is the version of the cart that the caller saw: see
`Cart.version`. After a verb `cart.as_left` has the cart as read at the end of its transaction.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import IntegrityError, models, transaction
from django.db.models.functions import Now

from bookstore.database import retrying
from bookstore.database.constraints import violated
from bookstore.database.deletion import lock_then_cascade
from bookstore.database.locks import DeletedUnderLock
from cart.adding import refusal
from cart.changing import Versions, changing, time_of_change
from cart.exceptions import CartItemDuplicate, CartItemNotFound
from cart.facts import NO_CART, CartFacts, LineFacts
from cart.issues import Issue
from cart.merging import Entry, MergeResult, plan_merge
from cart.quantities import MAX_QUANTITY, MIN_QUANTITY, check_quantity
from cart.querysets import CartItemQuerySet, CartQuerySet
from cart.representation import cart_json, dump, version_of
from catalog.exceptions import BookNotFound
from catalog.models import Book


class Cart(DeletedUnderLock, models.Model):
    """One for each user, created by the first add. In PostgreSQL `fk_carts_user_id` deletes it with its user."""

    # Not a OneToOneField: its unique constraint would have a generated name, and errors are matched by name.
    user = models.ForeignKey(settings.AUTH_USER_MODEL, lock_then_cascade, related_name="carts", db_index=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    # Strictly increasing: each change sets it by `time_of_change`. statements.py relies on that.
    updated_at = models.DateTimeField("last change", db_default=Now(), editable=False)

    objects = CartQuerySet.as_manager()

    class Meta:
        db_table = "carts"
        constraints = (models.UniqueConstraint(fields=["user"], name="uq_carts_user_id"),)
        indexes = (models.Index(fields=["updated_at"], name="ix_carts_updated_at"),)

    # Read at the end of the last verb's transaction, so without later changes by others.
    as_left: CartFacts = NO_CART

    def __str__(self) -> str:
        return f"Cart of {self.user}"

    @property
    def is_stored(self) -> bool:
        """False for the empty cart of a user who has none in the database."""
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
    def facts(self) -> CartFacts:
        """The lines as NamedTuples, which compute totals and issues. No query after `with_lines()`, else one."""
        return CartFacts(self.updated_at if self.is_stored else None, [line.facts for line in self.lines])

    @property
    def total_items(self) -> int:
        """Copies, not lines."""
        return self.facts.total_items

    @property
    def total_price(self) -> Decimal:
        """At today's prices, in the shop's currency."""
        return self.facts.total_price

    @property
    def checkout_ready(self) -> bool:
        """Whether there are lines and none has an issue that blocks."""
        return self.facts.checkout_ready

    @property
    def version(self) -> str:
        """A hash of all that the customer sees of the cart: its lines, and their books today.

        The API sends it as the ETag. No query after `with_lines()`, else one.
        """
        return version_of(dump(cart_json(self.facts)))

    @retrying
    def add(self, book: Book | int, quantity: int = 1, *, if_match: Versions = None) -> CartItem:
        """Puts `quantity` copies of a book (or of the book with this id) into the cart, as a new line.

        The stock must be above 0, but may be less than the quantity.
        Raises CartChanged; then BookNotFound (also for a withdrawn book), BookOutOfStock, CartItemDuplicate or
        CartLimitExceeded, the first that applies; UserInactive when the user was deleted meanwhile; ValidationError for
        a quantity outside 1 to 999. Six queries and a savepoint, plus those that create the first cart.
        """
        check_quantity(quantity)
        book_id = book.pk if isinstance(book, Book) else book
        with changing(self, create=True, if_match=if_match):
            current = Book.objects.filter(pk=book_id).first()
            line_ids = dict(CartItem.objects.filter(cart=self).values_list("book_id", "pk"))
            reason = refusal(
                current,
                in_line=line_ids.get(book_id),
                lines=len(line_ids),
                max_lines=settings.CART_MAX_LINES,
            )
            if reason or current is None:
                raise reason or BookNotFound
            try:
                with transaction.atomic():
                    line = CartItem.objects.create(
                        cart=self, book=current, quantity=quantity, price_at_add=current.price
                    )
            except IntegrityError as error:
                # Only by a writer that did not take the cart's lock.
                if violated(error, "uq_cart_items_cart_book", "cart_items.cart_id", "cart_items.book_id"):
                    holding = CartItem.objects.filter(cart=self, book=current).values_list("pk", flat=True)
                    raise CartItemDuplicate(item_id=holding.get()) from error
                if violated(error, "fk_cart_items_book_id"):
                    raise BookNotFound from error
                raise
            self._stamp()
        return line

    @retrying
    def merge(self, entries: Iterable[tuple[Any, ...]], *, if_match: Versions = None) -> list[MergeResult]:
        """Merges entries, such as a guest's cart, into the cart: `Entry`, or (book id, quantity).

        An existing line gets the larger of the two quantities and keeps its price, so that a repeated merge changes
        nothing, not even `updated_at`. An entry that cannot be added is skipped, with the code of the reason. Returns
        one result for each entry.
        Raises CartChanged and UserInactive. At most eight queries for any size, plus those that create the first cart.
        """
        wanted = [Entry(*entry) for entry in entries]
        ids = [entry.book_id for entry in wanted if entry.book_id is not None]
        with changing(self, create=True, if_match=if_match, books=ids) as change:
            books = Book.objects.by_id(ids)
            stored = CartItem.objects.filter(cart=self).order_by("id").select_for_update()
            lines = {line.book_id: line for line in stored}
            plan = plan_merge(
                wanted,
                in_cart={book_id: line.quantity for book_id, line in lines.items()},
                books=books,
                max_lines=settings.CART_MAX_LINES,
            )
            changed = [lines[book_id] for book_id in plan.updated]
            for line in changed:
                line.quantity = plan.updated[line.book_id]
            added = [CartItem(cart=self, book_id=book_id, **new._asdict()) for book_id, new in plan.added.items()]
            if changed:
                CartItem.objects.bulk_update(changed, ["quantity"])
            if added:
                CartItem.objects.bulk_create(added)
            if changed or added:
                self._stamp()
            elif change.is_new_cart:
                change.undo = True  # nothing was added: the new cart is rolled back
        return plan.results

    @retrying
    def clear(self, *, if_match: Versions = None) -> None:
        """Removes all lines; an empty cart is not changed. Raises CartChanged. At most five queries."""
        with changing(self, if_match=if_match):
            lines = CartItem.objects.filter(cart=self.pk)
            if ids := list(lines.order_by("id").select_for_update().values_list("pk", flat=True)):
                lines.filter(pk__in=ids).delete()
                self._stamp()

    @retrying
    def restore(self, lines: Collection[tuple[int, int, Decimal | None]]) -> list[CartItem]:
        """Puts removed lines (book id, quantity, price_at_add) back, unchanged. Returns the new lines.

        Skips a book that was deleted or is in the cart again, and lines beyond CART_MAX_LINES. Five queries.
        """
        with changing(self, books=[book_id for book_id, _, _ in lines]):
            books = Book.objects.by_id(book_id for book_id, _, _ in lines)
            in_cart = set(CartItem.objects.filter(cart=self.pk).values_list("book_id", flat=True))
            wanted = [line for line in lines if line[0] in books and line[0] not in in_cart]
            restored = [
                CartItem(cart=self, book_id=book_id, quantity=quantity, price_at_add=price)
                for book_id, quantity, price in wanted[: max(settings.CART_MAX_LINES - len(in_cart), 0)]
            ]
            if restored:
                CartItem.objects.bulk_create(restored)
                self._stamp()
        return restored

    def _lock(self) -> bool:
        found = Cart.objects.select_for_update().filter(pk=self.pk).values_list("pk")
        return self.is_stored and found.first() is not None

    def _stamp(self) -> None:
        Cart.objects.filter(pk=self.pk).update(updated_at=time_of_change())
        # Drops the cached values, so that the next access reads them again.
        for name in ("created_at", "updated_at", "_prefetched_objects_cache"):
            self.__dict__.pop(name, None)


class CartItem(models.Model):
    """A line: a book and its number of copies. PostgreSQL deletes it with its cart (`fk_cart_items_cart_id`) and with
    its book (`fk_cart_items_book_id`)."""

    # No index: the one of the unique constraint begins with the cart.
    cart = models.ForeignKey(Cart, lock_then_cascade, related_name="items", db_index=False)
    book = models.ForeignKey(Book, lock_then_cascade, related_name="+")
    quantity = models.SmallIntegerField(
        db_default=1, validators=[MinValueValidator(MIN_QUANTITY), MaxValueValidator(MAX_QUANTITY)], help_text="copies"
    )
    added_at = models.DateTimeField(db_default=Now(), editable=False)
    price_at_add = models.DecimalField(
        max_digits=10,
        decimal_places=2,
        null=True,  # NULL in a line that no verb wrote, which then has no PRICE_CHANGED
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
    def facts(self) -> LineFacts:
        """No query after `with_book()` or `with_lines()`, else one."""
        return LineFacts.of(self)

    @property
    def line_total(self) -> Decimal:
        """Unit price × quantity, at today's price."""
        return self.facts.line_total

    @property
    def known_price(self) -> Decimal:
        """The unit price that the customer last agreed to, by adding or changing the line."""
        return self.facts.known_price

    @property
    def available_quantity(self) -> int:
        """Today's stock of the book, in copies."""
        return self.book.stock_quantity

    @property
    def issues(self) -> list[Issue]:
        """What the customer should know before checkout."""
        return self.facts.issues

    @retrying
    def change_quantity(self, quantity: int, *, if_match: Versions = None) -> None:
        """Sets the number of copies, and today's price, which clears PRICE_CHANGED. Does not check the stock.

        Raises CartItemNotFound when the line is gone: the guarded UPDATE never brings it back; CartChanged; and
        ValidationError for a quantity outside 1 to 999. Five queries.
        """
        check_quantity(quantity)
        this_line = CartItem.objects.filter(pk=self.pk)
        price = Book.objects.filter(pk=models.OuterRef("book_id")).values("price")
        with changing(self.cart, if_match=if_match):
            if not this_line.update(quantity=quantity, price_at_add=models.Subquery(price)):
                raise CartItemNotFound
            self.cart._stamp()
            cart = self.cart
            self.refresh_from_db(from_queryset=CartItem.objects.with_book())
            self.cart = cart  # the instance that gets `as_left`

    @retrying
    def remove(self, *, if_match: Versions = None) -> None:
        """Removes the line from its cart, whatever its issues.

        Raises CartItemNotFound when it is gone already, and CartChanged. Four queries.
        """
        with changing(self.cart, if_match=if_match):
            removed, _ = CartItem.objects.filter(pk=self.pk).delete()
            if not removed:
                raise CartItemNotFound
            self.cart._stamp()
