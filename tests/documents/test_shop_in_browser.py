"""The demo's shop in a real browser: a visit, two tabs, a change in between, a server that goes away and comes back."""

import json
import os
import re
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from playwright.sync_api import expect, sync_playwright

from tests.support.browser import ARGUMENTS, CHROMIUM, needs_chromium
from tests.support.client import Client
from tests.support.demo import demo_shop
from tests.support.server import ROOT, Server, environment_for_tests, serve

AXE = ROOT / "tools" / "typescript" / "node_modules" / "axe-core" / "axe.min.js"
VIEWS = ["", "?q=austen", "?q=frankenstien", "?q=nothing+at+all", "book/1", "cart", "account", "orders"]
VIEWS += ["sign-in", "register", "forgot", "reset-password?token=x", "verify-email?token=x", "no-such-page"]

pytestmark = [pytest.mark.slow, pytest.mark.any_database, needs_chromium]

STAFF = {"email": "staff@example.com", "password": "demo-staff-shelf"}


@pytest.fixture(scope="module")
def shop(django_db_setup, django_db_blocker, tmp_path_factory):
    with django_db_blocker.unblock(), demo_shop(tmp_path_factory.mktemp("shop")) as shop:
        yield shop


@pytest.fixture(scope="module")
def browser(shop):
    """One for all tests here; it is closed before the shop's database is dropped, which its event loop would forbid."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def page(shop, browser):
    """A page of the shop for a visitor who is new; an error in its scripts fails the test."""
    faults = []
    context = browser.new_context(base_url=shop.url, viewport={"width": 1280, "height": 900}, locale="en-US")
    context.on("weberror", lambda error: faults.append(str(error.error)))
    context.on("console", lambda line: faults.append(line.text) if "Content Security Policy" in line.text else None)
    page = context.new_page()
    page.goto("/")
    yield page
    context.close()
    assert faults == []


def wait_for(page, requests):
    """Until the page has sent a request that a route of the test holds back."""
    deadline = time.monotonic() + 20
    while not requests:
        assert time.monotonic() < deadline, "no such request was sent"
        page.wait_for_timeout(20)


@contextmanager
def server_of(shop, *, port=0, **environ):
    """Another server of the same shop, with its log."""
    url = shop.environment["DATABASE_URL"]
    environment = environment_for_tests(DATABASE_URL=url, AUTH_THROTTLE_RATE="1000/min", **environ)
    server = Server(serve(), environment, port=port, keep_output=True)
    try:
        server.wait_until_ready()
        yield server
    finally:
        server.stop()


def as_staff(shop, method, path, body=None):
    """One call of the staff's; in a thread of its own, where no event loop runs."""

    def call():
        port = int(shop.url.rpartition(":")[2])
        with Client(port) as guest:
            token = guest("POST", "/auth/login", STAFF).body["access_token"]
        with Client(port, token) as staff:
            return staff(method, path, body)

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(call).result()


def make_book(shop, title, *, price="10.00", stock=10):
    answer = as_staff(
        shop,
        "POST",
        "/books",
        {"title": title, "author": "A. Tester", "price": price, "genre_id": 1, "stock_quantity": stock},
    )
    assert answer.status == 201, answer
    return answer.body


def put_in_cart(page, book):
    page.goto(f"/shop/#/book/{book['id']}")
    page.get_by_role("button", name="Add to cart").click()
    expect(page.get_by_text("is in your cart.")).to_be_visible()


def sign_in(page, email, password):
    page.goto("/shop/#/sign-in?next=cart")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("main").get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("link", name="Account", exact=True)).to_be_visible()


def register(page, email):
    page.goto("/shop/#/register?next=cart")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill("correct horse battery")
    page.get_by_role("button", name="Make an account").click()
    expect(page.get_by_role("link", name="Account", exact=True)).to_be_visible()
    expect(page.locator("body[aria-busy=false]")).to_be_visible()


def order(page):
    for label, text in [("Name", "Alice"), ("Street", "Main Street 1"), ("Postcode", "12345"), ("City", "Bonn")]:
        page.get_by_label(label).fill(text)
    page.get_by_label("Country").select_option("DE")
    page.get_by_role("button", name=re.compile("Order for")).click()


