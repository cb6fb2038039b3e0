"""Deletions of users, carts and books beside changes of carts: one lock order, so no deadlock."""

from datetime import timedelta
from threading import Barrier

import pytest
from django.contrib.admin.utils import NestedObjects
from django.db import OperationalError, connection, transaction
from django.db.models.deletion import Collector
from django.utils.timezone import now
from psycopg.errors import DeadlockDetected

from bookstore.accounts.models import LoginSession, User
from bookstore.accounts.tests.factories import UserFactory
from cart.exceptions import CartItemNotFound
from cart.models import Cart, CartItem
from cart.tests.concurrent import in_thread
from cart.tests.factories import CartFactory, CartItemFactory
from catalog.models import Book
from catalog.tests.factories import BookFactory


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "delete",
    [
        lambda user: user.delete(),
        lambda user: User.objects.filter(pk=user.pk).delete(),
        lambda user: Cart.objects.get(user=user).delete(),
        lambda user: Cart.objects.filter(user=user).delete(),
    ],
    ids=["User.delete", "users", "Cart.delete", "carts"],
)
def test_deleting_a_user_or_cart_locks_the_cart_before_a_line(alice, emma, delete):
    line = CartItemFactory(cart=CartFactory(user=alice), book=emma)
    with transaction.atomic():
        Cart.objects.select_for_update().get()
        thread, raised = in_thread(lambda: delete(alice))
        thread.join(0.5)
        assert thread.is_alive()

        # Had the deletion begun with the line, this would be a deadlock.
        CartItem.objects.select_for_update(nowait=True).get(pk=line.pk)
    thread.join(5)

    assert raised == []
    assert not Cart.objects.exists()
    assert not CartItem.objects.exists()


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_deleting_users_beside_changes_never_deadlocks(emma, dracula):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_stat_clear_snapshot(), deadlocks FROM pg_stat_database WHERE datname = current_database()"
        )
        before = cursor.fetchone()[1]
    for _ in range(30):
        user = UserFactory()
        LoginSession.objects.begin(user)
        LoginSession.objects.begin(user)
        line = CartItemFactory(cart=CartFactory(user=user), book=emma)
        CartItemFactory(cart=line.cart, book=dracula)
        together = Barrier(3)

        def change(line=line, together=together):
            together.wait()
            line.change_quantity(5)

        def end(user=user, together=together):
            together.wait()
            user.end_sessions()

        def delete(user=user, together=together):
            together.wait()
            User.objects.get(pk=user.pk).delete()

        workers = [in_thread(work) for work in (change, end, delete)]
        for thread, raised in workers:
            thread.join(10)
            assert all(isinstance(error, CartItemNotFound) for error in raised), raised
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_stat_clear_snapshot(), deadlocks FROM pg_stat_database WHERE datname = current_database()"
        )
        assert cursor.fetchone()[1] == before
    assert not CartItem.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_deletion_can_be_previewed_outside_of_a_transaction(alice, emma):
    """As the admin's confirmation page does: without locks, because nothing is deleted."""
    cart = CartFactory(user=alice)
    collector = NestedObjects(using="default")

    collector.collect([alice])

    assert collector.data[Cart] == {cart}
    assert Cart.objects.get() == cart


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "delete",
    [
        lambda book: book.remove(),
        lambda book: Book.objects.get(pk=book.pk).delete(),
        lambda book: Book.objects.filter(pk__lte=book.pk).delete(),
    ],
    ids=["Book.remove", "Book.delete", "QuerySet.delete"],
)
def test_deleting_a_book_waits_for_the_book_before_it_touches_a_line(alice, emma, rival, delete):
    line = CartItemFactory(cart=CartFactory(user=alice), book=emma)
    rival("BEGIN", "SELECT 1 FROM books WHERE id = %s FOR KEY SHARE", emma.pk)  # as who adds the book
    thread, raised = in_thread(lambda: delete(emma))
    thread.join(0.5)
    assert thread.is_alive()

    rival("SELECT 1 FROM cart_items WHERE id = %s FOR UPDATE NOWAIT", line.pk)
    rival("COMMIT")
    thread.join(5)

    assert raised == []
    assert not Book.objects.exists()
    assert not CartItem.objects.exists()


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "take_out",
    [
        lambda cart: cart.clear(),
        lambda cart: cart.merge([(line.book_id, 999) for line in cart.lines]),
        lambda cart: Cart.objects.filter(pk=cart.pk).delete(),
        lambda cart: cart.user.delete(),
        lambda cart: Book.objects.all().delete(),
        lambda cart: Cart.objects.prune_batch(now() + timedelta(days=1), size=10),
    ],
    ids=["clear", "merge", "Cart", "User", "Book", "prune"],
)
def test_several_lines_are_held_in_the_order_of_their_ids(alice, rival, take_out):
    cart = CartFactory(user=alice)
    books = [BookFactory(title=title) for title in ("Emma", "Dracula", "Persuasion")]
    # Neither the order of the table, nor that of an index by book.
    for pk, book in zip((30, 20, 10), books, strict=True):
        CartItemFactory(pk=pk, cart=cart, book=book)
    rival("BEGIN", "SELECT 1 FROM cart_items WHERE id = %s FOR UPDATE", 20)
    thread, raised = in_thread(lambda: take_out(Cart.objects.get(pk=cart.pk)))
    thread.join(0.5)
    assert thread.is_alive()

    free = rival("SELECT id FROM cart_items WHERE id <> %s FOR UPDATE SKIP LOCKED", 20)
    rival("COMMIT")
    thread.join(5)

    assert raised == []
    assert free == [(30,)]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "delete",
    [
        lambda cart: Cart.objects.get(pk=cart.pk).delete(),
        lambda cart: Cart.objects.all().delete(),
        lambda cart: cart.user.delete(),
        lambda cart: User.objects.all().delete(),
        lambda cart: cart.lines[0].book.delete(),
        lambda cart: Book.objects.all().delete(),
        lambda cart: Cart.objects.prune_batch(now() + timedelta(days=1), size=10),
    ],
    ids=["Cart", "carts", "User", "users", "Book", "books", "prune"],
)
def test_every_deletion_begins_again_after_a_deadlock(alice, emma, monkeypatch, delete):
    cart = CartItemFactory(cart=CartFactory(user=alice), book=emma).cart
    met = iter([True, False])
    collected = Collector.collect

    def collect_or_meet_another(collector, *args, **options):
        if next(met, False):
            raise OperationalError("deadlock detected") from DeadlockDetected("deadlock detected")
        return collected(collector, *args, **options)

    monkeypatch.setattr(Collector, "collect", collect_or_meet_another)

    delete(cart)

    assert next(met, None) is None
    assert not CartItem.objects.exists()


@pytest.mark.parametrize("one", [Cart, User, Book])
def test_no_template_deletes(one):
    assert (one.delete.alters_data, type(one.objects.all()).delete.alters_data) == (True, True)
