"""Staff's verbs on one cart: each validates its form, calls the cart's verb, and returns a Done.

They run under the cart's lock, so that the message and the history have the state that they found.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelect

from bookstore.admin.lists import is_id
from bookstore.admin.refusals import Refused, staff_words
from bookstore.admin.wording import StaffWords
from bookstore.audit.recording import Differences
from cart.exceptions import BookOutOfStock, CartItemDuplicate, CartItemNotFound, CartLimitExceeded
from cart.models import Cart, CartItem
from cart.quantities import MAX_QUANTITY, MIN_QUANTITY
from catalog.models import Book

staff_words(
    {
        BookOutOfStock: "This book is sold out.",
        CartItemDuplicate: "This book is already in the cart: set the quantity of its line instead.",
        CartItemNotFound: "This line is not in the cart any more.",
        CartLimitExceeded: "The cart is full: remove a line first.",
    }
)
CHANGED_MEANWHILE = "The cart has changed since this page was shown. Look again, then decide."

TakenLine = tuple[int, int, str]  # book id, copies, unit price when added or last changed ("" if unknown)


@dataclass
class Done:
    """The result of a verb: the message, the history's entry, and the removed lines."""

    told: str
    differences: Differences
    taken: list[TakenLine] = field(default_factory=list)


class QuantityForm(StaffWords, forms.Form):
    quantity = forms.IntegerField(
        min_value=MIN_QUANTITY,
        max_value=MAX_QUANTITY,
        initial=1,
        widget=forms.NumberInput(attrs={"min": MIN_QUANTITY, "max": MAX_QUANTITY, "aria-label": "Quantity"}),
    )


class AddBookForm(QuantityForm):
    book = forms.ModelChoiceField(
        Book.objects.all(), widget=AutocompleteSelect(CartItem._meta.get_field("book"), admin.site)
    )
    field_order = ("book", "quantity")


def line_of(cart: Cart, data: Any) -> CartItem:
    """The line of this cart that a form names. Raises CartItemNotFound."""
    named = str(data.get("line", ""))
    for line in cart.lines:
        if is_id(named) and line.pk == int(named):
            return line
    raise CartItemNotFound


def cleaned(form: forms.Form) -> dict[str, Any]:
    """The values of the form. Raises Django's ValidationError with the errors of all fields."""
    if not form.is_valid():
        faults = [f"{form[name].label}: {' '.join(map(str, errors))}" for name, errors in form.errors.items()]
        raise forms.ValidationError(faults)
    return form.cleaned_data


def refuse_if_changed(cart: Cart, data: Any) -> None:
    """Compares the version of the cart that the confirmed question showed. Raises Refused."""
    shown = data.get("version")
    if shown and shown != cart.version:
        raise Refused(CHANGED_MEANWHILE)


def change_quantity(cart: Cart, data: Any) -> Done:
    line = line_of(cart, data)
    before, after = line.quantity, cleaned(QuantityForm(data))["quantity"]
    shown = data.get("shown", "")
    if before == after:
        raise Refused(f"There are {before} of “{line.book.title}” in the cart already.")
    if is_id(shown) and int(shown) != before:
        raise Refused(
            f"This page showed {shown} of “{line.book.title}”, there are {before} in the cart now, and you wrote "
            f"{after}. Set it again if you mean it."
        )
    line.change_quantity(after)
    told = f"Changed the quantity of “{line.book.title}” from {before} to {after}."
    return Done(told, {line.book.title: (before, after)})


def remove_line(cart: Cart, data: Any) -> Done:
    refuse_if_changed(cart, data)
    line = line_of(cart, data)
    line.remove()
    told = f"Removed “{line.book.title}” ({line.quantity})."
    return Done(told, {line.book.title: (line.quantity, None)}, [taken(line)])


def add_book(cart: Cart, data: Any) -> Done:
    chosen = cleaned(AddBookForm(data))
    cart.add(chosen["book"], chosen["quantity"])
    told = f"Added “{chosen['book'].title}” ({chosen['quantity']})."
    return Done(told, {chosen["book"].title: (None, chosen["quantity"])})


def clear(cart: Cart, data: Any) -> Done:
    refuse_if_changed(cart, data)
    lines = cart.lines
    cart.clear()
    told = f"Cleared the cart: {len(lines)} {'line' if len(lines) == 1 else 'lines'} removed."
    return Done(told, {line.book.title: (line.quantity, None) for line in lines}, [taken(line) for line in lines])


def taken(line: CartItem) -> TakenLine:
    return line.book_id, line.quantity, "" if line.price_at_add is None else str(line.price_at_add)


VERBS: dict[str, Callable[[Cart, Any], Done]] = {
    "quantity": change_quantity,
    "remove": remove_line,
    "add": add_book,
    "clear": clear,
}
