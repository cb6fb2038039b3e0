"""What staff see of the carts. Here they look; customers and the verbs change."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from cart.models import Cart, CartItem


class LineInline(admin.TabularInline):
    model = CartItem
    fields = readonly_fields = ("book", "unit_price", "quantity", "line_total", "stock", "added_at")
    extra = 0
    can_delete = False
    verbose_name_plural = "lines"

    def get_queryset(self, request: HttpRequest) -> QuerySet[CartItem]:
        return super().get_queryset(request).select_related("book").order_by("id")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display
    def unit_price(self, item: CartItem) -> str:
        return f"{item.book.price}"

    @admin.display
    def line_total(self, item: CartItem) -> str:
        return f"{item.line_total}"

    @admin.display
    def stock(self, item: CartItem) -> int:
        return item.book.stock_quantity


@admin.register(Cart)
class CartAdmin(admin.ModelAdmin):
    list_display = ("email", "line_count", "copies", "total", "updated_at")
    fields = readonly_fields = ("user", "copies", "total", "created_at", "updated_at")
    search_fields = ("user__email", "items__book__title", "items__book__isbn")
    search_help_text = "Email of the customer, or title or ISBN of a book in the cart"
    ordering = ("-updated_at",)
    list_per_page = 50
    show_full_result_count = False
    inlines = (LineInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Cart]:
        return Cart.objects.with_totals().select_related("user")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(ordering="user__email")
    def email(self, cart: Cart) -> str:
        return cart.user.email

    @admin.display(description="lines", ordering="line_count")
    def line_count(self, cart: Any) -> int:
        return int(cart.line_count)

    @admin.display(ordering="copies")
    def copies(self, cart: Any) -> int:
        return int(cart.copies)

    @admin.display(ordering="value")
    def total(self, cart: Any) -> str:
        return f"{cart.value:.2f}"