def test_a_guest_finds_a_book_registers_orders_and_cancels(shop, page):
    page.get_by_label("Search books").fill("frankenstien")
    page.get_by_label("Search books").press("Enter")
    expect(page.get_by_text("Nothing is spelled exactly like that.")).to_be_visible()
    page.get_by_role("link", name="Frankenstein").click()
    page.get_by_role("button", name="Add to cart").click()
    expect(page.get_by_role("link", name="Cart, 1 in it")).to_be_visible()

    register(page, "guest@example.com")
    expect(page.get_by_text("Your cart came along: 1 book.")).to_be_visible()
    order(page)
    expect(page.get_by_role("heading", name=re.compile(r"^Order \w"))).to_be_visible()
    expect(page.get_by_role("link", name="Cart, 0 in it")).to_be_visible()

    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Cancel this order").click()
    expect(page.get_by_text("Cancelled")).to_be_visible()
    page.get_by_role("button", name="Order the same again").click()
    expect(page.get_by_role("link", name="Cart, 1 in it")).to_be_visible()


def test_suggestions_are_chosen_by_keys(shop, page):
    field = page.get_by_label("Search books")
    field.press_sequentially("dracu")
    expect(page.get_by_role("search").get_by_role("link", name=re.compile("Dracula"))).to_be_visible()

    field.press("ArrowDown")
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", name="Dracula")).to_be_visible()
    expect(field).to_have_value("")


def test_escape_closes_the_suggestions_and_keeps_what_was_typed(shop, page):
    field = page.get_by_label("Search books")
    field.press_sequentially("jane ey")
    expect(page.locator(".suggestions a").first).to_be_visible()

    field.press("Escape")

    expect(page.locator(".suggestions a")).to_have_count(0)
    expect(field).to_have_value("jane ey")


def test_focus_stays_on_a_button_that_is_pressed_and_on_what_is_left(shop, page):
    put_in_cart(page, make_book(shop, "By Keys"))
    page.goto("/shop/#/cart")
    more = page.get_by_role("button", name="One copy more of By Keys")
    more.focus()

    for copies in ["2", "3"]:
        page.keyboard.press("Enter")
        expect(page.get_by_label("Copies of By Keys", exact=True)).to_have_text(copies)
        expect(more).to_be_focused()

    page.get_by_role("button", name="Remove By Keys").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()


def test_filters_are_in_the_address_and_survive_a_reload(shop, page):
    count = page.locator("label", has_text="Poetry").locator(".count").inner_text()
    page.get_by_role("checkbox", name=re.compile("Poetry")).check()
    expect(page.get_by_text(f"{count} books", exact=True)).to_be_visible()

    page.reload()

    expect(page.get_by_text(f"{count} books", exact=True)).to_be_visible()
    expect(page.get_by_role("checkbox", name=re.compile("Poetry"))).to_be_checked()
    expect(page).to_have_url(re.compile("genre_id="))


def test_every_order_of_the_list_is_one_of_the_apis(page):
    sort = page.get_by_label("Sort")
    expect(sort).to_be_visible()
    options = sort.locator("option").all_inner_texts()
    assert options
    for option in options:
        sort.select_option(option)
        expect(page.get_by_text(re.compile(r"^\d+ books$"))).to_be_visible()
        expect(page.get_by_label("Sort")).to_be_visible()


def test_what_was_removed_can_be_had_back(shop, page):
    book = make_book(shop, "Undone")
    put_in_cart(page, book)
    page.goto("/shop/#/cart")

    page.get_by_role("button", name="Remove Undone").click()
    expect(page.get_by_text("There is nothing in it.")).to_be_visible()
    page.get_by_role("button", name="Undo").click()

    expect(page.get_by_role("button", name="Remove Undone")).to_be_visible()


