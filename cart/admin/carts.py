"""The admin's list of carts, and the page of one. Changes use the cart's verbs."""

from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince
from django.utils.timezone import now

from bookstore.accounts.models import User
from bookstore.admin.history import Recorded
from bookstore.admin.lists import BoundedList
from bookstore.admin.refusals import WORDS, in_staff_words, lock_or_refuse
from bookstore.admin.site import money
from bookstore.api.errors import ApiError
from bookstore.audit.actor import Actor
from bookstore.audit.recording import changed, record
from cart.admin import querysets as asked
from cart.admin import undo
from cart.admin.filters import (
    PROBLEM_NAMES,
    ActivityFilter,
    BookFilter,
    ContentFilter,
    ProblemFilter,
    noted,
)
from cart.admin.verbs import VERBS, AddBookForm, QuantityForm
from cart.exceptions import CartItemNotFound
from cart.issues import BLOCKING, IssueCode
from cart.models import Cart
from catalog.models import Book


def worst_problem(cart: Cart) -> IssueCode | None:
    """The most severe issue of all lines. No query after `with_lines()`."""
    codes = {issue["code"] for line in cart.lines for issue in line.issues}
    return next((code for code in asked.GRAVITY if code in codes), None)


def badge(code: IssueCode | None, words: str = "") -> SafeString:
    if code is None:
        return SafeString("")
    kind = "blocking" if code in BLOCKING else "informing"
    return format_html('<span class="problem problem-{}">{}</span>', kind, words or PROBLEM_NAMES[code])


def idle_for(cart: Cart) -> str:
    """How long ago the cart changed, in one unit: "3 days"."""
    return timesince(cart.updated_at, now(), depth=1).replace("\xa0", " ")


