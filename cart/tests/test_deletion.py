"""A user's deletion beside changes of the user's cart: one lock order, so that neither waits for the other for ever."""

from threading import Barrier, Thread

import pytest
from django.contrib.admin.utils import NestedObjects
from django.db import connection, transaction

from bookstore.accounts.models import LoginSession, User
from bookstore.accounts.tests.factories import UserFactory
from cart.exceptions import CartItemNotFound
from cart.models import Cart, CartItem
from cart.tests.factories import CartFactory, CartItemFactory


def in_thread(work):
    """Runs it on a connection of its own; the list gets what it raised."""
    raised = []

    def run():
        try:
            work()
        except Exception as error:
            raised.append(error)
        finally:
            connection.close()

    thread = Thread(target=run)
    thread.start()
    return thread, raised


def deadlocks() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        return cursor.fetchone()[0]


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "delete",
    [lambda user: user.delete(), lambda user: User.objects.filter(pk=user.pk).delete()],
    ids=["User.delete", "QuerySet.delete"],
)
def test_deleting_a_user_waits_for_the_cart_before_it_touches_a_line(alice, emma, delete):
    line = CartItemFactory(cart=CartFactory(user=alice), book=emma)
    with transaction.atomic():
        Cart.objects.select_for_update().get()
        thread, raised = in_thread(lambda: delete(alice))
        thread.join(0.5)
        assert thread.is_alive()

        # Had the deletion begun with the line, this would be a deadlock.
        CartItem.objects.filter(pk=line.pk).update(quantity=3)
    thread.join(5)

    assert raised == []
    assert not User.objects.exists()
    assert not CartItem.objects.exists()


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_deleting_users_beside_changes_and_ended_sessions_never_deadlocks(emma, dracula):
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
def test_what_a_deletion_would_take_can_be_asked_outside_of_a_transaction(alice, emma):
    """As the admin's page of confirmation does: nothing is held, because nothing is deleted."""
    cart = CartFactory(user=alice)
    collector = NestedObjects(using="default")

    collector.collect([alice])

    assert collector.data[Cart] == {cart}
    assert Cart.objects.get() == cart