def test_a_second_tab_shows_what_the_first_has_added(shop, page):
    book = make_book(shop, "Two Tabs")
    second = page.context.new_page()
    second.goto("/shop/#/cart")
    register(page, "tabs@example.com")
    expect(second.get_by_role("link", name="Account", exact=True)).to_be_visible()

    put_in_cart(page, book)

    expect(second.get_by_role("button", name="Remove Two Tabs")).to_be_visible()


def test_a_second_tab_shows_the_cart_of_an_order_and_of_the_next(shop, page):
    register(page, "second-tab@example.com")
    put_in_cart(page, make_book(shop, "Bought Twice"))
    second = page.context.new_page()
    second.add_init_script("window.setTimeout = () => 0")  # it does not look at the cart by itself
    second.goto("/shop/#/cart")
    expect(second.get_by_role("button", name="Remove Bought Twice")).to_be_visible()

    page.goto("/shop/#/cart")
    order(page)

    expect(second.get_by_text("There is nothing in it.")).to_be_visible()
    page.get_by_role("button", name="Order the same again").click()
    expect(second.get_by_role("button", name="Remove Bought Twice")).to_be_visible()


def test_orders_in_another_tab_go_when_their_customer_signs_out(shop, page):
    register(page, "two-customers@example.com")
    second = page.context.new_page()
    second.goto("/shop/#/orders")
    expect(second.get_by_role("heading", name="Your orders")).to_be_visible()

    page.goto("/shop/#/account")
    page.get_by_role("button", name="Sign out", exact=True).click()

    expect(second.get_by_role("heading", name="Sign in")).to_be_visible()


def test_a_view_that_failed_says_that_it_tries_again(page):
    page.goto("/shop/#/?page=none")
    expect(page.get_by_text("This address is not complete, or not right.")).to_be_visible()
    page.route("**/books?*", lambda route: route.abort())

    page.get_by_role("button", name="Try again").click()

    expect(page.get_by_text("The shop does not answer at the moment. Trying again…")).to_be_visible()
    expect(page.get_by_text("Looking…")).to_be_visible()


def test_a_page_behind_the_last_leads_to_the_first(page):
    page.goto("/shop/#/?q=dracula&page=999")
    expect(page.get_by_text("There is no page 999.")).to_be_visible()
    assert page.get_by_text("Nothing was found").count() == 0

    page.get_by_role("link", name="Go to the first one").click()

    expect(page.get_by_role("link", name="Dracula").first).to_be_visible()


def test_orders_are_listed_page_by_page(shop, page):
    book = make_book(shop, "Often Bought", stock=30)
    register(page, "often@example.com")

    def order_25_times(token):
        with Client(int(shop.url.rpartition(":")[2]), token) as customer:
            for _ in range(25):
                customer("POST", "/cart/items", {"book_id": book["id"]})
                assert customer("POST", "/orders/checkout").status == 201

    with ThreadPoolExecutor(1) as pool:
        pool.submit(order_25_times, token_of(page, "access_token")).result()
    rows = page.locator(".rows li")
    page.goto("/shop/#/orders")
    expect(rows).to_have_count(24)
    page.get_by_role("link", name="Next").click()
    expect(rows).to_have_count(1)
    expect(page.get_by_text("Page 2 of 2")).to_be_visible()

    page.goto("/shop/#/orders?page=3")

    expect(page.get_by_text("There is no page 3.")).to_be_visible()
    assert page.get_by_text("You have ordered nothing yet.").count() == 0


def test_a_link_without_its_token_leads_to_a_new_mail(page):
    page.goto("/shop/#/reset-password")
    expect(page.get_by_text("This link is not complete.")).to_be_visible()

    page.get_by_role("link", name="ask for a new mail").click()

    expect(page.get_by_role("button", name="Send the mail")).to_be_visible()


@pytest.mark.parametrize("address", ["verify-email", "verify-email?token=x"])
def test_a_dead_link_to_verify_leads_to_a_new_mail(page, address):
    register(page, f"{len(address)}-dead@example.com")
    page.goto(f"/shop/#/{address}")
    expect(page.get_by_text("This link was used already, has expired, or is not complete")).to_be_visible()

    page.get_by_role("link", name="Ask for it in your account").click()

    expect(page.get_by_role("button", name="Send the mail again")).to_be_visible()


