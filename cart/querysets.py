"""QuerySets of carts and lines."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, models, transaction

from bookstore.accounts.exceptions import UserInactive
from bookstore.accounts.models import User
from bookstore.database import retrying
from bookstore.database.locks import DeletesUnderLock
from cart.facts import PATHS, CartFacts

if TYPE_CHECKING:
    from cart.models import Cart


class CartQuerySet(DeletesUnderLock, models.QuerySet["Cart"]):
    def for_user(self, user: User) -> Cart:
        """The user's cart; creates a missing one. One query, three the first time.

        Safe under a race: the second INSERT does nothing, and the cart of the first is read.
        Raises UserInactive (401) when the user was deleted meanwhile. The user is not read: an id is enough.
        """
        if cart := self.filter(user=user).first():
            return cart
        try:
            # INSERT … ON CONFLICT DO NOTHING. In a savepoint: an IntegrityError must not abort an outer transaction.
            with transaction.atomic():
                self.bulk_create([self.model(user=user)], ignore_conflicts=True)
        except IntegrityError as error:
            # The unique constraint is covered by ON CONFLICT, so this is the foreign key: the user was deleted.
            raise UserInactive from error
        try:
            return self.get(user=user)
        except self.model.DoesNotExist as gone:  # that cart was deleted, alone or with its user
            if not User.objects.filter(pk=user.pk).exists():
                raise UserInactive from gone
            return self.for_user(user)

    def of(self, user: User) -> Cart:
        """The user's cart, or an empty one that is not stored. Writes nothing. One query."""
        return self.filter(user=user).first() or self.model(user=user)

    def with_lines(self) -> CartQuerySet:
        """Prefetches the lines and their books: one more query, for any number of carts."""
        from cart.models import CartItem  # it imports this file

        return self.prefetch_related(models.Prefetch("items", CartItem.objects.select_related("book").order_by("id")))

    def facts(self, cart_id: int | None) -> CartFacts:
        """The cart with this id and its lines, in one snapshot; NO_CART when there is none. One query."""
        rows = self.filter(pk=cart_id).order_by("items__id")
        return CartFacts.of_rows(rows.values_list("updated_at", *(f"items__{path}" for path in PATHS)))

    def unchanged_since(self, moment: datetime) -> CartQuerySet:
        return self.filter(updated_at__lt=moment)

    @retrying
    def prune_batch(self, moment: datetime, *, size: int, record: Callable[[list[Cart]], None] | None = None) -> int:
        """Deletes up to `size` carts not changed since `moment`, the oldest first; returns how many.

        One transaction that waits for no lock: a locked cart is skipped (on PostgreSQL; SQLite has
        one writer at a time). `record` is called with the carts in that transaction. Six queries.
        """
        with transaction.atomic():
            stale = self.unchanged_since(moment).order_by("updated_at").select_for_update(skip_locked=True)
            batch = list(stale.only("pk", "user_id")[:size])
            if record and batch:
                record(batch)
            self.filter(pk__in=[cart.pk for cart in batch]).delete()
        return len(batch)


class CartItemQuerySet(models.QuerySet[Any]):
    def with_book(self) -> CartItemQuerySet:
        """Loads the book and the cart with each line, in the same query."""
        return self.select_related("book", "cart")
