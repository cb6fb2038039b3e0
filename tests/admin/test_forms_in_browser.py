"""The site's forms in a real browser: nothing typed is lost with a session, and nothing is sent twice."""

import pytest
from django.apps import apps
from django.test import Client
from playwright.sync_api import expect

from bookstore.accounts.tests.factories import PASSWORD, SuperuserFactory
from tests.support.browser import needs_chromium, new_page

pytestmark = [
    pytest.mark.slow,
    pytest.mark.any_database,
    pytest.mark.django_db(transaction=True),
    needs_chromium,
]

BOOKS = "/admin/catalog/book/"
NOTE = "What you had typed here before was not saved, and has been put back. Save it to keep it."


@pytest.fixture
def olga(transactional_db, live_server):
    """A function: a page in which Olga is signed in."""
    client = Client()
    client.force_login(SuperuserFactory(email="olga@example.com", password=PASSWORD))
    cookie = {"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}

    def signed_in(page):
        page.context.add_cookies([cookie])
        return page

    return signed_in


@pytest.fixture
def emma(transactional_db):
    emma = {"title": "Emma", "author": "Jane Austen", "price": "9.50", "stock_quantity": 5}
    return apps.get_model("catalog", "Book").objects.add(**emma)


def sign_in(page):
    page.get_by_label("Email").fill("olga@example.com")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()


def test_what_was_typed_outlives_the_session(live_server, olga, emma):
    with new_page(live_server.url) as page:
        olga(page).goto(f"{BOOKS}{emma.pk}/change/")
        page.get_by_label("Price (USD)").fill("12.00")
        page.get_by_label("Description").fill("Misreads\neveryone.")
        page.context.clear_cookies(name="sessionid")
        page.get_by_role("button", name="Save", exact=True).first.click()
        sign_in(page)
        expect(page.locator("#content-main .searched-note")).to_have_text(NOTE, use_inner_text=True)
        page.get_by_role("button", name="Save", exact=True).first.click()
        expect(page.locator(".messagelist")).to_contain_text("was changed successfully", use_inner_text=True)

    emma.refresh_from_db()
    assert (str(emma.price), emma.description) == ("12.00", "Misreads\neveryone.")


def test_rows_typed_into_a_list_outlive_the_session_and_a_colleague(live_server, olga, emma):
    book = apps.get_model("catalog", "Book")

    with new_page(live_server.url) as page:
        olga(page).goto(BOOKS)
        page.locator("input[name='form-0-price']").fill("12.00")
        other = page.context.new_page()
        other.goto(f"{BOOKS}add/")
        other.get_by_label("Title").fill("Aeneid")
        other.get_by_label("Author").fill("Virgil")
        other.get_by_label("Price (USD)").fill("6.00")
        other.get_by_role("button", name="Save", exact=True).first.click()
        expect(other.locator(".messagelist")).to_contain_text("was added successfully", use_inner_text=True)
        page.context.clear_cookies(name="sessionid")
        page.get_by_role("button", name="Save", exact=True).first.click()
        sign_in(page)
        expect(page.get_by_text(NOTE)).to_be_visible()
        page.get_by_role("button", name="Save", exact=True).first.click()
        expect(page.locator(".messagelist")).to_have_text("1 book was changed successfully.", use_inner_text=True)

    prices = {title: str(price) for title, price in book.objects.values_list("title", "price")}
    assert prices == {"Aeneid": "6.00", "Emma": "12.00"}


def test_double_click_adds_one_book_and_says_so(live_server, olga):
    with new_page(live_server.url) as page:
        olga(page).goto(f"{BOOKS}add/")
        page.get_by_label("Title").fill("Emma")
        page.get_by_label("Author").fill("Jane Austen")
        page.get_by_label("Price (USD)").fill("9.50")
        page.get_by_role("button", name="Save", exact=True).first.dblclick()
        expect(page.locator(".messagelist")).to_contain_text("was added successfully", use_inner_text=True)

    assert apps.get_model("catalog", "Book").objects.count() == 1


def test_form_that_is_out_of_date_is_opened_again_as_it_was_typed(live_server, olga, emma):
    with new_page(live_server.url) as page:
        olga(page).goto(f"{BOOKS}{emma.pk}/change/")
        page.get_by_label("Price (USD)").fill("12.00")
        page.context.clear_cookies(name="csrftoken")
        page.get_by_role("button", name="Save", exact=True).first.click()
        page.get_by_role("link", name="Open the page again").click()
        expect(page.get_by_label("Price (USD)")).to_have_value("12.00")
        page.get_by_role("button", name="Save", exact=True).first.click()
        expect(page.locator(".messagelist")).to_contain_text("was changed successfully", use_inner_text=True)

    emma.refresh_from_db()
    assert str(emma.price) == "12.00"
