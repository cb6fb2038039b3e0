"""Orders against a plain model: whatever customers, staff and payments do, in whatever order, no copy is lost."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from bookstore.accounts.tests.factories import SuperuserFactory, UserFactory
from cart.models import Cart
from catalog.models import Book
from catalog.tests.factories import BookFactory
from orders.models import Order, OrderItem

COPIES = st.integers(1, 4)
PRICES = st.decimals("0.01", "99.99", places=2)
KEYS = st.sampled_from(["", "", "a", "b"])
NOTES = st.sampled_from(["", "x"])


@dataclass
class Placed:
    """An order as the model knows it. `lines` are copies by book."""

    user: int
    lines: dict[int, int]
    total: Decimal
    status: str = "placed"
    reference: str = ""


@dataclass
class Shop:
    stock: dict[int, int] = field(default_factory=dict)
    price: dict[int, Decimal] = field(default_factory=dict)
    active: dict[int, bool] = field(default_factory=dict)
    put_in: dict[int, int] = field(default_factory=dict)  # copies that staff put in, less those that they took away
    carts: dict[int, dict[int, tuple[int, Decimal]]] = field(default_factory=dict)  # copies, price when added
    orders: dict[int, Placed] = field(default_factory=dict)
    keys: dict[tuple[int, str], tuple[str, bytes]] = field(default_factory=dict)  # note, and the first answer

    def checkout(self, user: int, *, has_seen: bool) -> tuple[int, str]:
        cart = self.carts[user]
        if not cart:
            return 422, "ORDER_CART_EMPTY"
        if any(not self.active[book] for book in cart):
            return 409, "ORDER_ITEMS_UNAVAILABLE"
        if any(copies > self.stock[book] for book, (copies, _) in cart.items()):
            return 409, "ORDER_INSUFFICIENT_STOCK"
        if not has_seen and any(self.price[book] > price for book, (_, price) in cart.items()):
            return 409, "ORDER_PRICE_CHANGED"
        return 201, ""

    def place(self, user: int, order: int) -> None:
        lines = {book: copies for book, (copies, _) in self.carts[user].items()}
        total = sum((self.price[book] * copies for book, copies in lines.items()), Decimal(0))
        for book, copies in lines.items():
            self.stock[book] -= copies
        self.orders[order] = Placed(user, lines, total)
        self.carts[user].clear()

    def cancel(self, order: int) -> tuple[int, str]:
        placed = self.orders[order]
        if placed.status == "shipped":
            return 409, "ORDER_NOT_CANCELLABLE"
        if placed.status != "cancelled":
            placed.status = "cancelled"
            for book, copies in placed.lines.items():
                if book in self.stock:  # else deleted
                    self.stock[book] += copies
        return 200, ""

    def pay(self, order: int, reference: str) -> tuple[int, str]:
        placed = self.orders[order]
        if placed.status == "placed":
            placed.status, placed.reference = "paid", reference
        elif placed.reference != reference:  # the same one again changes nothing, also after a cancellation
            return 409, "ORDER_NOT_PAYABLE"
        return 200, ""


class OrdersMachine(RuleBasedStateMachine):
    books = Bundle("books")
    customers = Bundle("customers")

    clients: Any = None  # makes a client for a user: set by the test

    def __init__(self) -> None:
        super().__init__()
        self.everything = transaction.atomic()
        self.everything.__enter__()
        self.shop = Shop()
        self.users: dict[int, Any] = {}
        self.staff = type(self).clients(SuperuserFactory())

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.everything.__exit__(None, None, None)

    def check(self, response: Any, expected: tuple[int, str]) -> None:
        code = response.json().get("code", "") if response.content else ""
        assert (response.status_code, code) == expected

    # --- what there is ---

    @initialize(target=books, price=PRICES, stock=COPIES)
    def first_book(self, price: Decimal, stock: int) -> int:
        return self.add_a_book(price, stock)

    @initialize(target=customers)
    def first_customer(self) -> int:
        return self.add_a_customer()

    @rule(target=books, price=PRICES, stock=COPIES)
    def add_a_book(self, price: Decimal, stock: int) -> int:
        book: int = BookFactory(price=price, stock_quantity=stock).pk
        self.shop.stock[book] = self.shop.put_in[book] = stock
        self.shop.price[book], self.shop.active[book] = price, True
        return book

    @rule(target=customers)
    def add_a_customer(self) -> int:
        user = UserFactory()
        self.users[user.pk] = type(self).clients(user)
        self.shop.carts[user.pk] = {}
        return int(user.pk)

    # --- staff ---

    @rule(book=books, price=PRICES)
    def change_the_price(self, book: int, price: Decimal) -> None:
        if book in self.shop.stock:
            self.check(self.staff.put(f"/books/{book}", {"price": str(price)}), (200, ""))
            self.shop.price[book] = price

    @rule(book=books, on=st.booleans())
    def withdraw_or_put_back(self, book: int, on: bool) -> None:
        if book in self.shop.stock:
            self.check(self.staff.put(f"/books/{book}", {"is_active": on}), (200, ""))
            self.shop.active[book] = on

    @rule(book=books, change=st.integers(-2, 3))
    def change_the_stock(self, book: int, change: int) -> None:
        if book in self.shop.stock:
            enough = self.shop.stock[book] + change >= 0
            response = self.staff.patch(f"/books/{book}/stock", {"change": change})
            self.check(response, (200, "") if enough else (409, "BOOK_STOCK_OUT_OF_RANGE"))
            if enough:
                self.shop.stock[book] += change
                self.shop.put_in[book] += change

    @rule(book=books)
    def delete_the_book(self, book: int) -> None:
        if book in self.shop.stock:
            self.check(self.staff.delete(f"/books/{book}"), (204, ""))
            del self.shop.stock[book], self.shop.put_in[book]
            for cart in self.shop.carts.values():
                cart.pop(book, None)

    # --- customers ---

    @rule(user=customers, book=books, copies=COPIES)
    def add_to_the_cart(self, user: int, book: int, copies: int) -> None:
        response = self.users[user].post("/cart/items", {"book_id": book, "quantity": copies})
        if response.status_code == 201:
            self.shop.carts[user][book] = (copies, self.shop.price[book])
        else:
            assert response.status_code in {404, 409}

    @rule(user=customers, key=KEYS, note=NOTES, looks=st.booleans())
    def check_out(self, user: int, key: str, note: str, looks: bool) -> None:
        client, headers = self.users[user], {"idempotency-key": key} if key else {}
        if looks:
            headers["if-match"] = client.get("/cart").headers["ETag"]
        expected = self.shop.checkout(user, has_seen=looks)
        response = client.post("/orders/checkout", {"note": note}, headers=headers)
        if (user, key) in self.shop.keys:
            noted, answer = self.shop.keys[user, key]
            if noted == note:
                assert (response.status_code, response.content) == (201, answer)
            else:
                self.check(response, (422, "ORDER_KEY_REUSED"))
            return
        self.check(response, expected)
        if expected[0] == 201:
            self.shop.place(user, response.json()["id"])
            if key:
                self.shop.keys[user, key] = (note, response.content)

    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        if self.shop.orders:
            order = data.draw(st.sampled_from(sorted(self.shop.orders)))
            client = self.users[self.shop.orders[order].user]
            expected = self.shop.cancel(order)
            self.check(client.post(f"/orders/{order}/cancel"), expected)

    @rule(data=st.data(), reference=st.sampled_from(["pi_1", "pi_2"]))
    def pay(self, data: st.DataObject, reference: str) -> None:
        if self.shop.orders:
            order = data.draw(st.sampled_from(sorted(self.shop.orders)))
            expected = self.shop.pay(order, reference)
            self.check(self.staff.post(f"/orders/{order}/paid", {"reference": reference}), expected)

    @rule(data=st.data())
    def ship(self, data: st.DataObject) -> None:
        paid = sorted(order for order, placed in self.shop.orders.items() if placed.status == "paid")
        if paid:
            order = data.draw(st.sampled_from(paid))
            Order.objects.get(pk=order).ship()
            self.shop.orders[order].status = "shipped"

    # --- what must always be so ---

    @invariant()
    def the_orders_are_the_models(self) -> None:
        found = {order.pk: (order.user_id, order.status, order.total_price) for order in Order.objects.all()}
        assert found == {pk: (placed.user, placed.status, placed.total) for pk, placed in self.shop.orders.items()}

    @invariant()
    def no_copy_is_missing(self) -> None:
        stocks = dict(Book.objects.filter(pk__in=self.shop.put_in).values_list("pk", "stock_quantity"))
        assert stocks == self.shop.stock
        ordered = dict.fromkeys(stocks, 0)
        for item in OrderItem.objects.exclude(order__status="cancelled").exclude(book=None):
            ordered[item.book_id] += item.quantity
        assert {book: stocks[book] + ordered[book] for book in stocks} == self.shop.put_in

    @invariant()
    def the_carts_are_the_models(self) -> None:
        found = {cart.user_id: [line.book_id for line in cart.lines] for cart in Cart.objects.with_lines()}
        assert {user: sorted(lines) for user, lines in found.items() if lines} == {
            user: sorted(lines) for user, lines in self.shop.carts.items() if lines
        }


@pytest.mark.slow
@pytest.mark.django_db
def test_orders_are_those_of_the_model(client_for):
    OrdersMachine.clients = staticmethod(client_for)
    run_state_machine_as_test(
        OrdersMachine,
        settings=settings(
            max_examples=30 if connection.vendor == "postgresql" else 15,  # the same rules on each
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=(Phase.generate, Phase.shrink),
        ),
    )
