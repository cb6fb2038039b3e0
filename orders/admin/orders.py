"""The admin's list of orders and the page of one: read-only, except for the verbs of an order."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from bookstore.admin.bulk import BulkActions
from bookstore.admin.history import Recorded
from bookstore.admin.lists import BoundedList
from bookstore.admin.site import money
from orders.admin.exports import OrderExports
from orders.admin.finding import BookFilter, CustomerFilter, DayFilter, matching
from orders.admin.packing import lines_of, packing_list
from orders.admin.verbs import Cancel, MarkPaid, MarkShipped
from orders.models import Order, OrderItem

COMPUTED = ("customer_links", "status_name", "copies", "total", "sent_to")
STORED = (
    "number",
    "created_at",
    "expires_at",
    "paid_at",
    "payment_reference",
    "shipped_at",
    "cancelled_at",
    "cancelled_by",
    "cancel_reason",
    "note",
)


class ItemInline(admin.TabularInline[OrderItem, Order]):
    model = OrderItem
    fields = readonly_fields = ("book_link", "author", "isbn", "quantity", "unit_price", "total")
    extra = 0
    can_delete = False

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """The title is a link for staff who may see books."""
        return ("book_link" if request.user.has_perm("catalog.view_book") else "title", *self.fields[1:])

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return self.get_fields(request, obj)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description="title")
    def book_link(self, item: OrderItem) -> SafeString | str:
        if item.book_id is None:
            return f"{item.title} (deleted since)"
        return format_html('<a href="{}">{}</a>', reverse("admin:catalog_book_change", args=[item.book_id]), item.title)

    @admin.display
    def total(self, item: OrderItem) -> str:
        return money(item.line_total)


@admin.register(Order)
class OrderAdmin(OrderExports, Recorded, BulkActions, BoundedList):
    """An order is made by a checkout, changed by its verbs, and never deleted."""

    list_display = ("number", "customer", "status", "copies", "total", "created_at", "expires_at")
    list_filter = ("status", DayFilter, BookFilter, CustomerFilter)
    ordering = ("-id",)
    sortable_by = ("created_at",)
    search_fields = ("number",)  # shows the box; get_search_results says what is searched
    search_help_text = (
        "Number, part of the customer's email, ISBN or words of a book, or an email with @ and a book together"
    )
    actions = (MarkPaid(), MarkShipped(), packing_list, Cancel())
    inlines = (ItemInline,)
    fields = readonly_fields = ("number", *COMPUTED, *STORED[1:])

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """The customer is a link for staff who may see users."""
        customer = "customer_links" if request.user.has_perm("accounts.view_user") else "customer"
        return tuple(customer if name == "customer_links" else name for name in self.fields)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return self.get_fields(request, obj)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Order]:
        return Order.objects.select_related("user").order_by(*self.get_ordering(request))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Order], search_term: str
    ) -> tuple[QuerySet[Order], bool]:
        text = search_term.strip()
        if "\0" in text:
            return queryset.none(), False
        return (matching(request, queryset, text) if text else queryset), False

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """A read-only page, with a button for each verb that its state allows, and without buttons to save."""
        unsaved = {
            "title": "Order",
            "show_save": False,
            "show_save_and_continue": False,
            "show_save_and_add_another": False,
        }
        return super().change_view(request, object_id, form_url, {**unsaved, **(extra_context or {})})

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        order: Order | None = kwargs.get("obj")
        if order is not None:
            verbs = [verb for verb in (MarkPaid, MarkShipped, Cancel) if order.status in verb.of]
            context["verbs"] = verbs if self.has_change_permission(request) else []
        return super().render_change_form(request, context, *args, **kwargs)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display
    def customer(self, order: Order) -> str:
        return order.user.email if order.user else "deleted"

    @admin.display(description="customer")
    def customer_links(self, order: Order) -> SafeString | str:
        """With links to their page and to all their orders."""
        if order.user is None:
            return "deleted"
        theirs = f"{reverse('admin:orders_order_changelist')}?customer={order.user_id}"
        page = reverse("admin:accounts_user_change", args=[order.user_id])
        return format_html('<a href="{}">{}</a> (<a href="{}">all orders</a>)', page, order.user.email, theirs)

    @admin.display(description="status")
    def status_name(self, order: Order) -> str:
        return order.get_status_display()

    @admin.display
    def copies(self, order: Order) -> int:
        return order.total_items

    @admin.display
    def total(self, order: Order) -> str:
        return money(order.total_price)

    @admin.display(description="contact")
    def sent_to(self, order: Order) -> SafeString | str:
        return (
            format_html('<span class="address">{}</span>', "\n".join(lines_of(order.contact)))
            if order.contact
            else "none"
        )
