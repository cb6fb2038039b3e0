"""Actions of the admin on many books at once."""

from collections.abc import Collection, Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django import forms
from django.conf import settings

from bookstore.admin.refusals import Refused
from bookstore.admin.verbs import ChangeFields
from bookstore.admin.wording import StaffWords
from catalog.models import MAX_STOCK, MIN_PRICE, Book, Genre

MAX_PRICE = Decimal("99999999.99")  # what the column holds
CENT = Decimal("0.01")
ROUNDINGS = {
    "0.01": "to 0.01",
    "0.05": "to 0.05",
    "0.10": "to 0.10",
    "0.99": "to end in .99 (12.40 becomes 12.99)",
    "1.00": "to whole amounts",
}


class StockForm(StaffWords, forms.Form):
    stock = forms.IntegerField(
        label="Copies in stock from now on",
        min_value=0,
        max_value=MAX_STOCK,
        widget=forms.NumberInput(attrs={"autofocus": True, "min": 0}),
    )


class CopiesForm(StaffWords, forms.Form):
    copies = forms.IntegerField(
        label="Copies to add",
        min_value=-MAX_STOCK,
        max_value=MAX_STOCK,
        help_text="A negative number takes copies away. A book with fewer than that is left alone.",
        widget=forms.NumberInput(attrs={"autofocus": True}),
    )


class PriceForm(StaffWords, forms.Form):
    percent = forms.DecimalField(
        label="Percent",
        min_value=Decimal("-99"),
        max_value=Decimal("1000"),
        decimal_places=2,
        help_text="10 makes 12.00 into 13.20, and -10 makes it 10.80.",
        widget=forms.NumberInput(attrs={"autofocus": True, "step": "0.01"}),
    )
    rounding = forms.ChoiceField(label="Round", choices=ROUNDINGS.items(), help_text="Half a step is rounded up.")


class GenreChoiceForm(StaffWords, forms.Form):
    genre = forms.ModelChoiceField(
        label="Genre", queryset=Genre.objects.order_by("name_folded"), required=False, empty_label="No genre"
    )


class Withdraw(ChangeFields):
    name = "withdraw"
    title = "Withdraw the selected books from sale"
    done = "Withdrew {} from sale."

    def changes(self, row: Book, parameters: Any) -> dict[str, Any]:
        return {"is_active": False}


class PutBack(ChangeFields):
    name = "put_back"
    title = "Put the selected books back on sale"
    done = "Put {} back on sale."

    def changes(self, row: Book, parameters: Any) -> dict[str, Any]:
        return {"is_active": True}


class SetStock(ChangeFields):
    name = "set_stock"
    title = "Set the stock of the selected books"
    done = "Set the stock of {} to {stock}."
    form = StockForm
    shows = ("stock_quantity",)

    def changes(self, row: Book, parameters: Any) -> dict[str, Any]:
        return {"stock_quantity": parameters["stock"]}


class AddToStock(ChangeFields):
    """Adds to the stock at the moment of the UPDATE, so that copies sold meanwhile stay sold."""

    name = "add_to_stock"
    title = "Add to the stock of the selected books"
    done = "Changed the stock of {} by {copies:+}."
    form = CopiesForm

    def changes(self, row: Book, parameters: Any) -> dict[str, Any]:
        stock = row.stock_quantity + parameters["copies"]
        if not 0 <= stock <= MAX_STOCK:
            raise Refused(f"It has {row.stock_quantity}: the stock would be {stock}.")
        return {"stock_quantity": stock}


class ChangePrices(ChangeFields):
    name = "change_prices"
    title = "Change the prices of the selected books by percent"
    done = "Changed the prices of {} by {percent} percent."
    form = PriceForm
    shows = ("price",)

    def changes(self, row: Book, parameters: Any) -> dict[str, Any]:
        price = rounded(row.price * (100 + Decimal(parameters["percent"])) / 100, parameters["rounding"])
        if not MIN_PRICE <= price <= MAX_PRICE:
            raise Refused(f"The price would be {price} {settings.SHOP_CURRENCY}.")
        return {"price": price}


class SetGenre(ChangeFields):
    name = "set_genre"
    title = "Set the genre of the selected books"
    done = "Changed the genre of {}."
    form = GenreChoiceForm
    shows = ("genre_id",)

    def lock_first(self, parameters: Mapping[str, Any], keys: Collection[int]) -> None:
        Genre.objects.lock_existing(parameters["genre"])

    def changes(self, row: Book, parameters: Any) -> dict[str, Any]:
        return {"genre_id": parameters["genre"]}

    def preview(self, admin: Any, request: Any, rows: Any, parameters: Any) -> list[tuple[str, str]]:
        """Shows the genres by name. One query."""
        ids = {row.genre_id for row in rows} | {parameters["genre"]}
        names = dict(Genre.objects.filter(pk__in=[pk for pk in ids if pk]).values_list("pk", "name"))
        new = names.get(parameters["genre"], "no genre")
        return [
            (str(row), f"{names.get(row.genre_id, 'no genre')} → {new}" if row.genre_id != parameters["genre"] else new)
            for row in rows
        ]


def rounded(price: Decimal, how: str) -> Decimal:
    """Rounds an amount half up to steps of the currency; "0.99" keeps the whole part and sets the cents to 99."""
    if how == "0.99":
        whole = price.to_integral_value("ROUND_FLOOR")
        return whole + Decimal("0.99")
    step = Decimal(how)
    return ((price / step).quantize(Decimal(1), ROUND_HALF_UP) * step).quantize(CENT)
