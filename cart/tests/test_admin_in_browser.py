"""The staff's site in a real browser: Chromium from PATH, driven by Playwright."""

import re

import pytest
from django.contrib.auth.models import Group, Permission
from playwright.sync_api import Page, expect

from bookstore.accounts.models import User
from bookstore.accounts.tests.factories import PASSWORD, StaffFactory, UserFactory
from bookstore.admin import bulk
from cart.tests.factories import CartFactory, CartItemFactory
from catalog.models import Book
from catalog.tests.factories import BookFactory
from tests.support.browser import needs_chromium, new_page

pytestmark = [
    pytest.mark.slow,
    pytest.mark.any_database,
    pytest.mark.django_db(transaction=True),
    needs_chromium,
]

FILE = """\
title,author,price,isbn,stock_quantity
Persuasion,Jane Austen,8.20,9780141439686,4
Nightmare Abbey,Thomas Love Peacock,7.00,9780141439581,2
Melmoth,Charles Maturin,free,,1
"""


@pytest.fixture
def bob(transactional_db) -> User:
    """Staff in the groups for support and catalogue."""
    bob = StaffFactory(email="bob@example.com", password=PASSWORD)
    bob.groups.set(Group.objects.filter(name__in=["Customer support", "Catalogue"]))
    return bob


@pytest.fixture
def shop(bob, live_server):
    """Alice's cart has a book that is sold out; others have theirs."""
    cover = f"{live_server.url}/static/admin/img/icon-yes.svg"
    emma = BookFactory(title="Emma", author="Jane Austen", price="9.50", stock_quantity=0, cover_image_url=cover)
    dracula = BookFactory(title="Dracula", author="Bram Stoker", price="12.25")
    CartItemFactory(cart=CartFactory(user=UserFactory(email="alice@example.com")), book=emma, quantity=2)
    CartItemFactory(cart=CartFactory(user=UserFactory(email="carol@example.com")), book=dracula)
    return live_server


@pytest.fixture
def browse(shop):
    """A function: runs `visit(page)` in a new browser of this width, and answers where its requests went.

    Nothing may touch the database in `visit`: Playwright has an event loop in this thread, where Django refuses to.
    """

    def run(visit, width=1280):
        asked, faults = set(), []
        with new_page(shop.url, width) as page:
            page.on("request", lambda request: asked.add(request.url.split("/")[2] if "//" in request.url else "data:"))
            page.on("pageerror", lambda error: faults.append(str(error)))
            page.on("response", lambda response: faults.append(response.url) if response.status >= 400 else None)
            visit(page)
        assert faults == []
        return asked - {"data:"}

    return run


def sign_in(page: Page) -> None:
    page.goto("/admin/")
    page.get_by_label("Email").fill("BOB@example.com")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_text("Carts active each day")).to_be_visible()


def test_staff_find_a_cart_correct_its_stock_and_import_a_file(shop, browse):
    def visit(page):
        sign_in(page)
        sold_out = page.locator(".overview-panel", has_text="sold out or withdrawn")
        expect(sold_out).to_contain_text("Emma", use_inner_text=True)
        expect(sold_out).to_contain_text("2 wanted in 1 cart", use_inner_text=True)

        page.locator(".model-cart th a").click()
        page.locator("#searchbar").fill("alice@")
        page.get_by_role("button", name="Search").click()
        page.wait_for_url("**/?q=alice*")
        rows = page.locator("#result_list tbody tr")
        expect(rows).to_contain_text("sold out", use_inner_text=True)
        expect(rows).to_have_count(1)
        page.get_by_role("link", name="alice@example.com").click()
        line = page.locator("tr[id^=line-]")
        expect(line).to_contain_text("sold out", use_inner_text=True)
        expect(line).to_contain_text("19.00 USD", use_inner_text=True)
        page.wait_for_load_state()
        expect(page.locator("input[name=verb]")).to_have_count(0)

        page.get_by_role("link", name="Emma").click()
        page.get_by_label("Stock").fill("7")
        page.get_by_role("button", name="Save", exact=True).first.click()
        expect(page.locator(".messagelist")).to_contain_text("was changed successfully", use_inner_text=True)

        page.get_by_role("link", name="Import", exact=True).click()
        page.get_by_label("File:", exact=True).set_input_files(
            {"name": "books.csv", "mimeType": "text/csv", "buffer": FILE.encode()}
        )
        page.get_by_role("button", name="Show what would change").click()
        refused = page.locator("tr.refused")
        for number, text in enumerate(["4", "Price", "free"]):
            expect(refused.locator("td").nth(number)).to_have_text(text, use_inner_text=True)
        page.wait_for_load_state()
        expect(refused).to_have_count(1)
        page.get_by_role("button", name="Import 2 books").click()
        expect(page.locator(".messagelist")).to_have_text("Imported: 2 new, 1 refused.", use_inner_text=True)

    hosts = browse(visit)

    assert hosts == {shop.url.removeprefix("http://")}
    assert list(Book.objects.order_by("title").values_list("title", "stock_quantity")) == [
        ("Dracula", 5),
        ("Emma", 7),
        ("Nightmare Abbey", 2),
        ("Persuasion", 4),
    ]