def test_a_dead_link_to_a_new_password_leads_to_a_new_mail(page):
    page.goto("/shop/#/reset-password?token=x")
    page.get_by_label("New password").fill("another horse battery")
    page.get_by_role("button", name="Set the password").click()
    expect(page.get_by_text("This link was used already")).to_be_visible()

    page.get_by_role("link", name="Ask for a new mail").click()

    expect(page.get_by_role("button", name="Send the mail", exact=True)).to_be_visible()


def keep_as_guest(page, *entries):
    kept = [{"book_id": book_id, "quantity": quantity, "price_seen": "10.00"} for book_id, quantity in entries]
    page.evaluate("entries => localStorage.setItem('shop.guest', entries)", json.dumps(kept))


def test_a_guest_learns_that_a_book_on_the_screen_was_deleted(shop, page):
    gone = make_book(shop, "Gone Meanwhile")
    page.goto(f"/shop/#/book/{gone['id']}")
    button = page.get_by_role("button", name="Add to cart")
    expect(button).to_be_visible()
    as_staff(shop, "DELETE", f"/books/{gone['id']}")

    button.click()

    expect(page.get_by_text("This book is not sold any more.")).to_be_visible()


def test_a_guests_cart_takes_no_more_than_the_shop_does(shop, page):
    many = make_book(shop, "Many Copies", stock=2000)
    keep_as_guest(page, (many["id"], 999), *((number, 1) for number in range(1, 100)))
    page.goto("/shop/#/cart")

    page.get_by_role("button", name="One copy more of Many Copies").click()
    expect(page.get_by_text("That is more than a cart may hold.")).to_be_visible()
    page.get_by_role("button", name="Close the message").click()
    page.goto("/shop/#/book/150")
    page.get_by_role("button", name="Add to cart").click()
    expect(page.get_by_text("That is more than a cart may hold.")).to_be_visible()
    page.goto("/shop/#/cart")
    page.reload()

    expect(page.get_by_label("Copies of Many Copies", exact=True)).to_have_text("999")
    expect(page.locator(".line")).to_have_count(100)


def test_a_refusal_of_no_field_on_the_page_is_told(shop, page):
    book = make_book(shop, "A Thousand Copies", stock=2000)
    keep_as_guest(page, (book["id"], 999))
    register(page, "thousand@example.com")

    page.get_by_role("button", name="One copy more of A Thousand Copies").click()

    expect(page.get_by_text("1000 is too large: send at most 999.")).to_be_visible()


def test_a_search_for_too_many_words_says_so(page):
    page.goto(f"/shop/#/?q={'+'.join(map(str, range(100, 133)))}")

    expect(page.get_by_text("Ask for 32 different words at most.")).to_be_visible()


def test_signing_in_goes_on_where_the_customer_was(shop, page):
    register(page, "goes-on@example.com")
    page.goto("/shop/#/account")
    page.get_by_role("button", name="Sign out", exact=True).click()
    expect(page.get_by_role("link", name="Sign in", exact=True)).to_be_visible()

    page.goto("/shop/#/orders")
    page.get_by_label("Email").fill("goes-on@example.com")
    page.get_by_label("Password").fill("correct horse battery")
    page.get_by_role("main").get_by_role("button", name="Sign in").click()

    expect(page.get_by_role("heading", name="Your orders")).to_be_visible()


def test_a_form_that_is_sent_twice_puts_nothing_into_the_address(shop, page):
    page.goto("/shop/#/sign-in")
    page.evaluate("sent = []; addEventListener('submit', (event) => sent.push(event.defaultPrevented))")
    held = []
    page.route("**/auth/login", lambda route: held.append(route), times=1)
    page.get_by_label("Email").fill("reader@example.com")
    page.get_by_label("Password").fill("demo-reader-shelf")

    page.get_by_role("main").get_by_role("button", name="Sign in").dblclick()
    wait_for(page, held)
    held[0].continue_()

    expect(page.get_by_role("link", name="Account", exact=True)).to_be_visible()
    assert page.evaluate("sent") == [True, True]


