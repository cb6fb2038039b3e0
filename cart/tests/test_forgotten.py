"""A customer who deletes the account leaves no email in the history of carts, also of deleted ones."""

import pytest

from bookstore.accounts.tests.factories import UserFactory
from bookstore.audit.actor import Actor
from bookstore.audit.forgetting import forget
from bookstore.audit.models import AuditChange, AuditEvent
from bookstore.audit.recording import changed, deleted, record
from cart.tests.factories import CartFactory

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("is_deleted", [False, True])
def test_history_of_a_cart_forgets_its_customer(is_deleted):
    alice = UserFactory(email="alice@example.com")
    cart = CartFactory(user=alice)
    change = deleted(cart) if is_deleted else changed(cart, {"Emma": ("2", None)})
    record(Actor.of_command("manage.py shell"), "Cart of alice@example.com: cleared.", [change])
    if is_deleted:
        cart.delete()

    forget(alice)

    assert AuditChange.objects.get().name == f"Cart of user {alice.pk}"
    assert AuditEvent.objects.get().summary == f"Cart of user {alice.pk}: cleared."
    assert "alice" not in str(AuditChange.objects.get().fields)
