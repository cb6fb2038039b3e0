"""The charts on the admin's first page."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import Permission
from django.core.cache import cache

from bookstore.accounts.tests.factories import StaffFactory
from cart.admin import overview
from cart.models import Cart
from cart.tests.factories import CartFactory, CartItemFactory
from catalog.tests.factories import BookFactory

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 3, 31, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def at_noon(monkeypatch):
    cache.clear()
    monkeypatch.setattr(overview, "now", lambda: NOON)
    yield
    cache.clear()


def cart(*, days=0, book=None, **line):
    made = CartFactory()
    if book:
        CartItemFactory(cart=made, book=book, **line)
    Cart.objects.filter(pk=made.pk).update(updated_at=NOON - timedelta(days=days))
    return made


def panels(staff):
    return {panel.title: panel for panel in staff.get("/admin/").context["panels"]}


def bars(panel):
    return [(bar.label, bar.shown) for bar in panel.bars]


def test_shop_without_carts_says_so(staff):
    page = staff.get("/admin/").content.decode()

    assert "No cart has changed in 30 days." in page
    assert "There is no cart." in page
    assert "Every book in these carts can be bought." in page
    assert "<rect" not in page


def test_carts_are_counted_on_the_day_of_their_last_change(staff):
    for days in (0, 0, 1, 29, 30, 31):
        cart(days=days)

    panel = panels(staff)["Carts active each day"]

    assert panel.headline == "2 today, 4 in 30 days"
    assert len(panel.bars) == 30
    assert bars(panel)[0] == ("02 Mar", "1 cart")
    assert bars(panel)[-2:] == [("30 Mar", "1 cart"), ("31 Mar", "2 carts")]
    assert [bar.share for bar in panel.bars[-2:]] == [0.5, 1.0]


def test_value_is_told_by_age_at_todays_prices(staff, settings):
    settings.SHOP_CURRENCY = "EUR"
    book = BookFactory(price="10.00")
    for days, quantity in ((0, 1), (7, 2), (8, 3), (30, 4), (31, 5), (400, 6)):
        cart(days=days, book=book, quantity=quantity, price_at_add="1.00")

    panel = panels(staff)["Value lying in carts"]

    assert panel.headline == "210.00 EUR"
    assert bars(panel) == [
        ("Today: 1 cart", "10.00 EUR"),
        ("7 days before today: 1 cart", "20.00 EUR"),
        ("30 days, before that: 2 carts", "70.00 EUR"),
        ("Idle longer: 2 carts", "110.00 EUR"),
    ]


def test_value_of_carts_beyond_the_sample_is_labelled_estimate(staff, monkeypatch):
    monkeypatch.setattr(overview, "SAMPLE", 2)
    book = BookFactory(price="10.00")
    for _ in range(4):
        cart(book=book)

    panel = panels(staff)["Value lying in carts"]

    assert panel.headline == "≈ 40 USD"
    assert "≈ is estimated from the 2 carts of that age that changed last." in panel.note


def test_books_most_often_in_carts_come_first_and_link_to_them(staff):
    emma, dracula = BookFactory(title="Emma"), BookFactory(title="Dracula")
    cart(book=emma, quantity=9)
    for _ in range(2):
        cart(book=dracula)

    panel = panels(staff)["Books most often in carts"]

    assert bars(panel) == [("Dracula", "2 carts"), ("Emma", "1 cart")]
    assert panel.bars[0].url == f"/admin/cart/cart/?book={dracula.pk}"
    assert panel.note.startswith("In all carts.")


def test_books_of_the_newest_carts_only_are_counted_and_that_is_told(staff, monkeypatch):
    monkeypatch.setattr(overview, "NEWEST", 1)
    cart(book=BookFactory(title="Emma"), days=1)
    cart(book=BookFactory(title="Dracula"))

    panel = panels(staff)["Books most often in carts"]

    assert bars(panel) == [("Dracula", "1 cart")]
    assert panel.note.startswith("In the 1 carts that changed last.")


def test_books_that_cannot_be_bought_are_shown_by_the_copies_wanted(staff):
    cart(book=BookFactory(title="Emma", stock_quantity=0), quantity=2)
    cart(book=BookFactory(title="Dracula", is_active=False), quantity=3)
    cart(book=BookFactory(title="Persuasion"))

    panel = panels(staff)["In carts, but sold out or withdrawn"]

    assert panel.headline == "2 books that cannot be bought"
    assert bars(panel) == [("Dracula", "3 wanted in 1 cart"), ("Emma", "2 wanted in 1 cart")]
    assert all(bar.warn for bar in panel.bars)


def test_who_may_see_carts_and_no_books_sees_the_pictures_of_carts(client):
    otto = StaffFactory(email="otto@example.com")
    otto.user_permissions.add(Permission.objects.get(codename="view_cart"))
    client.force_login(otto)

    assert list(panels(client)) == ["Carts active each day", "Value lying in carts"]


@pytest.mark.parametrize("carts", [1, 3])
def test_overview_costs_a_constant_number_of_queries_once_a_minute(carts, django_assert_num_queries):
    for days in (0, 5, 20, 40) * carts:
        cart(days=days, book=BookFactory(stock_quantity=0))

    with django_assert_num_queries(13):
        overview.facts()
    with django_assert_num_queries(0):
        overview.facts()


def test_titles_are_escaped_in_the_pictures(staff):
    cart(book=BookFactory(title="<script>alert(1)</script>"))

    page = staff.get("/admin/").content.decode()

    assert "<script>alert(1)</script>" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_picture_is_complete_svg(staff):
    cart(book=BookFactory(title="Emma"))

    page = staff.get("/admin/").content.decode()

    assert page.count('<rect class="picture-bar" x="') == 30
    assert "<title>31 Mar: 1 cart</title>" in page
    assert "http://" not in page.split('<section class="overview"')[1].split("</section>")[0]


def test_overview_counts_every_cart_once():
    for days in range(0, 60, 3):
        cart(days=days, book=BookFactory(price="2.00"))

    known = overview.gathered()

    assert sum(age.carts for age in known.ages) == Cart.objects.count() == 20
    assert sum(age.value for age in known.ages) == Decimal("40.00")