def test_a_guests_cart_that_a_sign_in_could_not_bring_along_comes_later(shop, page):
    put_in_cart(page, make_book(shop, "Left Behind"))
    page.route("**/cart/merge", lambda route: route.fulfill(status=500, json={"code": "INTERNAL_ERROR"}))
    register(page, "left-behind@example.com")
    expect(page.get_by_text("There is nothing in it.")).to_be_visible()

    page.unroute("**/cart/merge")
    page.reload()

    expect(page.get_by_role("button", name="Remove Left Behind")).to_be_visible()
    assert page.evaluate("localStorage.getItem('shop.guest')") is None


def test_a_change_on_another_device_is_shown_and_not_overwritten(shop, page):
    book = make_book(shop, "Two Devices")
    register(page, "devices@example.com")
    put_in_cart(page, book)
    page.goto("/shop/#/cart")
    tokens = page.evaluate("JSON.parse(localStorage.getItem('shop.tokens'))")

    def on_the_other_device():
        with Client(int(shop.url.rpartition(":")[2]), tokens["access_token"]) as other:
            line = other("GET", "/cart").body["items"][0]
            return other("PUT", f"/cart/items/{line['id']}", {"quantity": 5}).status

    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(on_the_other_device).result() == 200
    page.get_by_role("button", name="One copy more of Two Devices").click()

    expect(page.get_by_text("Two Devices: 5 instead of 1.")).to_be_visible()
    expect(page.get_by_label("Copies of Two Devices", exact=True)).to_have_text("5")


def lose_the_next_answer(page, pattern):
    """The shop does what is asked next, and its answer is lost on the way."""
    page.route(pattern, lambda route: (route.fetch(), route.abort()), times=1)


def test_a_change_whose_answer_is_lost_is_made_once_and_without_a_word(shop, page):
    book = make_book(shop, "Lost And Found")
    register(page, "found@example.com")
    page.goto(f"/shop/#/book/{book['id']}")
    lose_the_next_answer(page, "**/cart/items?*")
    page.get_by_role("button", name="Add to cart").click()
    expect(page.get_by_text("is in your cart.")).to_be_visible()
    page.get_by_role("button", name="Show cart").click()

    lose_the_next_answer(page, "**/cart/items/*")
    page.get_by_role("button", name="One copy more of Lost And Found").click()
    expect(page.get_by_label("Copies of Lost And Found", exact=True)).to_have_text("2")
    expect(page.get_by_role("button", name="One copy more of Lost And Found")).to_be_enabled()
    assert page.get_by_text("changed somewhere else").count() == 0

    lose_the_next_answer(page, "**/cart/items/*")
    page.get_by_role("button", name="Remove Lost And Found").click()
    expect(page.get_by_text("Lost And Found was removed.")).to_be_visible()


def test_an_answer_that_comes_late_does_not_replace_a_newer_cart(shop, page):
    book = make_book(shop, "Overtaken")
    register(page, "overtaken@example.com")
    put_in_cart(page, book)
    page.goto("/shop/#/cart")
    more = page.get_by_role("button", name="One copy more of Overtaken")
    copies = page.get_by_label("Copies of Overtaken", exact=True)
    expect(copies).to_have_text("1")
    late = []
    page.route("**/cart", lambda route: late.append((route, route.fetch(headers=without_etag(route)))), times=1)

    page.evaluate("new BroadcastChannel('shop.cart').postMessage('changed')")
    wait_for(page, late)
    more.click()
    expect(copies).to_have_text("2")
    [(route, answer)] = late
    assert answer.json()["total_items"] == 1
    with page.expect_event("requestfinished", lambda request: request.url.endswith("/cart")):
        route.fulfill(response=answer)
    page.wait_for_timeout(300)

    assert copies.inner_text() == "2"  # at once: the next look at the cart would mend it
    more.click()
    expect(copies).to_have_text("3")
    assert page.get_by_text("changed somewhere else").count() == 0


