"""A customer's wishes. The verb is `Wish.objects.add(user, book_id)`."""

from __future__ import annotations

from django.conf import settings
from django.db import IntegrityError, models, transaction
from django.db.models.functions import Now

from bookstore.accounts.models import User
from bookstore.database import retrying
from bookstore.database.constraints import violated
from bookstore.database.deletion import lock_then_cascade
from catalog.exceptions import BookNotFound
from catalog.models import Book
from wishlist.exceptions import AlreadyWished


class WishQuerySet(models.QuerySet["Wish"]):
    def of(self, user: User) -> WishQuerySet:
        """The user's wishes with their books, the oldest first."""
        return self.filter(user=user).select_related("book").order_by("id")

    @retrying
    def add(self, user: User, book_id: int) -> Wish:
        """Adds a book that is on sale to the user's list. Three queries.

        Raises BookNotFound (also for a withdrawn book) and AlreadyWished.
        """
        book = Book.objects.on_sale().filter(pk=book_id).first()
        if book is None:
            raise BookNotFound
        try:
            with transaction.atomic():
                return self.create(user=user, book=book)
        except IntegrityError as error:
            if violated(error, "uq_wishes_user_book", "wishes.user_id", "wishes.book_id"):
                raise AlreadyWished from error
            raise


class Wish(models.Model):
    user = models.ForeignKey(settings.AUTH_USER_MODEL, lock_then_cascade, related_name="wishes", db_index=False)
    book = models.ForeignKey(Book, lock_then_cascade, related_name="wishes")
    added_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = WishQuerySet.as_manager()

    class Meta:
        db_table = "wishes"
        verbose_name_plural = "wishes"
        constraints = (models.UniqueConstraint(fields=["user", "book"], name="uq_wishes_user_book"),)

    def __str__(self) -> str:
        return str(self.book)
