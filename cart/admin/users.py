"""The users' admin, with the way from a customer to their cart.

Who keeps the accounts knows nothing of carts, so this app registers their admin anew, with one field more.
"""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from bookstore.accounts.admin import UserAdmin as AccountsUserAdmin
from bookstore.accounts.models import User
from cart.models import Cart

admin.site.unregister(User)


@admin.register(User)
class UserAdmin(AccountsUserAdmin):
    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)
        if obj is None or not request.user.has_perm("cart.view_cart"):
            return fieldsets
        return (fieldsets[0], ("In the shop", {"fields": ("their_cart",)}), *fieldsets[1:])

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return (*super().get_readonly_fields(request, obj), "their_cart")

    @admin.display(description="cart")
    def their_cart(self, user: User) -> str:
        cart = Cart.objects.filter(user=user).first()
        if cart is None:
            return "None yet: the first book that is added makes one."
        url = reverse("admin:cart_cart_change", args=[cart.pk])
        return format_html('<a href="{}">last change {} UTC</a>', url, f"{cart.updated_at:%Y-%m-%d %H:%M}")