def without_etag(route):
    return {name: value for name, value in route.request.headers.items() if name != "if-none-match"}


def token_of(page, name):
    return page.evaluate(f"JSON.parse(localStorage.getItem('shop.tokens')).{name}")


def break_access_token(page):
    """As if it had expired: the shop refuses it, and the page renews it."""
    page.evaluate(
        "localStorage.setItem('shop.tokens', localStorage.getItem('shop.tokens')"
        ".replace(/(?<=access_token\":\"[^.]*[.][^.]*[.])/, 'x'))"
    )


def test_what_one_customer_asked_for_is_not_sent_as_another(shop, page):
    book = make_book(shop, "Not Bob's")
    register(page, "alice-first@example.com")
    page.goto(f"/shop/#/book/{book['id']}")
    break_access_token(page)
    held = []
    page.route("**/cart/items?*", lambda route: held.append((route, route.fetch())), times=1)

    page.get_by_role("button", name="Add to cart").click()
    second = page.context.new_page()
    register(second, "bob-second@example.com")
    second.wait_for_url("**/#/cart")
    wait_for(page, held)
    [(route, refusal)] = held
    assert refusal.status == 401
    route.fulfill(response=refusal)

    expect(page.get_by_text("Another account was signed in meanwhile")).to_be_visible()
    second.goto("/shop/#/account")
    expect(second.get_by_text("You are signed in as bob-second@example.com.")).to_be_visible()
    expect(second.get_by_role("link", name="Cart, 0 in it")).to_be_visible()


def test_a_renewal_that_comes_late_does_not_sign_another_customer_out(shop, page):
    register(page, "alice-late@example.com")
    break_access_token(page)
    held = []
    page.route("**/auth/refresh", lambda route: held.append((route, route.fetch())), times=1)

    page.goto("/shop/#/orders")
    second = page.context.new_page()
    register(second, "bob-early@example.com")
    second.wait_for_url("**/#/cart")
    wait_for(page, held)
    [(route, renewed)] = held
    bobs = token_of(second, "refresh_token")
    assert renewed.status == 200
    route.fulfill(response=renewed)
    page.wait_for_timeout(100)

    assert token_of(page, "refresh_token") == bobs
    expect(page.get_by_role("link", name="Account", exact=True)).to_be_visible()
    page.goto("/shop/#/account")
    expect(page.get_by_text("You are signed in as bob-early@example.com.")).to_be_visible()


def raise_price(browser, shop, book, price):
    """A member of staff does it, in a browser of their own."""
    context = browser.new_context(base_url=shop.url)
    page = context.new_page()
    page.goto(f"/admin/catalog/book/{book['id']}/change/")
    page.get_by_label("Email").fill(STAFF["email"])
    page.locator("#id_password").fill(STAFF["password"])
    page.get_by_role("button", name="Log in").click()
    page.get_by_label("Price").fill(price)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".messagelist")).to_contain_text("changed successfully")
    context.close()


def test_a_price_that_rose_is_told_and_can_be_kept(shop, browser, page):
    book = make_book(shop, "Dearer")
    register(page, "dearer@example.com")
    put_in_cart(page, book)
    page.goto("/shop/#/cart")
    expect(page.get_by_role("button", name=re.compile("Order for"))).to_be_visible()
    raise_price(browser, shop, book, "12.00")

    order(page)
    expect(page.get_by_text("was changed somewhere else")).to_be_visible()
    expect(page.get_by_text("The price was $10.00 when you chose it. It is $12.00 now.")).to_be_visible()
    page.get_by_role("button", name="Keep it").click()

    expect(page.get_by_text("The price was $10.00")).not_to_be_visible()
    expect(page.get_by_role("button", name="Order for $12.00")).to_be_visible()