@admin.register(Cart)
class CartAdmin(Recorded, BoundedList):
    """Carts are made by their customers, and deleted with them or by `manage.py clean_up`."""

    list_display = ("email", "line_count", "copies", "total", "idle", "problem")
    list_display_links = ("email",)
    list_filter = (ActivityFilter, BookFilter, ProblemFilter, ContentFilter)
    ordering = ("-updated_at", "-id")
    sortable_by = ("idle",)
    search_fields = ("user__email",)  # shows the box; get_search_results says what is searched
    search_help_text = "Part of the customer's email, words or ISBN of a book in the cart, or both"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Cart]:
        return Cart.objects.with_lines().select_related("user").order_by(*self.get_ordering(request))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Cart], search_term: str
    ) -> tuple[QuerySet[Cart], bool]:
        if not search_term.strip():
            return queryset, False
        return noted(request, asked.matching(queryset, search_term)), False

    def get_actions(self, request: HttpRequest, action_location: Any = None) -> dict[str, Any]:
        """None: carts are changed on their own pages, one at a time."""
        return {}

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Deleting a user deletes the cart: the permission to delete users is enough."""
        return super().has_delete_permission(request, obj) or request.user.has_perm("accounts.delete_user")

    @admin.display
    def email(self, cart: Cart) -> str:
        return cart.user.email

    @admin.display(description="lines")
    def line_count(self, cart: Cart) -> int:
        return len(cart.lines)

    @admin.display
    def copies(self, cart: Cart) -> int:
        return cart.total_items

    @admin.display
    def total(self, cart: Cart) -> str:
        return money(cart.total_price)

    @admin.display(description="idle for", ordering="-updated_at")
    def idle(self, cart: Cart) -> SafeString:
        return format_html(
            '<time datetime="{}" title="{}">{}</time>',
            cart.updated_at.isoformat(timespec="seconds"),
            f"last change {cart.updated_at:%Y-%m-%d %H:%M} UTC",
            idle_for(cart),
        )

    @admin.display(description="worst problem")
    def problem(self, cart: Cart) -> SafeString:
        return badge(worst_problem(cart))

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The page of a cart. A POST names a verb; a refusal of the verb becomes a message, and nothing is changed."""
        cart: Cart | None = self.get_object(request, unquote(object_id))
        if not self.has_view_or_change_permission(request, cart):
            raise PermissionDenied
        if cart is None:
            messages.warning(request, "There is no such cart (any more).")
            return HttpResponseRedirect(reverse("admin:cart_cart_changelist"))
        may_change = self.has_change_permission(request, cart)
        if request.method == "POST":
            if not may_change:
                raise PermissionDenied
            named = request.POST.get("verb", "")
            if named in QUESTIONS and "version" not in request.POST:
                if question := question_of(cart, request.POST):
                    return self.page(request, cart, may_change=True, extra={"question": question})
                messages.error(request, f"Nothing was changed: {QUESTIONS[named]}")
                return HttpResponseRedirect(request.get_full_path())
            self.do(request, cart)
            return HttpResponseRedirect(request.get_full_path())
        return self.page(request, cart, may_change=may_change, extra=extra_context or {})

    def do(self, request: HttpRequest, cart: Cart) -> None:
        """Calls the verb that the form names, writes the history, and shows a message. One transaction.

        Locks the cart first, so that the history has the state that the verb found, not the one that the page showed.
        """
        named = request.POST.get("verb", "")
        kept = undo.offered(request, cart)
        if named not in VERBS and not (named == "undo" and kept):
            messages.error(request, "Nothing was changed: the form did not say what to do.")
            return
        try:
            with transaction.atomic():
                lock_or_refuse(cart)
                held = self.get_queryset(request).get(pk=cart.pk)
                done = undo.put_back(held, kept) if named == "undo" else VERBS[named](held, request.POST)
                self.log_change(request, cart, done)
        except ApiError as error:
            messages.error(request, f"Nothing was changed: {in_staff_words(error)}")
        except forms.ValidationError as error:
            messages.error(request, f"Nothing was changed: {' '.join(error.messages)}")
        else:
            messages.success(request, done.told)
            undo.remember(request, cart, done.taken)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """`message` is the Done of a verb."""
        summary = f"Cart of {obj.user.email}: {message.told}"
        record(Actor.of_admin(request), summary, [changed(obj, message.differences)])

    def page(self, request: HttpRequest, cart: Cart, *, may_change: bool, extra: dict[str, Any]) -> HttpResponse:
        lines = [
            {
                "line": line,
                "problems": [badge(issue["code"], in_words(issue)) for issue in line.issues],
                "form": QuantityForm(initial={"quantity": line.quantity}, auto_id=f"id_{line.pk}_%s"),
                "price_then": money(line.known_price),
                "price_now": money(line.book.price),
                "price_changed": line.known_price != line.book.price,
                "total": money(line.line_total),
                "url": reverse("admin:catalog_book_change", args=[line.book_id]),
            }
            for line in cart.lines
        ]
        # The total at the unit prices that the customer last agreed to.
        then = sum((line.known_price * line.quantity for line in cart.lines), Decimal("0.00"))
        may_add = may_change and request.user.has_perm("catalog.view_book")
        form = AddBookForm() if may_add else None
        context = {
            **self.admin_site.each_context(request),
            "title": f"Cart of {cart.user.email}",
            "subtitle": None,
            "opts": self.opts,
            "cart": cart,
            "lines": lines,
            "idle": idle_for(cart),
            "total": money(cart.total_price),
            "total_then": money(then),
            "total_changed": then != cart.total_price,
            "worst": badge(worst_problem(cart)),
            "may_change": may_change,
            "add_form": form,
            "undo": len(undo.offered(request, cart)) if may_change else 0,
            "may_see_user": self.may_see(request, User),
            "may_see_books": self.may_see(request, Book),
            "media": form.media if form else forms.Media(),
            **extra,
        }
        request.current_app = self.admin_site.name  # as Django's own views do
        return TemplateResponse(request, "admin/cart/cart/change_form.html", context)

    def may_see(self, request: HttpRequest, model: type[Any]) -> bool:
        return bool(self.admin_site.get_model_admin(model).has_view_permission(request))


# Verbs that ask first, because they remove the customer's lines; and why there is nothing to ask.
QUESTIONS = {"remove": WORDS[CartItemNotFound], "clear": "The cart is empty already."}


def question_of(cart: Cart, data: Any) -> dict[str, Any] | None:
    """The question before a verb that removes lines, and the version of the cart that it is about.

    None when there is nothing left to remove.
    """
    if data["verb"] == "clear":
        text = f"Take all {len(cart.lines)} lines out of this cart?" if len(cart.lines) > 1 else "Clear this cart?"
        return {"text": text, "verb": "clear", "yes": "Clear the cart", "version": cart.version} if cart.lines else None
    for line in cart.lines:
        if str(line.pk) == data.get("line"):
            text = f"Take “{line.book.title}” ({line.quantity}) out of this cart?"
            return {"text": text, "verb": "remove", "yes": "Remove", "line": line.pk, "version": cart.version}
    return None


def in_words(issue: dict[str, Any]) -> str:
    """One issue in words for staff, with the number of copies left."""
    if issue["code"] == IssueCode.INSUFFICIENT_STOCK:
        return f"short: {issue['available']} left"
    return PROBLEM_NAMES[issue["code"]]
