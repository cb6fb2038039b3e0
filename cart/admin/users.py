"""Adds a link to the cart to the admin's page of a user."""

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from bookstore.accounts.models import User
from bookstore.admin.extensions import Extension, Fieldset, extend
from cart.models import Cart


@admin.display(description="cart")
def their_cart(user: User) -> str:
    """The user's cart. One query."""
    cart = Cart.objects.filter(user=user).first()
    if cart is None:
        return "None yet: the first book that is added makes one."
    url = reverse("admin:cart_cart_change", args=[cart.pk])
    return format_html('<a href="{}">last change {} UTC</a>', url, f"{cart.updated_at:%Y-%m-%d %H:%M}")


class TheirCart(Extension):
    def fieldsets(self, request: HttpRequest) -> list[Fieldset]:
        if not request.user.has_perm("cart.view_cart"):
            return []
        return [Fieldset("In the shop", (their_cart,), place=1)]

    def deletion_effects(self, row: User) -> str:
        return "with the cart and the sessions, if there are any"


extend(User, TheirCart())