def test_an_order_whose_answer_was_lost_is_found_after_a_reload(shop, page):
    book = make_book(shop, "Lost Answer", stock=10)
    register(page, "lost@example.com")
    put_in_cart(page, book)
    page.goto("/shop/#/cart")
    page.route("**/orders/checkout", lambda route: (route.fetch(), route.abort()))
    order(page)
    expect(page.get_by_text("Trying again…")).to_be_visible()
    page.unroute("**/orders/checkout")

    page.reload()

    expect(page.get_by_role("heading", name=re.compile(r"^Order \w"))).to_be_visible()
    page.goto("/shop/#/orders")
    expect(page.locator("main li")).to_have_count(1)
    assert as_staff(shop, "GET", f"/books/{book['id']}").body["stock_quantity"] == 9


def link_in_mail(shop, page, email):
    """What the mail to this customer has as its link, after the site's address."""
    code = (
        "from bookstore.accounts.links import RESET, VERIFY; from bookstore.accounts.models import User; "
        "from bookstore.mail.storefront import storefront_link; "
        f"user = User.objects.get(email='{email}'); "
        "tokens = {'reset': RESET.token(user.pk, user.reset_state), 'verify': VERIFY.token(user.pk, user.email)}; "
        f"print(storefront_link('{page}', token=tokens['{page}']))"
    )
    return shop.manage("shell", "--no-imports", "-c", code).strip().removeprefix("http://127.0.0.1:8000")


def test_a_forgotten_password_is_set_anew_by_the_link(shop, page):
    register(page, "forgot@example.com")
    page.goto("/shop/#/forgot")
    page.get_by_label("Email").fill("forgot@example.com")
    page.get_by_role("button", name="Send the mail").click()
    expect(page.get_by_text("a mail is on its way")).to_be_visible()

    page.goto(link_in_mail(shop, "reset", "forgot@example.com"))
    page.get_by_label("New password").fill("another horse battery")
    page.get_by_role("button", name="Set the password").click()

    expect(page.get_by_text("The new password is set. Sign in with it.")).to_be_visible()
    sign_in(page, "forgot@example.com", "another horse battery")


def test_an_email_is_verified_by_the_link(shop, page):
    register(page, "verify@example.com")
    page.goto("/shop/#/account")
    expect(page.get_by_text("Your email is not verified yet.")).to_be_visible()

    page.goto(link_in_mail(shop, "verify", "verify@example.com"))
    expect(page.get_by_text("Thank you: your email is verified.")).to_be_visible()
    page.goto("/shop/#/account")

    expect(page.get_by_text("You are signed in as")).to_be_visible()
    expect(page.get_by_text("not verified yet")).not_to_be_visible()


def test_an_expired_token_is_renewed_once_without_a_word(shop, page):
    register(page, "expired@example.com")
    asked = []
    page.on("request", lambda request: asked.append(request.url) if "/auth/refresh" in request.url else None)
    page.evaluate(
        "localStorage.setItem('shop.tokens', JSON.stringify({...JSON.parse(localStorage.getItem('shop.tokens')), "
        "access_token: 'expired'}))"
    )

    page.goto("/shop/#/account")

    expect(page.get_by_text("You are signed in as expired@example.com.")).to_be_visible()
    assert len(asked) == 1


def test_a_throttled_renewal_signs_nobody_out(shop, page):
    sign_in(page, *STAFF.values())
    page.evaluate(
        "localStorage.setItem('shop.tokens', JSON.stringify({...JSON.parse(localStorage.getItem('shop.tokens')), "
        "access_token: 'expired'}))"
    )
    page.route("**/auth/refresh", lambda route: route.fulfill(status=429, json={"code": "THROTTLED"}))

    page.goto("/shop/#/account")

    expect(page.get_by_text("That was too often. Wait a minute, then try again.").first).to_be_visible()
    assert page.evaluate("localStorage.getItem('shop.tokens')") is not None


def test_sign_out_forgets_an_order_without_an_answer_and_its_address(shop, page):
    book = make_book(shop, "Left Behind", stock=10)
    sign_in(page, *STAFF.values())
    put_in_cart(page, book)
    page.goto("/shop/#/cart")
    page.route("**/orders/checkout", lambda route: route.fulfill(status=500, json={"code": "INTERNAL_ERROR"}))
    order(page)
    expect(page.get_by_text("Something went wrong in the shop.")).to_be_visible()
    kept = page.evaluate("localStorage.getItem('shop.checkout')")

    page.goto("/shop/#/account")
    page.get_by_role("button", name="Sign out", exact=True).click()
    expect(page.get_by_role("link", name="Sign in")).to_be_visible()

    assert "Main Street 1" in kept
    assert page.evaluate("localStorage.getItem('shop.checkout')") is None


