"""What `manage.py clean_up` deletes of carts: those that nobody has changed for CART_DAYS."""

from datetime import timedelta

from django.conf import settings
from django.utils.timezone import now

from cart.models import Cart


def clean_up(batch: int) -> str:
    if not settings.CART_DAYS:
        return "CART_DAYS is 0: no cart is deleted."
    moment, deleted = now() - timedelta(days=settings.CART_DAYS), 0
    while count := Cart.objects.prune_batch(moment, size=batch):
        deleted += count
    return f"Deleted {deleted} carts that nobody has changed for {settings.CART_DAYS} days."