def test_staff_who_may_change_carts_add_a_book_and_take_one_out(shop, bob, browse):
    bob.user_permissions.add(Permission.objects.get(codename="change_cart"))

    def visit(page):
        sign_in(page)
        page.goto("/admin/cart/cart/?q=alice")
        page.get_by_role("link", name="alice@example.com").click()
        page.locator(".lines-add .select2-selection").click()
        page.locator(".select2-search__field").fill("dracu")
        page.locator(".select2-results__option", has_text="Dracula").click()
        page.get_by_role("button", name="Add", exact=True).click()
        expect(page.locator(".messagelist")).to_have_text("Added “Dracula” (1).", use_inner_text=True)
        lines = page.locator("tr[id^=line-]")
        lines.filter(has_text="Emma").get_by_role("button", name="Remove").click()
        expect(page.locator(".question")).to_contain_text("Take “Emma” (2) out of this cart?", use_inner_text=True)
        page.locator(".question").get_by_role("button", name="Remove").click()
        expect(page.locator(".messagelist")).to_have_text("Removed “Emma” (2).", use_inner_text=True)
        page.wait_for_load_state()
        expect(lines).to_have_count(1)
        expect(lines).to_contain_text(["Dracula"], use_inner_text=True)
        page.get_by_role("button", name="Undo").click()
        expect(lines).to_contain_text(["Dracula", "Emma"], use_inner_text=True)
        page.wait_for_load_state()
        expect(lines).to_have_count(2)
        page.get_by_role("link", name="History").click()
        expect(page.locator("#change-history")).to_contain_text("bob@example.com", use_inner_text=True)
        expect(page.locator("#change-history")).to_contain_text("Dracula", use_inner_text=True)

    browse(visit)


def test_list_rows_are_saved_to_their_books_beside_a_colleague(shop, browse):
    def row_of(page, title):
        return page.locator("#result_list tbody tr", has_text=title)

    def visit(page):
        sign_in(page)
        page.goto("/admin/catalog/book/")
        colleague = page.context.new_page()
        colleague.goto("/admin/catalog/book/add/")
        colleague.get_by_label("Title").fill("Aeneid")
        colleague.get_by_label("Author").fill("Virgil")
        colleague.get_by_label("Price (USD)").fill("6.00")
        colleague.get_by_role("button", name="Save", exact=True).first.click()
        expect(colleague.locator(".messagelist")).to_contain_text("was added successfully", use_inner_text=True)
        colleague.goto("/admin/catalog/book/")
        row_of(colleague, "Dracula").locator("input[name$='-price']:not([type=hidden])").fill("13.00")
        colleague.get_by_role("button", name="Save", exact=True).first.click()
        expect(colleague.locator(".messagelist")).to_have_text("1 book was changed successfully.", use_inner_text=True)

        row_of(page, "Dracula").locator("input[name$='-price']:not([type=hidden])").fill("14.00")
        row_of(page, "Emma").locator("input[name$='-stock_quantity']:not([type=hidden])").fill("44")
        page.get_by_role("button", name="Save", exact=True).first.click()
        reason = page.locator("#result_list .errorlist")
        expect(reason).to_contain_text("bob@example.com changed it", use_inner_text=True)
        expect(reason).to_contain_text(
            "this page showed “12.25”, it is “13.00” now, and you wrote “14.00”", use_inner_text=True
        )
        page.wait_for_load_state()
        expect(page.locator("#result_list tbody tr")).to_have_count(1)
        page.get_by_role("button", name="Save", exact=True).first.click()
        expect(page.locator(".messagelist")).to_have_text("1 book was changed successfully.", use_inner_text=True)

    browse(visit)

    assert {book.title: (str(book.price), book.stock_quantity) for book in Book.objects.all()} == {
        "Aeneid": ("6.00", 0),
        "Dracula": ("14.00", 5),
        "Emma": ("9.50", 44),
    }


def test_select_all_shows_first_and_goes_on_by_itself_to_the_end(shop, browse, monkeypatch):
    monkeypatch.setattr(bulk, "BATCH", 20)
    monkeypatch.setattr(bulk, "LONGEST", 0)
    BookFactory.create_batch(58, price="10.00")
    Book.objects.update(price="10.00")

    def visit(page):
        sign_in(page)
        page.goto("/admin/catalog/book/")
        page.locator("#action-toggle").check()
        page.get_by_text("Select all 60 books").click()
        page.locator("select[name=action]").first.select_option("change_prices")
        page.get_by_role("button", name=re.compile("^(Go|Run)$")).first.click()
        page.get_by_label("Percent").fill("10")
        page.get_by_role("button", name="Show what would change").click()
        preview = page.locator("#content-main")
        expect(preview).to_contain_text("This is about 60 books, of which these are the first:", use_inner_text=True)
        expect(preview).to_contain_text("10.00 → 11.00", use_inner_text=True)
        page.get_by_role("button", name="Yes, do it to 60 books").click()
        expect(page.locator(".messagelist")).to_have_text(
            "Changed the prices of 60 books by 10 percent.", use_inner_text=True
        )

    browse(visit)

    assert {str(price) for price in Book.objects.values_list("price", flat=True)} == {"11.00"}


def test_on_a_telephone_the_lists_show_what_they_are_looked_at_for(shop, browse):
    lizzy = CartFactory(user=UserFactory(email="elizabeth.bennet@longbourn.example.com"))
    CartItemFactory(cart=lizzy, book=Book.objects.get(title="Emma"), quantity=999)
    ends = {}

    def visit(page):
        sign_in(page)
        for path, selector in (("/admin/cart/cart/", ".problem"), ("/admin/catalog/book/", ".field-is_active input")):
            page.goto(path)
            box = page.locator(selector).first.bounding_box()
            ends[selector] = box["x"] + box["width"]

    browse(visit, 390)

    assert {selector: end for selector, end in ends.items() if end > 390} == {}


def test_on_a_telephone_no_address_of_a_sign_in_is_broken_up(shop, browse):
    heights = []

    def visit(page):
        sign_in(page)
        page.goto("/admin/sign-ins/")
        heights.append(page.locator("[data-label=From]").first.bounding_box()["height"])

    browse(visit, 390)

    assert heights[0] < 60  # pixels: its heading and one line