def test_export_has_every_page(shop, page):
    sign_in(page, *STAFF.values())
    page.route("**/auth/me/export?page=1", lambda route: route.fulfill(json={"page": 1, "more": True}))
    page.goto("/shop/#/account")

    with page.expect_download() as download:
        page.get_by_role("button", name="Save it as a file").click()

    pages = json.loads(download.value.path().read_text())
    assert [(each["page"], each["more"]) for each in pages] == [(1, True), (2, False)]


def test_no_token_is_in_an_address_or_a_log(shop, page):
    asked = []
    page.goto("about:blank")
    page.on("request", lambda request: asked.append(request.url))
    with server_of(shop, LOG_LEVEL="DEBUG") as server:
        page.goto(f"http://127.0.0.1:{server.port}/shop/#/register")
        page.get_by_label("Email").fill("address@example.com")
        page.get_by_label("Password").fill("correct horse battery")
        page.get_by_role("button", name="Make an account").click()
        page.get_by_role("link", name="Account", exact=True).click()
        expect(page.get_by_text("You are signed in as")).to_be_visible()
        tokens = page.evaluate("JSON.parse(localStorage.getItem('shop.tokens'))")
        log = server.said()

    assert "GET /auth/sessions 200" in log
    tokens = tokens["access_token"], tokens["refresh_token"]
    assert [text for text in [log, page.url, *asked] if any(token in text for token in tokens)] == []
    called = [url for url in asked if "/shop/covers/" not in url]  # those are where the demo was loaded
    assert {url.split("/")[2] for url in called} == {f"127.0.0.1:{server.port}"}


def test_markup_in_a_title_stays_text(shop, page):
    title = "<img src=x onerror=document.title='pwned'> & <b>bold</b>"
    book = make_book(shop, title)
    page.goto(f"/shop/#/book/{book['id']}")

    expect(page.get_by_role("heading", name=title)).to_be_visible()
    assert page.locator("main b").count() == 0
    expect(page).to_have_title(f"{title}, A. Tester · Bookstore")


def test_a_change_outlasts_a_server_that_is_killed_and_comes_back(shop, page):
    with server_of(shop) as server:
        page.goto(f"http://127.0.0.1:{server.port}/shop/#/?q=emma")
        add = page.get_by_role("button", name="Add Emma to the cart")
        expect(add).to_be_visible()
        os.killpg(server.process.pid, signal.SIGKILL)

    add.click()
    expect(page.get_by_text("The shop does not answer at the moment. Trying again…")).to_be_visible()
    with server_of(shop, port=server.port):
        expect(page.get_by_text("Emma is in your cart.")).to_be_visible()
        expect(page.get_by_text("Trying again…")).not_to_be_visible()
        expect(page.get_by_role("link", name="Cart, 1 in it")).to_be_visible()


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is not installed: make types installs it")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1440])
def test_every_view_is_accessible_and_fits_the_window(shop, page, width, scheme):
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    register(page, f"axe-{width}-{scheme}@example.com")
    found = {}
    for view in VIEWS:
        page.goto(f"/shop/#/{view}")
        if view == "book/1":
            page.get_by_role("button", name="Add to cart").click()
            expect(page.get_by_text("is in your cart.")).to_be_visible()
        expect(page.locator("main h1")).to_be_visible()
        page.wait_for_load_state("networkidle")
        page.evaluate(AXE.read_text("utf-8"))
        violations = page.evaluate(
            "axe.run({resultTypes: ['violations']}).then((all) => all.violations.map((one) => one.id))"
        )
        too_wide = page.evaluate("document.documentElement.scrollWidth > innerWidth")
        found[view] = [*violations, *(["too wide"] if too_wide else [])]

    assert found == {view: [] for view in VIEWS}
