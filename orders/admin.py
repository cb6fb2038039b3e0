"""The admin pages of orders: read-only, except for the verbs of an order."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from bookstore.accounts.emails import normalise_email
from bookstore.admin.history import Recorded
from bookstore.admin.lists import BoundedList
from bookstore.admin.site import money
from bookstore.api.errors import ApiError
from catalog.models import Book
from orders.exceptions import OrderNotPayable
from orders.models import Order, OrderItem

MOST_ORDERS = 500  # the newest orders, which a search by ISBN or title reads
MOST_CANCELLED = 100  # orders of one question, which lists all of them


class ItemInline(admin.TabularInline[OrderItem, Order]):
    model = OrderItem
    fields = readonly_fields = ("title", "author", "isbn", "quantity", "unit_price", "total")
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display
    def total(self, item: OrderItem) -> str:
        return money(item.line_total)


@admin.register(Order)
class OrderAdmin(Recorded, BoundedList):
    list_display = ("number", "customer", "status", "copies", "total", "created_at", "expires_at")
    list_filter = ("status", "created_at")
    ordering = ("-id",)
    search_fields = ("number",)  # shows the box; get_search_results says what is searched
    search_help_text = "Number, beginning of the customer's email, or a book's ISBN"
    actions = ("mark_shipped", "cancel_orders", "mark_paid_by_hand")
    inlines = (ItemInline,)
    readonly_fields = tuple(
        field.name for field in Order._meta.fields if field.name not in {"id", "user", "total_items", "total_price"}
    )
    fields = ("number", "customer", "status", "copies", "total", *readonly_fields[2:])

    def get_queryset(self, request: HttpRequest) -> QuerySet[Order]:
        return Order.objects.select_related("user").order_by(*self.get_ordering(request))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return (*self.readonly_fields, "customer", "copies", "total")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Order], search_term: str
    ) -> tuple[QuerySet[Order], bool]:
        text = search_term.strip()
        if not text or "\0" in text:
            return (queryset if not text else queryset.none()), False
        isbn = Book.objects.of_isbn(text)
        if isbn is not None:
            items = OrderItem.objects.filter(isbn__in=isbn.values_list("isbn", flat=True)).order_by("-order")
            return queryset.filter(pk__in=list(items.values_list("order", flat=True)[:MOST_ORDERS])), False
        if "@" in text:
            return queryset.filter(user__email__startswith=normalise_email(text)), False
        return queryset.filter(number=text.upper()), False

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """A read-only page, without buttons to save."""
        unsaved = {"show_save": False, "show_save_and_continue": False, "show_save_and_add_another": False}
        return super().change_view(request, object_id, form_url, {**unsaved, **(extra_context or {})})

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description="customer")
    def customer(self, order: Order) -> str:
        return order.user.email if order.user else "deleted"

    @admin.display
    def copies(self, order: Order) -> int:
        return order.total_items

    @admin.display
    def total(self, order: Order) -> str:
        return money(order.total_price)

    def do(self, request: HttpRequest, orders: QuerySet[Order], verb: Callable[[Order], None], done: str) -> None:
        """Changes each order separately: reports a refused one by its number, and changes the others."""
        changed = 0
        for order in orders.order_by("pk"):
            try:
                verb(order)
            except ApiError as error:
                messages.error(request, f"{order.number}: {error.detail}")
            else:
                self.log_change(request, order, done)
                changed += 1
        if changed:
            messages.success(request, f"{changed} {'order' if changed == 1 else 'orders'}: {done}")

    @admin.action(description="Mark as paid (by bank transfer, say)", permissions=["change"])
    def mark_paid_by_hand(self, request: HttpRequest, orders: QuerySet[Order]) -> None:
        name = request.user.get_username()

        def pay(order: Order) -> None:
            if not order.mark_paid(f"by hand: {name}"):
                raise OrderNotPayable

        self.do(request, orders, pay, "Marked as paid.")

    @admin.action(description="Mark as shipped", permissions=["change"])
    def mark_shipped(self, request: HttpRequest, orders: QuerySet[Order]) -> None:
        self.do(request, orders, lambda order: order.ship(), "Marked as shipped.")

    @admin.action(description="Cancel, and give the copies back", permissions=["change"])
    def cancel_orders(self, request: HttpRequest, orders: QuerySet[Order]) -> HttpResponse | None:
        """Asks first, with a reason, because an order stays cancelled."""
        chosen = orders.order_by("pk")[: MOST_CANCELLED + 1]
        if len(chosen) > MOST_CANCELLED:
            messages.error(request, f"Nothing was cancelled: choose at most {MOST_CANCELLED} orders at once.")
            return None
        if "confirmed" not in request.POST:
            context = {
                **self.admin_site.each_context(request),
                "title": "Cancel orders",
                "opts": self.opts,
                "orders": chosen,
                "longest": Order._meta.get_field("cancel_reason").max_length,
            }
            return TemplateResponse(request, "admin/orders/order/cancel.html", context)
        name, reason = request.user.get_username(), request.POST.get("reason", "").replace("\0", "").strip()
        shown = Order.objects.filter(pk__in=[order.pk for order in chosen])
        self.do(request, shown, lambda order: order.cancel(by=name, reason=reason), "Cancelled.")
        return None
